"""What pytest does for unit tests and notebooks alike."""

import os


def pytest_configure() -> None:
    os.environ.setdefault("COURSE_STRICT", "1")  # a claim that does not hold raises


def pytest_collection_modifyitems(items: list) -> None:
    """The longest first, so that none runs alone at the end: deeper/ may take twice as long."""
    items.sort(key=lambda item: item.path.parent.name != "deeper")
