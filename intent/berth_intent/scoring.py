"""The one scoring function: how far nodes satisfy a pod's wishes, given who stands where. In [0, 1], 1 the best.

    places = Places.of(facts)
    score(understood.effective, places, Present(own=counts), rows)      # float64 [rows]
    judge(understood.effective, places, present, row, among)            # wish by wish, for people

Each wish gives a share in [0, 1] (`node_wishes`, `placement_wishes`). Strengths are tiers: the mean of the strong ones counts
first, only where it is equal the plain ones, then the weak ones. A last tier keeps siblings off one node where they are spread
over zones, racks or regions, or near or away from other workloads without asking for devices. A tier has LEVELS steps, so that
the four fold into one whole number, the *key*, that keeps their order exactly; the score is that number over the largest. A
tier without wishes is full.

Nodes of equal key are equal to the wishes: packing decides between them. Names never do.

Cost: 3 wishes at 5,000 nodes 0.2 ms; benchmarks/hint_scoring.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from berth_intent.intents import OF_WORKLOADS, PLAIN, SPREAD, STRENGTHS, STRONG, WEAK, Intent, Level
from berth_intent.node_wishes import ABOUT_NODES, of_node
from berth_intent.placement_wishes import of_placement
from berth_intent.places import Places, Rows, Shares
from berth_intent.present import Present
from berth_intent.reasons import reason
from berth_intent.understood import Preference

Keys = npt.NDArray[np.int64]

LEVELS = 240
"""Steps of a tier. Divisible by all numbers of wishes up to 6, and 8, 10, 12, 15, 16: each of them counts alike."""
TIERS = len(STRENGTHS) + 1
"""The last one keeps siblings off each other's nodes."""
MAX_KEY = (LEVELS + 1) ** TIERS - 1

_SPREAD_BEYOND_NODES = frozenset(SPREAD[level] for level in (Level.REGION, Level.ZONE, Level.RACK))


class Judgement(msgspec.Struct, frozen=True):
    """What one wish says of one node."""

    preference: Preference
    satisfaction: float
    """0 to 1."""
    best: float
    """That of the node which satisfies it most, of all that the pod could have."""
    reason: str
    """One short sentence."""


def satisfaction(
    preference: Preference, places: Places, present: Present, rows: Rows, among: Rows | None = None
) -> Shares:
    """float64 [rows], 0 to 1: one wish. among: rows of the nodes that the pod could have; None: these rows."""
    if preference.intent in ABOUT_NODES:
        return of_node(preference, places, present.model)[rows]
    return of_placement(preference, places, present, rows, rows if among is None else among)


def keys(
    preferences: Sequence[Preference],
    places: Places,
    present: Present,
    rows: Rows,
    among: Rows | None = None,
    plain: Sequence[Shares] = (),
) -> Keys:
    """int64 [rows], 0 to MAX_KEY, higher is better; equal where the wishes find no difference.

    plain: shares [rows] of wishes from elsewhere that count as plain ones, such as native node affinity. A row without a node
    has 0.
    """
    known = places.known(rows)
    whole = bool(known.all())
    if among is None:
        among = rows if whole else rows[known]
    tiers: dict[float, list[Shares]] = {strength: [] for strength in STRENGTHS}
    tiers[PLAIN].extend(plain)
    for preference in preferences:
        tiers[_tier(preference.strength)].append(satisfaction(preference, places, present, rows, among))
    folded = np.zeros(len(rows), np.int64)
    for strength in STRENGTHS:
        folded = folded * (LEVELS + 1) + _steps(tiers[strength], len(rows))
    aside: list[Shares] = []
    if keeps_siblings_apart(preferences, devices=present.devices):
        aside.append(np.reciprocal(1.0 + present.own.around(Level.NODE, rows)))
    folded = folded * (LEVELS + 1) + _steps(aside, len(rows))
    return folded if whole else np.where(known, folded, 0)


def score(
    preferences: Sequence[Preference],
    places: Places,
    present: Present,
    rows: Rows,
    among: Rows | None = None,
    plain: Sequence[Shares] = (),
) -> Shares:
    """float64 [rows], 0 to 1: `keys` over the largest of them."""
    shares: Shares = keys(preferences, places, present, rows, among, plain) / MAX_KEY
    return shares


def judge(
    preferences: Sequence[Preference], places: Places, present: Present, row: int, among: Rows
) -> tuple[Judgement, ...]:
    """What each wish says of the node of a row, in the order of the wishes. among: nodes that the pod could have."""
    judgements = []
    for preference in preferences:
        own = float(satisfaction(preference, places, present, np.array([row]), among)[0])
        best = satisfaction(preference, places, present, among, among).max() if len(among) else own
        judgements.append(
            Judgement(preference, own, max(own, float(best)), reason(preference, places, present, row, among))
        )
    return tuple(judgements)


def keeps_siblings_apart(preferences: Sequence[Preference], *, devices: bool) -> bool:
    """In the last tier: what is spread over larger places, and what is near or away from other workloads without asking for
    devices, as kube-scheduler's own scores do beside native pod affinity. devices: the pod asks for GPUs or the like."""
    intents = {preference.intent for preference in preferences}
    if intents & _SPREAD_BEYOND_NODES:
        return True
    return not devices and bool(intents & OF_WORKLOADS)


def depends_on_placement(preferences: Sequence[Preference]) -> bool:
    """Whether scores change with where other pods stand."""
    return any(preference.intent not in ABOUT_NODES for preference in preferences)


def unsatisfiable(preferences: Sequence[Preference], places: Places, model: str = "") -> tuple[Preference, ...]:
    """Those about the node alone that no node of the cluster satisfies fully."""
    about = [
        p
        for p in preferences
        if p.intent in ABOUT_NODES and p.rank is None and p.intent is not Intent.PREFER_CACHED_MODEL
    ]
    return tuple(p for p in about if not (of_node(p, places, model) >= 1.0).any())


def _tier(strength: float) -> float:
    return STRONG if strength >= STRONG else PLAIN if strength >= PLAIN else WEAK


def _steps(shares: Sequence[Shares], rows: int) -> Keys:
    if not shares:
        return np.full(rows, LEVELS, np.int64)
    mean = shares[0] if len(shares) == 1 else np.sum(shares, axis=0) / len(shares)
    steps: Keys = np.rint(mean * LEVELS).astype(np.int64)
    return steps
