"""The shell commands that the documentation shows: fenced `sh` and `console` blocks, and `$ ...` lines of examples with output.

A comment behind a command is taken off, lines that end with a backslash are joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_SHELL = ("sh", "console", "bash")


class Shown(NamedTuple):
    page: str
    line: int
    command: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.command}"


def pages() -> list[Path]:
    """Whose commands count: what a reader meets, generated pages left out (their examples are the commands' own)."""
    docs = [p for p in sorted((ROOT / "docs").rglob("*.md")) if "reference" not in p.parts]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *docs]


def shown() -> list[Shown]:
    return [found for page in pages() for found in commands(str(page.relative_to(ROOT)), page.read_text())]


def commands(page: str, text: str) -> Iterator[Shown]:
    for fence in _FENCE.finditer(text):
        first = text[: fence.start()].count("\n") + 2
        held, began = "", first
        for number, line in enumerate(fence[2].splitlines(), first):
            if fence[1] not in _SHELL:
                if not line.startswith("$ "):
                    continue
                line = line[2:]
            began = began if held else number
            held += line if not held else line.lstrip()
            if held.endswith("\\"):
                held = held[:-1]
                continue
            if held.startswith("for ") and line.strip() != "done":
                held += "\n"
                continue
            command = _uncommented(held)
            if command:
                yield Shown(page, began, command)
            held = ""


def _uncommented(line: str) -> str:
    """Without what follows a # outside of quotes."""
    quote = ""
    for place, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == "#" and (place == 0 or line[place - 1].isspace()):
            return line[:place].strip()
    return line.strip()
