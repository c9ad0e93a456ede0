"""How well hints are understood, by the measures of the paper (Sliwko, Mizeria-Pietraszko, IEEE Access 14, 2026).

subset      the set of intents of a hint is exactly the expected one (its Subset Accuracy)
values      of intents that were rightly found: values, amount, rank and scope are as expected (its Metadata Value Accuracy)
strength    of intents that were rightly found: the strength is (its Strength Accuracy)
order       of hints whose set is right: the intents stand in the order of the text
macro F1    mean over intents of the harmonic mean of precision and recall
exact       everything about a hint is right: stricter than anything the paper reports
noise       of hints that wish nothing: how many yield something all the same

Shares come with their 95 % interval by Wilson.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from berth_intent.understood import Preference


class Expected(msgspec.Struct, frozen=True):
    """One preference as labelled."""

    intent: str
    values: tuple[str, ...] = ()
    amount: float | None = None
    rank: str | None = None
    scope: str | None = None
    strength: float | None = 1.0
    """None: not labelled."""


class Labelled(msgspec.Struct, frozen=True):
    """One line of a corpus."""

    id: str
    hint: str
    expected: tuple[Expected, ...]
    lang: str = "en"
    category: str = ""


class Share(msgspec.Struct, frozen=True):
    right: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.right / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Percent, 95 %."""
        if not self.of:
            return math.nan, math.nan
        z, n, p = 1.959964, self.of, self.right / self.of
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return 100 * (middle - spread) / (1 + z * z / n), 100 * (middle + spread) / (1 + z * z / n)


class Scores(msgspec.Struct, frozen=True):
    hints: int
    subset: Share
    values: Share
    strength: Share
    order: Share
    exact: Share
    macro_f1: float
    false_positives: int
    false_negatives: int


class Missed(msgspec.Struct, frozen=True):
    """A hint of which something is not as expected."""

    labelled: Labelled
    found: tuple[Preference, ...]
    wrong: tuple[str, ...]


def pairs(labelled: Labelled, found: Sequence[Preference]) -> list[tuple[Expected, Preference]]:
    """Expected and found preferences of one intent, those that agree most first."""
    left = list(found)
    matched: list[tuple[Expected, Preference]] = []
    wanted = sorted(labelled.expected, key=lambda e: -max((_likeness(e, p) for p in found), default=-1))
    for expected in wanted:
        same = [p for p in left if p.intent.value == expected.intent]
        if same:
            best = max(same, key=lambda p: _likeness(expected, p))
            left.remove(best)
            matched.append((expected, best))
    return matched


def _likeness(expected: Expected, found: Preference) -> int:
    if found.intent.value != expected.intent:
        return -1
    return 2 * has_values(expected, found) + (found.strength == expected.strength)


def has_values(expected: Expected, found: Preference) -> bool:
    """Values in any order; amounts to a thousandth."""
    same_amount = (found.amount is None) == (expected.amount is None) and (
        found.amount is None or expected.amount is None or math.isclose(found.amount, expected.amount, rel_tol=1e-3)
    )
    scope = found.scope.value if found.scope else None
    return (
        set(found.values) == set(expected.values)
        and same_amount
        and found.rank == expected.rank
        and scope == expected.scope
    )


def missed(labelled: Labelled, found: Sequence[Preference]) -> Missed | None:
    wrong = []
    if _names(labelled) != Counter(p.intent.value for p in found):
        wrong.append("subset")
    elif not _in_order(labelled, found):
        wrong.append("order")
    matched = pairs(labelled, found)
    if not all(has_values(e, p) for e, p in matched):
        wrong.append("values")
    if not all(e.strength in (None, p.strength) for e, p in matched):
        wrong.append("strength")
    return Missed(labelled, tuple(found), tuple(wrong)) if wrong else None


def scores(results: Iterable[tuple[Labelled, Sequence[Preference]]]) -> Scores:
    hints = subset = order = exact = 0
    values = strength = matched_pairs = labelled_strengths = 0
    hits: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    absent: Counter[str] = Counter()
    for labelled, found in results:
        hints += 1
        wanted, got = _names(labelled), Counter(p.intent.value for p in found)
        subset += wanted == got
        order += wanted == got and _in_order(labelled, found)
        exact += missed(labelled, found) is None
        hits.update(wanted & got)
        extra.update(got - wanted)
        absent.update(wanted - got)
        for expected, preference in pairs(labelled, found):
            matched_pairs += 1
            values += has_values(expected, preference)
            if expected.strength is not None:
                labelled_strengths += 1
                strength += preference.strength == expected.strength
    known = {name for name in hits | extra | absent if hits[name] + absent[name]}
    f1 = [2 * hits[n] / (2 * hits[n] + extra[n] + absent[n]) for n in known]
    return Scores(
        hints,
        Share(subset, hints),
        Share(values, matched_pairs),
        Share(strength, labelled_strengths),
        Share(order, subset),
        Share(exact, hints),
        sum(f1) / len(f1) if f1 else math.nan,
        extra.total(),
        absent.total(),
    )


def by_group(
    results: Sequence[tuple[Labelled, Sequence[Preference]]],
) -> dict[str, list[tuple[Labelled, Sequence[Preference]]]]:
    """By what the targets speak of."""
    groups: dict[str, list[tuple[Labelled, Sequence[Preference]]]] = defaultdict(list)
    for labelled, found in results:
        groups["all"].append((labelled, found))
        groups[labelled.category or "unlabelled"].append((labelled, found))
        groups[labelled.lang].append((labelled, found))
        if labelled.category in ("single", "double"):
            groups["single and double"].append((labelled, found))
        if labelled.category in ("compound", "contradictory"):
            groups["compound and contradictory"].append((labelled, found))
    return groups


def _in_order(labelled: Labelled, found: Sequence[Preference]) -> bool:
    return [e.intent for e in labelled.expected] == [p.intent.value for p in found]


def _names(labelled: Labelled) -> Counter[str]:
    return Counter(e.intent for e in labelled.expected)
