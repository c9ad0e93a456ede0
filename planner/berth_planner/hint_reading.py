"""Allocation hints of a cluster's pods, read once a text: what was understood, which wishes count, which are enforced.

The vocabulary is the snapshot's: its nodes' labels and its workloads' names. What a namespace may wish, and whether its strong
wishes are enforced, policies say; without any, everything is allowed and nothing enforced. Cost: facts 15 us a node, parsing
well under a millisecond a text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from berth_api.hint_policy import DEFAULT_PREFERENCES, Hints
from berth_api.packing_policy import PackingPolicy, oldest_first
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.facts import NO_OVERRIDES, NodeFacts, node_facts
from berth_intent.intents import STRONG, Intent
from berth_intent.parser import parse
from berth_intent.places import Places
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary
from berth_intent.vocabulary_of import vocabulary_of

MODEL_LABEL = "berth.dev/model"
"""On a pod: which model it serves."""

Parse = Callable[[str, Vocabulary], Understood]


class HintTerms(msgspec.Struct, frozen=True):
    """What holds for the hints of one pod."""

    enabled: bool = True
    allowed: frozenset[Intent] | None = None
    """None: all."""
    enforces_strong: bool = False
    max_preferences: int = DEFAULT_PREFERENCES


TermsOf = Callable[[Pod], HintTerms]


def anything(pod: Pod) -> HintTerms:
    """No policy says anything about hints."""
    return HintTerms()


class HintPolicies:
    """What policies say of hints: for each pod the oldest one that covers it, for labels the oldest one that names any."""

    def __init__(self, policies: Iterable[PackingPolicy] = ()) -> None:
        self._ordered = oldest_first(policies)
        self._known: dict[tuple[int, str], HintTerms] = {}

    @property
    def label_keys(self) -> Mapping[str, tuple[str, ...]]:
        """By fact, instead of the usual ones."""
        return next((keys for policy in self._ordered if (keys := policy.spec.hints.labels.keys())), {})

    def of(self, pod: Pod) -> HintTerms:
        number = next((i for i, p in enumerate(self._ordered) if p.spec.scope.covers(pod.namespace, pod.priority)), -1)
        known = self._known.get((number, pod.namespace))
        if known is None:
            hints = self._ordered[number].spec.hints if number >= 0 else Hints()
            known = self._known[number, pod.namespace] = _terms(hints, pod.namespace)
        return known


class Reading(msgspec.Struct, frozen=True):
    understood: Understood
    counting: tuple[Preference, ...]
    """Wishes that are scored: not overruled, allowed, and few enough."""
    refused: tuple[Preference, ...] = ()
    """Those that the namespace may not make, and those beyond what is allowed."""
    enforced: tuple[Preference, ...] = ()
    """Strong ones of `counting`, where they are enforced."""


class HintReading:
    """Reads hints against one cluster. Holds only caches."""

    def __init__(
        self,
        facts: Sequence[NodeFacts],
        workloads: Collection[str],
        terms: TermsOf = anything,
        read: Parse = parse,
    ) -> None:
        self.facts = facts
        self.places = Places.of(facts)
        """Rows in the order of the nodes."""
        self.vocabulary = vocabulary_of(facts, workloads)
        self._terms = terms
        self._read = read
        self._understood: dict[str, Understood] = {}
        self._readings: dict[tuple[str, HintTerms], Reading] = {}

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, terms: TermsOf = anything, read: Parse = parse) -> HintReading:
        return cls(facts_of(snapshot.nodes), _workloads(snapshot), terms, read)

    @classmethod
    def under(cls, policies: Iterable[PackingPolicy], snapshot: Snapshot, read: Parse = parse) -> HintReading:
        """As these policies have it, the label keys that they name included."""
        said = HintPolicies(policies)
        return cls(facts_of(snapshot.nodes, said.label_keys), _workloads(snapshot), said.of, read)

    def of(self, pod: Pod) -> Reading | None:
        """None: it has no hint, or hints do not count for it."""
        if not pod.hint:
            return None
        terms = self._terms(pod)
        if not terms.enabled:
            return None
        found = self._readings.get((pod.hint, terms))
        if found is None:
            found = self._readings[pod.hint, terms] = _reading(self.understood(pod.hint), terms)
        return found

    def understood(self, text: str) -> Understood:
        found = self._understood.get(text)
        if found is None:
            found = self._understood[text] = self._read(text, self.vocabulary)
        return found


def _workloads(snapshot: Snapshot) -> set[str]:
    return {pod.workload.name for pod in snapshot.pods}


def facts_of(nodes: Sequence[Node], label_keys: Mapping[str, tuple[str, ...]] = NO_OVERRIDES) -> tuple[NodeFacts, ...]:
    return tuple(node_facts(node.name, node.labels, node.amounts, label_keys) for node in nodes)


def model_of(pod: Pod) -> str:
    return next((value for key, value in pod.spec.labels if key == MODEL_LABEL), "")


def _terms(hints: Hints, namespace: str) -> HintTerms:
    allowed = hints.allowed(namespace)
    return HintTerms(
        enabled=hints.enabled,
        allowed=None if allowed is None else frozenset(map(Intent, allowed)),
        enforces_strong=hints.enforces(namespace),
        max_preferences=hints.max_preferences,
    )


def _reading(understood: Understood, terms: HintTerms) -> Reading:
    allowed = [p for p in understood.effective if terms.allowed is None or p.intent in terms.allowed]
    counting = tuple(allowed[: terms.max_preferences])
    refused = tuple(p for p in understood.effective if p not in counting)
    enforced = tuple(p for p in counting if p.strength >= STRONG) if terms.enforces_strong else ()
    return Reading(understood, counting, refused, enforced)
