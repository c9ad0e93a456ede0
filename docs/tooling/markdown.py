"""What all generated pages write alike."""

from __future__ import annotations

MADE = "<!-- Made by `make docs-reference`; do not edit. -->\n"


def cell(text: str) -> str:
    """One line that stays within its cell; angle brackets are words and no tags."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
