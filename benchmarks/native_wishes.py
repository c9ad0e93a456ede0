"""Wishes as a competent user spells them natively: fields of a pod spec, soft (the highest weight there is) or hard."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]
"""Of a pod's spec, as the API names them."""

HOST = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
RACK = "topology.kubernetes.io/rack"
WEIGHT = 100
"""The most that a preference may weigh."""


def label(key: str, operator: str, *values: str) -> Fields:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def prefer_nodes(*terms: tuple[int, Fields]) -> Fields:
    preferred = [{"weight": weight, "preference": {"matchExpressions": [term]}} for weight, term in terms]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def require_nodes(term: Fields) -> Fields:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [term]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def near(key: str, *apps: str) -> Fields:
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_weighted(key, app) for app in apps]}}


def must_be_near(key: str, *apps: str) -> Fields:
    """Near one of them: of several required terms kube-scheduler asks that a single pod matches all."""
    term = {
        "topologyKey": key,
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": list(apps)}]},
    }
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def away(key: str, app: str) -> Fields:
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_weighted(key, app)]}}


def must_be_away(key: str, app: str) -> Fields:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_term(key, app)]}}


def spread(app: str, key: str, *, hard: bool = False) -> Fields:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
        "labelSelector": {"matchLabels": {"app": app}},
    }


def affinity(*parts: Fields) -> Fields:
    """Parts of different kinds in one spec."""
    joined: Fields = {}
    for part in parts:
        joined |= part
    return {"affinity": joined}


def _term(key: str, app: str) -> Fields:
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}


def _weighted(key: str, app: str) -> Fields:
    return {"weight": WEIGHT, "podAffinityTerm": _term(key, app)}
