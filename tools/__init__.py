"""What the Makefile runs; the lessons do not need it.

setup     the environment
write     what is made from something else: exercises, quiz, slides, pages, front page, links
verify    what tries the course: falsify, colab, matrix, bench
"""
