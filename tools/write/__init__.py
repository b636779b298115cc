"""Writes what is made from something else: exercises, quiz, slides, site, front page, links."""
