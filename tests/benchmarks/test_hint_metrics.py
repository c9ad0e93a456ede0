"""The measures of hints, on answers whose figures can be counted by hand, and the loaders of corpora."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.hint_corpora import CorpusError, read_ours, read_paper
from benchmarks.hint_metrics import Expected, Labelled, Share, by_group, missed, scores
from benchmarks.hint_regex import parse as fixed_phrases
from berth_intent.intents import Intent, Level
from berth_intent.understood import Preference

GPU_AND_ZONE = Labelled(
    "1", "2 GPUs in 1a", (Expected("prefer_gpu", amount=2.0), Expected("prefer_zones", ("us-east-1a",)))
)
NOTHING = Labelled("2", "hello", (), category="noise")
GPUS = Preference(Intent.PREFER_GPU, amount=2.0)
ZONE = Preference(Intent.PREFER_ZONES, ("us-east-1a",))


def test_all_right_is_all_right() -> None:
    found = scores([(GPU_AND_ZONE, (GPUS, ZONE)), (NOTHING, ())])
    assert (found.subset, found.values, found.strength) == (Share(2, 2), Share(2, 2), Share(2, 2))
    assert (found.exact, found.macro_f1) == (Share(2, 2), 1.0)
    assert missed(GPU_AND_ZONE, (GPUS, ZONE)) is None


def test_another_order_than_the_text_s_is_a_mistake_of_its_own() -> None:
    found = scores([(GPU_AND_ZONE, (ZONE, GPUS)), (NOTHING, (ZONE,))])
    assert (found.subset, found.order, found.exact) == (Share(1, 2), Share(0, 1), Share(0, 2))
    assert missed(GPU_AND_ZONE, (ZONE, GPUS)).wrong == ("order",)  # type: ignore[union-attr]


def test_each_kind_of_mistake_counts_where_it_belongs() -> None:
    strong = Preference(Intent.PREFER_GPU, amount=4.0, strength=1.5)
    found = scores([(GPU_AND_ZONE, (strong, ZONE)), (NOTHING, (ZONE,))])
    assert (found.subset, found.values, found.strength, found.exact) == (
        Share(1, 2),
        Share(1, 2),
        Share(1, 2),
        Share(0, 2),
    )
    assert (found.false_positives, found.false_negatives) == (1, 0)
    assert missed(GPU_AND_ZONE, (strong, ZONE)).wrong == ("values", "strength")  # type: ignore[union-attr]


def test_the_same_intent_twice_is_matched_with_what_it_is_most_like() -> None:
    near = Labelled(
        "3",
        "",
        (
            Expected("prefer_nearby_deployments", ("redis",)),
            Expected("prefer_nearby_deployments", ("kafka",), scope="zone"),
        ),
    )
    kafka = Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("kafka",), scope=Level.ZONE)
    redis = Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("redis",))
    assert missed(near, (kafka, redis)) is None
    assert missed(near, (kafka,)).wrong == ("subset",)  # type: ignore[union-attr]


def test_f1_is_the_mean_over_intents_that_are_expected_somewhere() -> None:
    found = scores([(GPU_AND_ZONE, (GPUS,)), (NOTHING, (Preference(Intent.AVOID_GPU),))])
    assert found.macro_f1 == pytest.approx(0.5)  # GPUs found, the zone not; what nobody expects only counts as false


def test_the_interval_is_wilson_s() -> None:
    low, high = Share(306, 314).interval
    assert (round(low, 1), round(high, 1)) == (95.1, 98.7)  # as computed for the paper's best


def test_groups_are_those_that_targets_speak_of() -> None:
    groups = by_group([(NOTHING, ()), (Labelled("4", "", (), "de", "double"), ())])
    assert {name: len(found) for name, found in groups.items()} == {
        "all": 2,
        "noise": 1,
        "en": 1,
        "double": 1,
        "de": 1,
        "single and double": 1,
    }


def test_the_floor_knows_its_phrases_and_nothing_else() -> None:
    assert [p.intent for p in fixed_phrases("spread across all zones")] == [Intent.SPREAD_ZONES]
    assert fixed_phrases("avoid us-east-1a and us-east-1b")[0].values == ("us-east-1a",)
    assert fixed_phrases("a bit of everything, scattered") == ()


@pytest.mark.parametrize(
    "content",
    [
        [
            {
                "hint": "2 GPUs, must",
                "expected": {"prefer_gpu": {"prefer_gpu_cores": 2.0, "strength": 1.5, "confidence": 1}},
            }
        ],
        {
            "Strength": [
                {
                    "text": "2 GPUs, must",
                    "intents": [{"name": "prefer_gpu_cores", "metadata": {"x": 2}, "strength": 1.5}],
                }
            ]
        },
    ],
)
def test_the_paper_s_files_are_read_in_whatever_dress(content: object, tmp_path: Path) -> None:
    path = tmp_path / "v1.json"
    path.write_text(json.dumps(content))
    [labelled] = read_paper(path)
    assert labelled.hint == "2 GPUs, must"
    assert labelled.expected == (Expected("prefer_gpu", amount=2.0, strength=1.5),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([{"hint": "x"}], "no intents"),
        ([{"intents": []}], "no text"),
        ([{"hint": "x", "intents": ["fly"]}], "'fly'"),
        ([1], "no object"),
    ],
)
def test_what_is_no_corpus_is_refused_with_the_place(content: object, said: str, tmp_path: Path) -> None:
    path = tmp_path / "v1.json"
    path.write_text(json.dumps(content))
    with pytest.raises(CorpusError, match=said):
        read_paper(path)
    path.write_text('{"id": "a", "hint": 3}\n')
    with pytest.raises(CorpusError, match=":1:"):
        read_ours(path)
