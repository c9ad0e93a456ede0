"""What a model said is added to what the parser understood, never put in its place, and never believed because it is stored."""

from __future__ import annotations

import json
import time

import msgspec
import pytest

from berth_intent.backends.validated import validated
from berth_intent.improvements import Improvements, entry_key, entry_text, joined, text_key
from berth_intent.intents import Intent
from berth_intent.mentioned import Mentioned, fingerprint
from berth_intent.terms import HintTerms, reading_of
from berth_intent.understood import Code, HintWarning, Preference, Understood
from berth_intent.vocabulary import Vocabulary

from .model_server import Json, wish, wishes

CLUSTER = Vocabulary(
    zones=("us-east-1a", "us-east-1b"),
    racks=("rack-1", "rack-3"),
    deployments=("kafka", "orders-stream", "postgres"),
)
HINT = "in us-east-1a, cheek by jowl with orders-stream"
NEAR = "cheek by jowl with orders-stream"


def parser(*preferences: Preference, unparsed: tuple[str, ...] = ()) -> Understood:
    warnings = tuple(HintWarning(Code.NOT_UNDERSTOOD, stretch) for stretch in unparsed)
    return Understood(preferences, unparsed, warnings)


IN_ZONE = Preference(Intent.PREFER_ZONES, ("us-east-1a",), text="in us-east-1a", start=0)
PARSED = parser(IN_ZONE, unparsed=(NEAR,))


def kept(hint: str, *preferences: Json, vocabulary: Vocabulary = CLUSTER, model: str = "m") -> dict[str, str]:
    names = Mentioned(vocabulary).of(hint)
    understood = validated(json.dumps(wishes(*preferences)), hint, names).understood
    return {entry_key(hint, names): entry_text(1_700_000_000, model, understood)}


GOOD = kept(HINT, wish("prefer_colocate_deployments", NEAR, values=["orders-stream"], strength=1.5))


def improved(data: dict[str, str], hint: str = HINT, vocabulary: Vocabulary = CLUSTER) -> Understood | None:
    return Improvements(data, lambda text, names: PARSED).of(hint, vocabulary)


def test_an_answer_fills_what_the_parser_left_open() -> None:
    found = improved(GOOD)
    assert found is not None
    assert [p.intent for p in found.preferences] == [Intent.PREFER_ZONES, Intent.PREFER_COLOCATE_DEPLOYMENTS]
    assert found.preferences[1].strength == 1.5
    assert found.unparsed == ()
    assert found.warnings == ()


def test_spaces_do_not_matter_other_words_do() -> None:
    assert improved(GOOD, HINT.replace(" ", "  ")) is not None
    assert improved(GOOD, HINT + " please") is None


def test_an_answer_stays_good_while_names_change_that_the_text_does_not_speak_of() -> None:
    other = msgspec.structs.replace(CLUSTER, deployments=(*CLUSTER.deployments, "web", "cart"), nodes=("n1", "n2"))
    assert improved(GOOD, vocabulary=other) is not None
    gone = msgspec.structs.replace(CLUSTER, deployments=("kafka",))
    assert improved(GOOD, vocabulary=gone) is None


def test_an_answer_cannot_take_back_or_change_what_the_parser_understood() -> None:
    against = kept(
        HINT,
        wish("prefer_zones", "in us-east-1a", values=["us-east-1a"], strength=0.5),
        wish("avoid_zones", "in us-east-1a", values=["us-east-1a"], strength=1.5),
    )
    assert improved(against) is None


@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_against_a_wish_of_the_parser_a_model_never_wins_however_strong(strength: float) -> None:
    hint = "never with kafka, yet snug beside kafka"
    far = Preference(Intent.AVOID_DEPLOYMENTS, ("kafka",), strength=1.0, text="never with kafka", start=0)
    near = Preference(
        Intent.PREFER_COLOCATE_DEPLOYMENTS, ("kafka",), strength=strength, text="snug beside kafka", start=22
    )
    found = joined(hint, parser(far, unparsed=("snug beside kafka",)), Understood((near,)))
    assert found is not None
    assert found.effective == (far,)
    assert [w.code for w in found.warnings] == [Code.CONFLICT]


def test_a_wish_that_a_model_read_is_scored_and_never_enforced() -> None:
    found = improved(GOOD)
    assert found is not None
    strong_zone = msgspec.structs.replace(IN_ZONE, strength=1.5)
    both = msgspec.structs.replace(found, preferences=(strong_zone, *found.preferences[1:]))
    reading = reading_of(both, HintTerms(enforces_strong=True, language_model=True))
    assert reading.counting == both.preferences
    assert reading.enforced == (strong_zone,)


def test_what_was_written_by_others_is_not_believed() -> None:
    names = Mentioned(CLUSTER).of(HINT)
    key = entry_key(HINT, names)
    forged = {"preferences": [wish("prefer_racks", NEAR, values=["rack-3"])]}
    for value in (
        json.dumps({"at": 1, "model": "m", "answer": forged}),
        json.dumps({"at": 1, "model": "m", "answer": {"preferences": [wish("spread_zones", "not in the text")]}}),
        "not json",
        "[" * 15_000,
        '{"at": "yesterday"}',
        "x" * 100_000,
    ):
        assert improved({key: value}) is None
    assert improved({"ledger": "{}", "README": "keep out", **GOOD}) is not None


def test_no_answer_is_none() -> None:
    assert improved({}) is None
    assert improved(kept(HINT)) is None


@pytest.mark.parametrize("count", [0, 1_000])
def test_texts_without_an_answer_cost_little(count: int) -> None:
    data = {f"{text_key(f'hint {i}')}.{'0' * 16}": "{}" for i in range(count)}
    improvements = Improvements(data)
    best = 1.0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(100):
            improvements.of(HINT, CLUSTER)
        best = min(best, (time.perf_counter() - started) / 100)
    assert best < 0.0002


def test_few_names_go_along_and_none_that_the_text_has_no_word_of() -> None:
    large = Vocabulary(
        zones=("us-east-1a",),
        racks=tuple(f"rack-{i}" for i in range(500)),
        nodes=tuple(f"node-{i}" for i in range(5_000)),
        deployments=("payroll", "acme-merger-api", "postgres", *(f"svc-{i}" for i in range(5_000))),
    )
    named = Mentioned(large).of("rack three, near postgress, on node 17, not with a svc but with svc-40")
    assert named.racks == ("rack-17", "rack-3", "rack-40")
    assert named.nodes == ("node-17", "node-3", "node-40")
    assert named.deployments == ("postgres", "svc-40")
    assert named.zones == ("us-east-1a",)


def test_the_same_names_in_another_order_of_mapping_are_the_same() -> None:
    one = Vocabulary(zones=("a", "b"), zone_regions={"a": "x", "b": "x"})
    two = Vocabulary(zones=("a", "b"), zone_regions={"b": "x", "a": "x"})
    assert fingerprint(one) == fingerprint(two)
