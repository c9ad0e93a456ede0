"""Clusters of a few nodes and wishes, a line each.

there = Cluster(of("n1", zone="a"), of("n2", zone="b"))
there.runs("web", "n1", 3)
there.scores(wish(Intent.SPREAD_ZONES))      # {"n1": 0.98, "n2": 1.0}
"""

from __future__ import annotations

from typing import Any

import numpy as np

from berth_intent.counts import Counts
from berth_intent.facts import NodeFacts
from berth_intent.intents import PLAIN, Intent
from berth_intent.places import Places, Rows, Shares
from berth_intent.present import Present
from berth_intent.scoring import Judgement, judge, keys, satisfaction, score
from berth_intent.understood import Preference


def of(name: str, **facts: Any) -> NodeFacts:
    return NodeFacts(name, **facts)


def wish(intent: Intent, *values: str, strength: float = PLAIN, **fields: Any) -> Preference:
    return Preference(intent, values, strength=strength, **fields)


class Cluster:
    """The pod that is judged belongs to the workload `web`."""

    def __init__(self, *nodes: NodeFacts) -> None:
        self.names = [node.name for node in nodes]
        self.places = Places.of(nodes)
        self.rows: Rows = np.arange(len(nodes))
        self.counts: dict[str, Counts] = {"web": Counts(self.places)}
        self.load: dict[str, float] | None = None
        self.fits: dict[str, int] | None = None
        self.missing = 1
        self.model = ""

    def runs(self, workload: str, on: str, count: int = 1) -> None:
        self.counts.setdefault(workload, Counts(self.places)).add(self.names.index(on), count)

    def present(self) -> Present:
        def others(name: str) -> tuple[Counts, ...]:
            return (self.counts[name],) if name in self.counts else ()

        def looked_up(table: dict[str, Any]) -> Any:
            values = np.array([table.get(name, 0) for name in self.names], np.float64)
            return lambda rows: values[rows]

        return Present(
            self.counts["web"],
            others,
            None if self.load is None else looked_up(self.load),
            None if self.fits is None else looked_up(self.fits),
            self.missing,
            self.model,
        )

    def satisfies(self, preference: Preference) -> dict[str, float]:
        return self._by_name(satisfaction(preference, self.places, self.present(), self.rows))

    def scores(self, *preferences: Preference) -> dict[str, float]:
        return self._by_name(score(preferences, self.places, self.present(), self.rows))

    def best(self, *preferences: Preference) -> set[str]:
        found = keys(preferences, self.places, self.present(), self.rows)
        return {name for name, key in zip(self.names, found, strict=True) if key == found.max()}

    def judged(self, node: str, *preferences: Preference) -> tuple[Judgement, ...]:
        return judge(preferences, self.places, self.present(), self.names.index(node), self.rows)

    def place(self, *preferences: Preference, pods: int) -> list[str]:
        """So many pods of `web`, each on a best node, ties to the first."""
        chosen = []
        for _ in range(pods):
            found = keys(preferences, self.places, self.present(), self.rows)
            chosen.append(self.names[int(np.argmax(found))])
            self.runs("web", chosen[-1])
        return chosen

    def _by_name(self, shares: Shares) -> dict[str, float]:
        return dict(zip(self.names, shares.tolist(), strict=True))
