"""Finds the shapes that a label selector selects without trying every one.

An inverted index from (key, value) and key to shapes narrows each selector to its most selective requirement; only those
candidates are tested in full. Cost: proportional to what matches, not to shapes times terms.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from berth_cluster.matching import selector_matches
from berth_cluster.snapshot import LabelSelector, Operator, PodTerm, Requirement


class LabelIndex:
    """Labels of numbered shapes, by namespace. Numbers are positions in the sequence given."""

    def __init__(self, labelled: Sequence[tuple[str, tuple[tuple[str, str], ...]]]) -> None:
        self._namespace = [namespace for namespace, _ in labelled]
        self._labels = [dict(labels) for _, labels in labelled]
        self._in_namespace: dict[str, set[int]] = defaultdict(set)
        self._with_key: dict[str, set[int]] = defaultdict(set)
        self._with_pair: dict[tuple[str, str], set[int]] = defaultdict(set)
        for index, (namespace, labels) in enumerate(labelled):
            self._in_namespace[namespace].add(index)
            for pair in labels:
                self._with_key[pair[0]].add(index)
                self._with_pair[pair].add(index)
        self._found: dict[tuple[LabelSelector, frozenset[str] | None], frozenset[int]] = {}

    def selected(self, selector: LabelSelector | None, namespaces: frozenset[str] | None) -> frozenset[int]:
        """Shapes that `selector` matches in these namespaces (None: in all). A selector of None matches nothing."""
        if selector is None:
            return frozenset()
        key = (selector, namespaces)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = frozenset(
                i
                for i in self._candidates(selector, namespaces)
                if (namespaces is None or self._namespace[i] in namespaces)
                and selector_matches(selector, self._labels[i])
            )
        return found

    def selected_by_term(self, term: PodTerm) -> frozenset[int]:
        return self.selected(term.selector, term.namespaces)

    def _candidates(self, selector: LabelSelector, namespaces: frozenset[str] | None) -> Iterable[int]:
        narrowest: Iterable[int] | None = None
        size = len(self._labels) + 1
        for requirement in selector.requirements:
            candidates = self._with_requirement(requirement)
            if candidates is not None and len(candidates) < size:
                narrowest, size = candidates, len(candidates)
        if namespaces is not None:
            inside = sum(len(self._in_namespace.get(n, ())) for n in namespaces)
            if inside < size:
                return [i for n in sorted(namespaces) for i in self._in_namespace.get(n, ())]
        return range(len(self._labels)) if narrowest is None else narrowest

    def _with_requirement(self, requirement: Requirement) -> set[int] | None:
        """A superset of what the requirement allows, or None when it names no label that must be there."""
        if requirement.operator is Operator.IN:
            return set().union(*(self._with_pair.get((requirement.key, v), ()) for v in requirement.values))
        if requirement.operator is Operator.EXISTS:
            return self._with_key.get(requirement.key, set())
        return None
