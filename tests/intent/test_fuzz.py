"""Whatever is written into the annotation: an answer within the contract, work that grows with the text, memory that does not."""

from __future__ import annotations

import gc
import json
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import msgspec
import pytest

from berth_intent.intents import SCOPES, STRENGTHS, WITH_AMOUNT, WITH_VALUES, Intent
from berth_intent.parser import parse
from berth_intent.understood import MAX_HINT, Understood, as_json
from berth_intent.vocabulary import Vocabulary

CORPUS = Path(__file__).parent / "corpus"
VOCABULARY = msgspec.json.decode((CORPUS / "vocabulary.json").read_bytes(), type=Vocabulary)
WRITTEN = [json.loads(line)["hint"] for line in (CORPUS / "dev.jsonl").read_text().splitlines()]
WORDS = sorted({word for hint in WRITTEN for word in hint.split()})
SIGNS = ".,;:!?()[]{}\"'`-\u2013\u2014/\\|&%$#@~<>=+*^_ \t\n\r\0\u200b\u202e\ufeff\u0301\ud800ßäñ¿¡日本ﬁ½²"
QUICK, THOROUGH = 4_000, 1_000_000


def hints(seed: int, count: int) -> Iterator[str]:
    """Written ones with pieces cut out, doubled, swapped and misspelt; heaps of words; heaps of signs."""
    chance = random.Random(seed)

    def misspelt(text: str) -> str:
        letters = list(text)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(letters) + 1)
            letters[at : at + chance.randint(0, 2)] = chance.choice(SIGNS + "abcdefghijklmnopqrstuvwxyz0123456789")
        return "".join(letters)

    def spliced(_: str) -> str:
        a, b = chance.choice(WRITTEN), chance.choice(WRITTEN)
        return a[: chance.randrange(len(a) + 1)] + b[chance.randrange(len(b) + 1) :]

    def heap(_: str) -> str:
        return " ".join(chance.choices(WORDS, k=chance.randint(1, 60)))

    def noise(_: str) -> str:
        return "".join(chance.choices(SIGNS + "abc 123", k=chance.randint(0, 80)))

    ways: list[Callable[[str], str]] = [
        misspelt,
        spliced,
        heap,
        noise,
        str.upper,
        lambda t: f"{t} {t}",
        lambda t: t[::-1],
    ]
    for _ in range(count):
        yield chance.choice(ways)(chance.choice(WRITTEN))


def assert_in_contract(text: str, found: Understood) -> None:
    for p in found.preferences:
        assert p.intent in list(Intent)
        assert bool(p.values) == (p.intent in WITH_VALUES), (text, p)
        assert len(set(p.values)) == len(p.values), (text, p)
        assert all(p.values), (text, p)
        assert p.intent in WITH_AMOUNT or (p.amount is None and p.rank is None), (text, p)
        assert p.amount is None or (p.rank is None and 0 <= p.amount < 1e12), (text, p)
        assert p.scope in SCOPES.get(p.intent, (None,)), (text, p)
        assert p.strength in STRENGTHS
        assert p.text, (text, p)
        assert text[p.start : p.start + len(p.text)] == p.text, (text, p)
    assert all(u in text for u in found.unparsed), text
    assert found.overruled <= frozenset(range(len(found.preferences)))
    json.dumps(as_json(found))


def fuzz(seed: int, count: int) -> None:
    for text in hints(seed, count):
        assert_in_contract(text, parse(text, VOCABULARY))


def test_a_short_run_of_mutated_hints() -> None:
    fuzz(1, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_million_mutated_hints() -> None:
    fuzz(2, THOROUGH)


HOSTILE = {
    "one letter": "a",
    "one word": "must ",
    "negations": "not ",
    "commas": ", ",
    "brackets": "(",
    "quotes": '"',
    "digits": "9",
    "numbers": "1 2 ",
    "names": "us-east-1a and ",
    "almost names": "us-eastt-1a ",
    "misspelt": "avaliabilty ",
    "dashes": "a-",
    "spaces": " ",
    "ranges": "racks 1 to ",
    "exceptions": "anywhere but ",
    "levels": "zone ",
    "workloads": "near redis ",
    "amounts": "64 GB ",
    "sentences": "spread over zones. ",
}


def work(text: str) -> int:
    """Python calls that parsing takes; the same each time, unlike seconds."""
    calls = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    parse(text, VOCABULARY)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse(text + " ", VOCABULARY)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_work_grows_no_faster_than_the_text(piece: str) -> None:
    quarter, whole = (work((piece * MAX_HINT)[: MAX_HINT // n - 1]) for n in (4, 1))
    assert whole <= 5 * quarter + 200


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_beyond_the_cap_nothing_is_read(piece: str) -> None:
    text = piece * 20_000
    found = parse(text, VOCABULARY)
    assert_in_contract(text, found)
    assert [w.code.value for w in found.warnings].count("TooLong") == 1
    assert work(text) <= 2 * work(text[:MAX_HINT]) + 500


def test_memory_stays_flat() -> None:
    fuzz(3, 1_000)
    gc.collect()
    tracemalloc.start()
    try:
        fuzz(4, 500)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        fuzz(5, 3_000)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 300_000
