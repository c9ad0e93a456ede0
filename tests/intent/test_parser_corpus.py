"""Every hint of the development corpus is understood exactly as labelled."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.hint_corpora import read_ours
from benchmarks.hint_metrics import Labelled, missed
from berth_intent.parser import parse
from berth_intent.vocabulary import Vocabulary

CORPUS = Path(__file__).parent / "corpus"
VOCABULARY = msgspec.json.decode((CORPUS / "vocabulary.json").read_bytes(), type=Vocabulary)
DEVELOPMENT = read_ours(CORPUS / "dev.jsonl")


@pytest.mark.parametrize("labelled", DEVELOPMENT, ids=lambda labelled: labelled.id)
def test_a_hint_is_understood_as_labelled(labelled: Labelled) -> None:
    found = parse(labelled.hint, VOCABULARY).preferences
    assert missed(labelled, found) is None, [(p.intent, p.values, p.amount, p.rank, p.scope, p.strength) for p in found]


def test_the_corpus_has_all_languages_and_categories_and_no_hint_twice() -> None:
    assert {labelled.lang for labelled in DEVELOPMENT} == {"en", "es", "de"}
    assert {labelled.category for labelled in DEVELOPMENT} == {
        "single",
        "double",
        "compound",
        "contradictory",
        "noise",
        "typos",
    }
    assert len({(labelled.hint, labelled.lang) for labelled in DEVELOPMENT}) == len(DEVELOPMENT)
