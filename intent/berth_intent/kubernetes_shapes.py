"""Kubernetes' own shapes for placement wishes, field by field as in a pod's spec (core/v1 and meta/v1), to be written as YAML.

Mirrors https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#scheduling, as far as wishes need it.
"""

from __future__ import annotations

import msgspec

Pairs = dict[str, str]


class Shape(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Empty fields are left out."""


class NodeSelectorRequirement(Shape, frozen=True):
    key: str
    operator: str
    values: tuple[str, ...] = ()


class NodeSelectorTerm(Shape, frozen=True):
    """All of them hold."""

    match_expressions: tuple[NodeSelectorRequirement, ...]


class PreferredSchedulingTerm(Shape, frozen=True):
    weight: int
    preference: NodeSelectorTerm


class LabelSelector(Shape, frozen=True):
    match_labels: Pairs


class PodAffinityTerm(Shape, frozen=True):
    topology_key: str
    label_selector: LabelSelector
    namespaces: tuple[str, ...] = ()
    """Empty: the pod's own."""


class WeightedPodAffinityTerm(Shape, frozen=True):
    weight: int
    pod_affinity_term: PodAffinityTerm


class TopologySpreadConstraint(Shape, frozen=True):
    max_skew: int
    topology_key: str
    when_unsatisfiable: str
    label_selector: LabelSelector
