"""The corpora themselves: frozen ones are as they were, labels obey the contract."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from benchmarks.hint_corpora import read_ours
from berth_intent.intents import SCOPES, STRENGTHS, WITH_AMOUNT, WITH_VALUES, Intent

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.glob("*.jsonl"))
FROZEN = [line.split() for line in (CORPUS / "held-out.sha256").read_text().splitlines()]


@pytest.mark.parametrize(("digest", "name"), FROZEN, ids=[name for _, name in FROZEN])
def test_what_was_frozen_is_as_it_was(digest: str, name: str) -> None:
    assert hashlib.sha256((CORPUS / name).read_bytes()).hexdigest() == digest


def test_nothing_is_held_out_that_was_not_frozen() -> None:
    assert {p.name for p in CORPUS.glob("held-out-*.jsonl")} == {name for _, name in FROZEN}


@pytest.mark.parametrize("path", FILES, ids=[p.stem for p in FILES])
def test_labels_obey_the_contract(path: Path) -> None:
    corpus = read_ours(path)
    assert len({labelled.id for labelled in corpus}) == len(corpus)
    for labelled in corpus:
        assert (labelled.category == "noise") <= (not labelled.expected)
        for e in labelled.expected:
            intent = Intent(e.intent)
            where = f"{labelled.id}: {msgspec.json.encode(e).decode()}"
            assert bool(e.values) == (intent in WITH_VALUES), where
            assert intent in WITH_AMOUNT or (e.amount is None and e.rank is None), where
            assert e.amount is None or e.rank is None, where
            assert e.scope in SCOPES.get(intent, (None,)), where
            assert e.strength in STRENGTHS, where


def test_there_are_enough_of_every_kind() -> None:
    corpus = [labelled for path in FILES for labelled in read_ours(path)]
    assert len(corpus) >= 400
    assert {labelled.lang for labelled in corpus} == {"en", "es", "de"}
