"""Allocation hints of a cluster's pods, read once a text: what was understood, which wishes count, which are enforced.

The vocabulary is the snapshot's: its nodes' labels and its workloads' names. What a namespace may wish, and whether its strong
wishes are enforced, policies say; without any, everything is allowed and nothing enforced. Cost: facts 15 us a node, parsing
well under a millisecond a text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Node, Pod, Snapshot
from berth_intent.facts import NO_OVERRIDES, NodeFacts
from berth_intent.parser import parse
from berth_intent.places import Places
from berth_intent.terms import ANYTHING, HintTerms, Reading, reading_of
from berth_intent.understood import Understood
from berth_intent.vocabulary_of import vocabulary_of
from berth_scheduling.company import BARE
from berth_scheduling.hints import facts_of as facts_of_node
from berth_scheduling.policies import Policies
from berth_scheduling.understanding import Improved, Parse, no_better

QUOTED = 60
"""Characters of a text that could not be read."""

_LOG = logging.getLogger(__name__)

__all__ = ["HintReading", "HintTerms", "Reading", "TermsOf", "anything"]

TermsOf = Callable[[Pod], HintTerms]


def anything(pod: Pod) -> HintTerms:
    """No policy says anything about hints."""
    return ANYTHING


class HintReading:
    """Reads hints against one cluster. Holds only caches."""

    def __init__(
        self, facts: Sequence[NodeFacts], workloads: Collection[str], terms: TermsOf = anything, read: Parse = parse
    ) -> None:
        self.facts = facts
        self.label_keys: Mapping[str, tuple[str, ...]] = NO_OVERRIDES
        """By which facts were read, where they are not the usual ones."""
        self.places = Places.of(facts)
        """Rows in the order of the nodes."""
        self.vocabulary = vocabulary_of(facts, workloads)
        self._terms = terms
        self._read = read
        self.improved: Improved = no_better
        """A language model's reading, where it has one and terms let it count."""
        self._understood: dict[tuple[str, bool], Understood] = {}
        self._readings: dict[tuple[str, HintTerms], Reading] = {}

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, terms: TermsOf = anything, read: Parse = parse) -> HintReading:
        return cls(facts_of(snapshot.nodes), workloads_of(snapshot), terms, read)

    @classmethod
    def under(
        cls,
        policies: Iterable[PackingPolicy],
        snapshot: Snapshot,
        read: Parse = parse,
        before: HintReading | None = None,
    ) -> HintReading:
        """As these policies have it, the label keys that they name included. before: another one of the same nodes."""
        said = Policies(0.0)
        for policy in policies:
            said.policy_changed(None, policy)
        keys = said.hint_labels()
        facts = facts_of(snapshot.nodes, keys) if before is None or before.label_keys != keys else before.facts
        made = cls(facts, workloads_of(snapshot), said.hint_terms, read)
        made.label_keys = keys
        return made

    def of(self, pod: Pod) -> Reading | None:
        """None: it has no hint, or hints do not count for it."""
        if not pod.hint:
            return None
        terms = self._terms(pod)
        if not terms.enabled:
            return None
        found = self._readings.get((pod.hint, terms))
        if found is None:
            understood = self.understood(pod.hint, terms.language_model)
            found = self._readings[pod.hint, terms] = reading_of(understood, terms)
        return found

    def understood(self, text: str, language_model: bool = False) -> Understood:
        """language_model: with what one may have read besides."""
        found = self._understood.get((text, language_model))
        if found is None:
            found = self._understood[text, language_model] = self._parsed(text, language_model)
        return found

    def _parsed(self, text: str, language_model: bool) -> Understood:
        """A text that breaks its reader breaks nothing else: plans and Events are for everybody."""
        try:
            better = self.improved(text, self.vocabulary) if language_model else None
            return better or self._read(text, self.vocabulary)
        except Exception:
            _LOG.exception("a hint of %d characters could not be read and does not count; please report", len(text))
            return Understood(unparsed=(text[:QUOTED],))


def facts_of(nodes: Sequence[Node], label_keys: Mapping[str, tuple[str, ...]] = NO_OVERRIDES) -> tuple[NodeFacts, ...]:
    return tuple(facts_of_node(node, label_keys) for node in nodes)


def workloads_of(snapshot: Snapshot) -> set[str]:
    """Names that a hint may speak of; bare pods are none."""
    return {pod.workload.name for pod in snapshot.pods if pod.workload.kind != BARE}
