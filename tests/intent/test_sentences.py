"""Each wish has a phrase that a person who did not write the hint understands."""

from __future__ import annotations

import pytest

from berth_intent.intents import SCOPES, WITH_AMOUNT, WITH_VALUES, Intent, Level
from berth_intent.sentences import insistence, listed, number, phrase
from berth_intent.understood import Preference


@pytest.mark.parametrize(
    ("preference", "said"),
    [
        (Preference(Intent.PREFER_ZONES, ("a", "b")), "in zone a or b"),
        (Preference(Intent.AVOID_NODES, ("m02",)), "not on node m02"),
        (Preference(Intent.SPREAD_RACKS), "pods of its workload spread over racks"),
        (Preference(Intent.PREFER_MEMORY_GB, amount=65.536), "on a node with 65.536 GB of memory or more"),
        (Preference(Intent.PREFER_MEMORY_GB, rank="high"), "on a node with much memory"),
        (Preference(Intent.PREFER_GPU, amount=1.0), "on a node with a GPU"),
        (Preference(Intent.PREFER_GPU, amount=4.0), "on a node with 4 GPUs or more"),
        (Preference(Intent.PREFER_GPU), "on a node with GPUs"),
        (Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("kafka",), scope=Level.ZONE), "in the same zone as kafka"),
        (Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("kafka",)), "close to kafka"),
        (Preference(Intent.PREFER_COLOCATE_DEPLOYMENTS, ("a", "b")), "on a node where a and b run"),
        (Preference(Intent.AVOID_DEPLOYMENTS, ("etl",), scope=Level.RACK), "not in a rack where etl runs"),
        (Preference(Intent.PREFER_NETWORK_SPEED, amount=0.4), "on a node with a network of 0.4 Gbps or more"),
    ],
)
def test_what_a_wish_means(preference: Preference, said: str) -> None:
    assert phrase(preference) == said


def test_no_two_wishes_sound_alike_and_none_is_forgotten() -> None:
    phrases = {}
    for intent in Intent:
        values = ("x",) if intent in WITH_VALUES else ()
        amounts = (
            ((4.0, None), (None, "high"), (None, "low"), (None, None)) if intent in WITH_AMOUNT else ((None, None),)
        )
        for amount, rank in amounts:
            for scope in SCOPES.get(intent, (None,)):
                wish = Preference(intent, values, amount, rank, scope)  # type: ignore[arg-type]
                phrases[intent, amount, rank, scope] = phrase(wish)
    assert len(set(phrases.values())) == len(phrases)
    assert all("{" not in said for said in phrases.values())


def test_a_long_list_is_counted_rather_than_written() -> None:
    assert listed([f"n{i}" for i in range(1, 5001)], "or") == "n1, n2, n3, n4, n5 or 4995 more"


def test_numbers_stand_as_people_write_them() -> None:
    assert [number(n) for n in (64.0, 0.5, 1_500_000.0, 65.536)] == ["64", "0.5", "1500000", "65.536"]


def test_strengths_have_names() -> None:
    assert [insistence(s) for s in (0.5, 1.0, 1.5)] == ["weak", "plain", "strong"]
