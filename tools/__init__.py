"""What the Makefile runs; the lessons do not need it."""
