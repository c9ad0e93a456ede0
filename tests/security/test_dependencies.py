"""Licences of what Berth is made of are on the list, what is shipped has a reason, and the page says what is installed."""

from __future__ import annotations

import re

import pytest

from .dependencies import ENGINE, ONLY_FOR_TESTS, PAGE, Part, is_allowed, of_control_plane, of_engine, page

with_engine = pytest.mark.skipif(
    not (ENGINE / "bin").exists(), reason="the engine's environment is missing: make engine"
)


def test_what_is_shipped_may_be_shipped_and_has_a_reason() -> None:
    direct, along, _ = of_control_plane()
    assert len(along) > 20
    assert [part for part in (*direct, *along) if not is_allowed(part.licence)] == []
    assert [part.name for part in direct if not part.why] == []


def test_what_tests_need_may_be_used() -> None:
    _, _, tests = of_control_plane()
    assert [part for part in tests if not is_allowed(part.licence, ONLY_FOR_TESTS)] == []


@with_engine
def test_the_engine_may_be_shipped() -> None:
    assert [part for part in of_engine() if not is_allowed(part.licence)] == []


@with_engine
def test_the_page_says_what_is_installed() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.security.dependencies"


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", True),
        ("Apache-2.0 AND GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("LGPL-3.0-or-later", False),
        ("", False),
    ],
)
def test_copyleft_and_silence_are_refused(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) is allowed


def test_everything_on_the_page_has_a_licence() -> None:
    rows = re.findall(r"^\| (\S+) \| (\S+) \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    named = [Part(*row) for row in rows if row[0] not in ("name", "---")]
    assert len(named) > 150
    assert [part.name for part in named if not part.licence] == []
