"""Laws of reading hints: what must not matter does not, and nothing that is written breaks it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hint_corpora import read_ours
from berth_intent.intents import Intent
from berth_intent.parser import parse
from berth_intent.understood import MAX_HINT, Code, Preference, Understood
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary

CORPUS = Path(__file__).parent / "corpus"
VOCABULARY = msgspec.json.decode((CORPUS / "vocabulary.json").read_bytes(), type=Vocabulary)
DEVELOPMENT = read_ours(CORPUS / "dev.jsonl")
WISHES = [labelled.hint for labelled in DEVELOPMENT if labelled.expected]
PLAIN_WISHES = [
    hint for hint in WISHES if not any(sign in hint for sign in "\n?*") and "US" not in hint and "EU" not in hint
]
settings.register_profile("unhurried", deadline=None)  # compiling the lexicon takes its time on the first call
settings.load_profile("unhurried")
NOISE = [
    "Owner: team atlas.",
    "See the wiki for details.",
    "Version 1.4.2 of the chart.",
    "Ticket OPS-128.",
    "It was migrated last year.",
]


def wishes(found: Understood) -> list[tuple[object, ...]]:
    return [(p.intent, p.values, p.amount, p.rank, p.scope, p.strength) for p in found.preferences]


def read(text: str) -> list[tuple[object, ...]]:
    return wishes(parse(text, VOCABULARY))


@given(st.sampled_from(PLAIN_WISHES))
def test_case_does_not_matter_to_known_names(hint: str) -> None:
    known = {name for names in (VOCABULARY.deployments, VOCABULARY.zones, VOCABULARY.racks) for name in names}
    expected = read(hint)
    if all(value in known for _, values, *_ in expected for value in values):  # type: ignore[attr-defined]
        assert read(hint.swapcase()) == read(hint.upper()) == expected


@given(st.sampled_from(PLAIN_WISHES), st.sampled_from([".", "!", " ", "  ", "\n", " . "]))
def test_what_ends_a_hint_does_not_matter(hint: str, end: str) -> None:
    assert read(hint.rstrip(".!") + end) == read(hint)


@given(st.sampled_from(PLAIN_WISHES), st.sampled_from(["  ", "\t", " \u00a0", "\u2009 "]))
def test_kinds_of_space_do_not_matter(hint: str, space: str) -> None:
    assert read(hint.replace(" ", space)) == read(hint)


@pytest.mark.parametrize(
    "quoted", ["'redis'", '"redis"', "`redis`", "\u2018redis\u2019", "\u201credis\u201d", "\u00abredis\u00bb"]
)
@pytest.mark.parametrize(
    "hint", ["near {}", "same node as {}", "keep away from {}", "in der Nähe von {}", "lejos de {}"]
)
def test_quotes_around_a_name_do_not_matter(hint: str, quoted: str) -> None:
    assert read(hint.format(quoted)) == read(hint.format("redis"))


@pytest.mark.parametrize(
    "written",
    [
        "64 GB",
        "64GB",
        "64 GiB",
        "64 gigs",
        "64Gi",
        "64g",
        "64 gigabytes",
        "64000 MB",
        "0.064 TB",
        "0,064 TB",
        "sixty-four GB",
    ],
)
def test_units_of_memory_do_not_matter(written: str) -> None:
    (wish,) = parse(f"{written} of memory", VOCABULARY).preferences
    assert (wish.intent, wish.amount) == (Intent.PREFER_MEMORY_GB, 64)


@pytest.mark.parametrize(
    "written", ["10 Gbps", "10Gbps", "10 Gbit/s", "10 gigabit", "10GbE", "10000 Mbps", "ten Gbps", "10 Gb/s"]
)
def test_units_of_networks_do_not_matter(written: str) -> None:
    (wish,) = parse(f"{written} network", VOCABULARY).preferences
    assert (wish.intent, wish.amount) == (Intent.PREFER_NETWORK_SPEED, 10)


@given(st.sampled_from(PLAIN_WISHES), st.sampled_from(NOISE), st.booleans())
def test_a_sentence_about_other_matters_changes_nothing(hint: str, noise: str, first: bool) -> None:
    hint = hint.rstrip(".! ")
    assert read(f"{noise} {hint}." if first else f"{hint}. {noise}") == read(hint)


@settings(max_examples=300)
@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    assert_sound(text, parse(text, VOCABULARY))
    assert_sound(text, parse(text, NOTHING_KNOWN))


@settings(max_examples=200)
@given(st.lists(st.sampled_from(sorted({word for hint in WISHES for word in hint.split()})), max_size=40))
def test_words_of_hints_in_any_order_are_read(words: list[str]) -> None:
    text = " ".join(words)
    assert_sound(text, parse(text, VOCABULARY))


def assert_sound(text: str, found: Understood) -> None:
    for preference in found.preferences:
        assert preference.text
        assert text[preference.start : preference.start + len(preference.text)] == preference.text
    assert all(stretch in text for stretch in found.unparsed)


@pytest.mark.parametrize("odd", ["\ud800", "\0near redis\0", "\u202enear redis", "near\u200bredis", "\ufeffnear redis"])
def test_odd_characters_do_no_harm(odd: str) -> None:
    assert_sound(odd, parse(odd, VOCABULARY))


def test_the_same_text_is_read_the_same_way() -> None:
    once = [parse(hint, VOCABULARY) for hint in WISHES]
    again = [parse(hint, VOCABULARY) for hint in reversed(WISHES)]
    assert once == again[::-1]


def test_what_is_past_the_cap_is_not_read_and_reported() -> None:
    found = parse("spread over zones. " + "x" * 1_000_000 + " near redis", VOCABULARY)
    assert [p.intent for p in found.preferences] == [Intent.SPREAD_ZONES]
    (warning,) = [w for w in found.warnings if w.code == Code.TOO_LONG]
    assert str(MAX_HINT) in warning.message


def test_names_of_a_large_cluster_are_found_as_those_of_a_small_one() -> None:
    large = Vocabulary(nodes=tuple(f"pool-{n // 100}-node-{n:04d}" for n in range(5_000)), deployments=("redis",))
    (wish,) = parse("pin to pool-42-node-4217", large).preferences
    assert wish == Preference(Intent.PREFER_NODES, ("pool-42-node-4217",), text="pin to pool-42-node-4217")
