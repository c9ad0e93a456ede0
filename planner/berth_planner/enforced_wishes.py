"""Strong wishes that a policy enforces, as rules of the problem: what the extender's filter will say to a new pod.

A wish about a node closes all nodes that do not meet it. So does one about other workloads or siblings, judged by where these
stand now: a plan does not move them for it. A spread becomes a spread constraint of skew 1 over the domains that the pod could
have, full ones included, so that several new pods of one workload are spread among themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.intents import SPREAD, Level
from berth_intent.parser import parse
from berth_intent.places import Rows
from berth_intent.sentences import phrase
from berth_planner.company import Company
from berth_planner.hint_reading import HintReading
from berth_planner.node_sets import Domains, NodeSets
from berth_planner.pod_rules import PodRules, SpreadRule
from berth_planner.shapes import Shape
from berth_planner.wishes import Wishes
from berth_scheduling.understanding import Parse
from berth_solver.problem import NO_DOMAIN

_LEVELS = {intent: level for level, intent in SPREAD.items()}


def enforce(snapshot: Snapshot, wishes: Wishes, shapes: Sequence[Shape], live: Iterable[int], rules: PodRules) -> None:
    """Adds to `rules` what enforced wishes of live shapes forbid."""
    company: Company | None = None
    for s in live:
        shape = shapes[s]
        reading = wishes.reading.of(shape.example) if shape.hint else None
        for preference in reading.enforced if reading is not None else ():
            company = company or Company(snapshot, wishes)
            level = _LEVELS.get(preference.intent)
            if level is None:
                rules.deny(s, Reason.HINT_ENFORCED, ~company.meeting(shape.example, preference))
                continue
            name = f"hint of {shape.example.workload}: {phrase(preference)}"
            domains = _domains(wishes, level, company.could(shape.example))
            rules.spreads.append(
                SpreadRule(frozenset([s]), _siblings(shapes, shape), domains, 1, 1, name, Reason.HINT_ENFORCED)
            )


def closed_nodes(
    snapshot: Snapshot, pod: Pod, policies: Iterable[PackingPolicy], read: Parse = parse
) -> frozenset[str]:
    """Names of the nodes that enforced wishes of one waiting pod rule out as things stand."""
    reading = HintReading.under(policies, snapshot, read) if pod.hint else None
    found = reading.of(pod) if reading is not None else None
    if reading is None or found is None or not found.enforced:
        return frozenset()
    company = Company(snapshot, Wishes(snapshot, reading, NodeSets(snapshot.nodes)))
    met = np.logical_and.reduce([company.meeting(pod, preference) for preference in found.enforced])
    return frozenset(node.name for node, is_met in zip(snapshot.nodes, met.tolist(), strict=True) if not is_met)


def _siblings(shapes: Sequence[Shape], one: Shape) -> frozenset[int]:
    """Pods of one workload and revision carry the same labels."""
    return frozenset(
        s
        for s, shape in enumerate(shapes)
        if shape.namespace == one.namespace and shape.spec.labels == one.spec.labels and (shape.is_live or shape.fixed)
    )


def _domains(wishes: Wishes, level: Level, could: Rows) -> Domains:
    """By the facts that hints are judged by, which labels of one's own may tell."""
    codes = wishes.places.domains(level)
    of = np.arange(len(wishes.rows)) if codes is None else codes[: len(wishes.rows)].astype(np.int64)
    domains = np.full(len(wishes.rows), NO_DOMAIN, np.int64)
    domains[could] = of[could]
    return domains
