"""Tries the course: without its fixes, on Colab's versions, against the clock."""
