"""Unit tests of utils and tools, and guards over the notebooks."""
