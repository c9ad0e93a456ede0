"""Preferences as native Kubernetes fields, as far as a pod's spec can say them: for clusters, and readers, without Berth.

Each preference becomes terms of nodeAffinity, podAffinity, podAntiAffinity or topologySpreadConstraints; what has no native
spelling is told with the reason. All are wishes, as hints are: preferred terms, ScheduleAnyway. `enforced` makes those that
were said strongly required. Weights keep the order of strengths (ten plain wishes weigh as much as one strong, the API's range
of 1 to 100 gives no more). Pure; microseconds.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec

from berth_intent.intents import SPREAD, STRONG, WEAK, Intent, Level
from berth_intent.kubernetes_shapes import (
    LabelSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    PodAffinityTerm,
    PreferredSchedulingTerm,
    Shape,
    TopologySpreadConstraint,
    WeightedPodAffinityTerm,
)
from berth_intent.native_labels import TOPOLOGY, SeenNode, UnsayableError, node_terms
from berth_intent.understood import Preference

STRONG_WEIGHT, PLAIN_WEIGHT, WEAK_WEIGHT = 100, 10, 1
MAX_REQUIRED_TERMS = 64
"""Alternatives multiply when several wishes are required together."""
OWN_PLACEHOLDER = "your-app"
ASSUMED_LABEL = "app"

_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_LABEL_PREFIX = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")

_SPREAD = {intent: level for level, intent in SPREAD.items()}


class Section(StrEnum):
    """Where in a pod's spec, in the order in which it is written; dots part the levels."""

    NODE_REQUIRED = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
    NODE_PREFERRED = "affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    NEAR_REQUIRED = "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    NEAR_PREFERRED = "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    AWAY_REQUIRED = "affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    AWAY_PREFERRED = "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution"
    SPREAD = "topologySpreadConstraints"


class PodsOf(msgspec.Struct, frozen=True):
    """How to select a workload's pods."""

    labels: dict[str, str]
    namespaces: tuple[str, ...] = ()
    """Empty: that of the pod with the wish."""


class Said(msgspec.Struct, frozen=True):
    """One element of a list in the spec, and the wishes that it comes from."""

    section: Section
    body: Shape
    wishes: tuple[Preference, ...]
    notes: tuple[str, ...] = ()
    """What to check or change, one sentence each."""


class Unsaid(msgspec.Struct, frozen=True):
    wish: Preference
    why: str


class Native(msgspec.Struct, frozen=True):
    said: tuple[Said, ...] = ()
    unsaid: tuple[Unsaid, ...] = ()


def to_native(
    preferences: Sequence[Preference],
    *,
    own: PodsOf | None = None,
    others: Mapping[str, PodsOf] | None = None,
    seen: Sequence[SeenNode] = (),
    enforced: bool = False,
) -> Native:
    """`own` selects the pods that the spec is for, `others` those of workloads by name; both are assumed, with a note, when
    they are not given. `seen`: the cluster's nodes, where they are known."""
    writer = _Writer(own, others or {}, seen, enforced)
    for preference in preferences:
        try:
            writer.write(preference)
        except UnsayableError as reason:
            writer.unsaid.append(Unsaid(preference, str(reason)))
    return Native((*writer.required_nodes(), *writer.said), tuple(writer.unsaid))


class _Writer:
    """Collects; required node terms are put together at the end, for the API takes one list of alternatives for all."""

    def __init__(
        self, own: PodsOf | None, others: Mapping[str, PodsOf], seen: Sequence[SeenNode], enforced: bool
    ) -> None:
        self.own = own
        self.others = others
        self.seen = seen
        self.enforced = enforced
        self.said: list[Said] = []
        self.unsaid: list[Unsaid] = []
        self.required: list[tuple[Preference, tuple[tuple[NodeSelectorRequirement, ...], ...], tuple[str, ...]]] = []

    def write(self, wish: Preference) -> None:
        _check_values(wish)
        if wish.intent in _SPREAD:
            self._spread(wish, _SPREAD[wish.intent])
        elif (of_pods := _OF_PODS.get(wish.intent)) is not None:
            of_pods(self, wish)
        else:
            self._of_nodes(wish)

    def required_nodes(self) -> tuple[Said, ...]:
        """Every combination of one alternative of each wish."""
        if not self.required:
            return ()
        wishes = tuple(wish for wish, _, _ in self.required)
        notes = tuple(note for _, _, notes in self.required for note in notes)
        combined = itertools.product(*(alternatives for _, alternatives, _ in self.required))
        return tuple(
            Said(Section.NODE_REQUIRED, NodeSelectorTerm(tuple(itertools.chain(*chosen))), wishes, notes)
            for chosen in combined
        )

    def _must(self, wish: Preference) -> bool:
        return self.enforced and wish.strength >= STRONG

    def _of_nodes(self, wish: Preference) -> None:
        alternatives, notes = node_terms(wish, self.seen)
        if self._must(wish):
            terms = math.prod(len(a) for _, a, _ in self.required) * len(alternatives)
            if terms <= MAX_REQUIRED_TERMS:
                self.required.append((wish, alternatives, notes))
                return
            notes = (*notes, f"not required: together with the others it would take {terms} terms")
        for requirements in alternatives:
            body = PreferredSchedulingTerm(_weight(wish), NodeSelectorTerm(requirements))
            self.said.append(Said(Section.NODE_PREFERRED, body, (wish,), notes))

    def _spread(self, wish: Preference, level: Level) -> None:
        pods, notes = self._own()
        when = "DoNotSchedule" if self._must(wish) else "ScheduleAnyway"
        body = TopologySpreadConstraint(1, TOPOLOGY[level], when, LabelSelector(pods.labels))
        self.said.append(Said(Section.SPREAD, body, (wish,), notes))

    def together(self, wish: Preference) -> None:
        self._near(wish, *self._own(), (Level.NODE,))

    def close_together(self, wish: Preference) -> None:
        self._near(wish, *self._own(), (Level.RACK, Level.ZONE))

    def with_others(self, wish: Preference) -> None:
        for name in wish.values:
            self._near(wish, *self._other(name), (Level.NODE,))

    def close_to_others(self, wish: Preference) -> None:
        levels = (wish.scope,) if wish.scope else (Level.RACK, Level.ZONE)
        for name in wish.values:
            self._near(wish, *self._other(name), levels)

    def away_from_others(self, wish: Preference) -> None:
        for name in wish.values:
            pods, notes = self._other(name)
            term = _pod_term(pods, wish.scope or Level.NODE)
            self._add_pod_term(wish, term, notes, Section.AWAY_REQUIRED, Section.AWAY_PREFERRED)

    def _near(self, wish: Preference, pods: PodsOf, notes: tuple[str, ...], levels: tuple[Level, ...]) -> None:
        """Several levels: the nearer, the more of them count. Required is only the widest."""
        for level in levels[-1:] if self._must(wish) else levels:
            self._add_pod_term(wish, _pod_term(pods, level), notes, Section.NEAR_REQUIRED, Section.NEAR_PREFERRED)

    def _add_pod_term(
        self, wish: Preference, term: PodAffinityTerm, notes: tuple[str, ...], required: Section, preferred: Section
    ) -> None:
        if self._must(wish):
            self.said.append(Said(required, term, (wish,), notes))
        else:
            self.said.append(Said(preferred, WeightedPodAffinityTerm(_weight(wish), term), (wish,), notes))

    def _own(self) -> tuple[PodsOf, tuple[str, ...]]:
        if self.own is not None:
            return PodsOf(self.own.labels), ()
        placeholder = PodsOf({ASSUMED_LABEL: OWN_PLACEHOLDER})
        return placeholder, (f"put your own pods' labels for {ASSUMED_LABEL}: {OWN_PLACEHOLDER} (or --selector app=x)",)

    def _other(self, name: str) -> tuple[PodsOf, tuple[str, ...]]:
        if (known := self.others.get(name)) is not None:
            return known, ()
        return PodsOf({ASSUMED_LABEL: name}), (f"assumed: pods of {name} have the label {ASSUMED_LABEL}={name}",)


_OF_PODS: dict[Intent, Callable[[_Writer, Preference], None]] = {
    Intent.PREFER_COLOCATE_SAME_DEPLOYMENT: _Writer.together,
    Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT: _Writer.close_together,
    Intent.PREFER_COLOCATE_DEPLOYMENTS: _Writer.with_others,
    Intent.PREFER_NEARBY_DEPLOYMENTS: _Writer.close_to_others,
    Intent.AVOID_DEPLOYMENTS: _Writer.away_from_others,
}


def _pod_term(pods: PodsOf, level: Level) -> PodAffinityTerm:
    return PodAffinityTerm(TOPOLOGY[level], LabelSelector(pods.labels), pods.namespaces)


def _weight(wish: Preference) -> int:
    return STRONG_WEIGHT if wish.strength >= STRONG else WEAK_WEIGHT if wish.strength <= WEAK else PLAIN_WEIGHT


def _check_values(wish: Preference) -> None:
    """The API server refuses a whole object for one bad label value."""
    for value in wish.values:
        if not is_label_value(value):
            raise UnsayableError(f"{value[:80]!r} can be no label's value")


def is_label_value(text: str) -> bool:
    return _LABEL_VALUE.fullmatch(text) is not None


def is_label_key(text: str) -> bool:
    """A name as values are, maybe with a DNS name and a slash before it."""
    prefix, slash, name = text.rpartition("/")
    return is_label_value(name) and (not slash or _LABEL_PREFIX.fullmatch(prefix) is not None)
