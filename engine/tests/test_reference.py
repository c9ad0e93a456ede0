"""What docs/reference says of the engine's metrics and options is what the engine says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # what makes the documentation is not installed with the engine

from docs.tooling import engine  # noqa: E402


@pytest.mark.parametrize(("page", "made"), [("metrics", engine.metrics), ("cli", engine.commands)])
def test_the_engines_part_of_a_page_is_that_of_the_engine(page: str, made: object) -> None:
    assert callable(made)
    text = (ROOT / f"docs/reference/{page}.md").read_text()
    assert f"{engine.BEGIN}\n{made().strip()}\n{engine.END}" in text, "run: make docs-reference"
