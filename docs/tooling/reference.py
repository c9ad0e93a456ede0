"""Writes the pages that are made from code and schemas: `make docs-reference`, or `python -m docs.tooling.reference`.

tests/docs/test_reference.py makes them again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.tooling import commands, kinds, metrics, pictures, reasons
from docs.tooling.markdown import MADE

DOCS = Path(__file__).parents[1]
FOLDER = DOCS / "reference"


def pages(folder: Path = FOLDER) -> dict[Path, str]:
    """All of them, as they should be."""

    def before(name: str) -> str:
        path = folder / name
        return path.read_text() if path.exists() else ""

    made = {
        folder / "kinds.md": kinds.page(),
        folder / "cli.md": commands.page(before("cli.md")),
        folder / "metrics.md": metrics.page(before("metrics.md")),
        folder / "reasons.md": reasons.page(),
    }
    return {path: MADE + text for path, text in made.items()} | {
        DOCS / "pictures" / f"{name}.svg": drawing for name, drawing in pictures.drawings().items()
    }


def main() -> int:
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(path.relative_to(DOCS.parent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
