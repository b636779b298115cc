"""The check-up: what is wrong with a network of your own, and which fix to try."""

from utils.checkup._checkup import checkup
from utils.checkup._report import Report

__all__ = ["Report", "checkup"]
