"""What all generated pages write alike."""

from __future__ import annotations

MADE = "<!-- Made by `make docs-reference`; do not edit. -->\n"


def cell(text: str) -> str:
    """One line that stays within its cell; angle brackets are words and no tags."""
    return _line(text).replace("<", "&lt;")


def code(text: str) -> str:
    """The same as code, where brackets are what they are."""
    return f"`{_line(text)}`"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
