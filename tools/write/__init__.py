"""Writes what is made from something else: exercises, quiz, slides, pages, front page, links."""
