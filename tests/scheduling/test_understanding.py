"""Hints are read once, and one that breaks its reader counts for nothing instead of breaking the request."""

from __future__ import annotations

import logging

import pytest

from berth_intent.places import Places
from berth_intent.terms import HintTerms
from berth_intent.understood import Understood
from berth_intent.vocabulary import Vocabulary
from berth_scheduling.understanding import Understanding


def test_a_hint_that_breaks_the_parser_wishes_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    def breaks(text: str, vocabulary: Vocabulary) -> Understood:
        asked.append(text)
        raise RecursionError("deep")

    understanding = Understanding(Places(), lambda: (), lambda: 0, lambda: 0.0, breaks)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            assert not understanding.of("((((", HintTerms()).counting
    assert asked == ["(((("]
    assert len(caplog.records) == 1
    assert "((((" not in caplog.text.split("Traceback")[0]
