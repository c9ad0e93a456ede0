"""Links between pages lead somewhere, on GitHub as in the site: files exist, and so do the headings that are named.

`make docs` checks the site as it is built; this needs no environment of its own.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "engine/README.md",
    ROOT / "charts/berth/README.md",
]

_FENCE = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def headings(page: Path) -> set[str]:
    """As GitHub and the site name them."""
    words = [
        re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading) for heading in _HEADING.findall(_FENCE.sub("", page.read_text()))
    ]
    return {re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-") for text in words}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = _CODE.sub("", _FENCE.sub("", page.read_text()))
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        if heading and file.suffix == ".md":
            assert heading in headings(file), target
