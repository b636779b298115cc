"""What the Makefile runs; the lessons do not need it.

notebooks   where they are
execute     runs them in fresh kernels, and refreshes what they store
run         runs them, and leaves them alone

On these rest:
setup       the environment
write       what is made from something else: exercises, quiz, slides, site, front page, links
verify      what tries the course: falsify, colab, bench
"""
