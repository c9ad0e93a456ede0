"""`berth hint --to-affinity`: YAML to paste, with the hint's words as comments that stay comments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .command import Here
from .test_hint import OUTCOME, cluster

NODE_FIELDS = {"requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"}


def assert_is_core_v1(spec: dict[str, Any]) -> None:
    """Field by field as the API reference of Pod (core/v1) has it; the API server refuses others in strict mode."""
    assert set(spec) <= {"affinity", "topologySpreadConstraints"}
    affinity = spec.get("affinity", {})
    assert set(affinity) <= {"nodeAffinity", "podAffinity", "podAntiAffinity"}
    node = affinity.get("nodeAffinity", {})
    assert set(node) <= NODE_FIELDS
    terms = [t["preference"] for t in node.get("preferredDuringSchedulingIgnoredDuringExecution", [])]
    for term in node.get("preferredDuringSchedulingIgnoredDuringExecution", []):
        assert set(term) == {"weight", "preference"}
        assert 1 <= term["weight"] <= 100
    if required := node.get("requiredDuringSchedulingIgnoredDuringExecution"):
        assert set(required) == {"nodeSelectorTerms"}
        terms += required["nodeSelectorTerms"]
    for term in terms:
        assert set(term) == {"matchExpressions"}
        for expression in term["matchExpressions"]:
            assert set(expression) <= {"key", "operator", "values"}
            listed = expression["operator"] in ("In", "NotIn", "Gt", "Lt")
            assert listed == bool(expression.get("values"))
            assert all(isinstance(value, str) for value in expression.get("values", ()))
    for kind in ("podAffinity", "podAntiAffinity"):
        found = affinity.get(kind, {})
        assert set(found) <= NODE_FIELDS
        weighted = found.get("preferredDuringSchedulingIgnoredDuringExecution", [])
        assert all(set(term) == {"weight", "podAffinityTerm"} for term in weighted)
        pod_terms = [term["podAffinityTerm"] for term in weighted]
        for term in pod_terms + found.get("requiredDuringSchedulingIgnoredDuringExecution", []):
            assert set(term) <= {"topologyKey", "labelSelector", "namespaces"}
            assert set(term["labelSelector"]) == {"matchLabels"}
    for constraint in spec.get("topologySpreadConstraints", []):
        assert set(constraint) == {"maxSkew", "topologyKey", "whenUnsatisfiable", "labelSelector"}


def test_the_outcomes_hint_as_a_spec(here: Here) -> None:
    ended = here("hint", OUTCOME, "--to-affinity", "--selector", "app=web,tier=front")
    assert ended.code == 0, ended.err
    spec = yaml.safe_load(ended.out)
    assert_is_core_v1(spec)
    (spread,) = spec["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == {"app": "web", "tier": "front"}
    (gpus,) = spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    (away,) = spec["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert (gpus["weight"], away["weight"]) == (1, 100)
    assert 'from "spread us over zones"' in ended.out


def test_strong_wishes_are_required_when_that_is_asked_for(here: Here) -> None:
    spec = yaml.safe_load(here("hint", "only on arm64", "--to-affinity", "--enforce").out)
    assert_is_core_v1(spec)
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    (term,) = required["nodeSelectorTerms"]
    assert term["matchExpressions"][0]["values"] == ["arm64"]


def test_labels_come_from_the_cluster_where_it_is_known(here: Here, tmp_path: Path) -> None:
    scene = cluster(tmp_path / "dump.json")
    hint = "on H100s, on the same node as redis"
    spec = yaml.safe_load(here("hint", hint, "--to-affinity", "--dump", scene, "-n", "shop").out)
    assert_is_core_v1(spec)
    (gpus,) = spec["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert gpus["preference"]["matchExpressions"][0]["values"] == ["NVIDIA-H100-80GB-HBM3-SHARED"]
    (near,) = spec["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert near["podAffinityTerm"]["labelSelector"] == {"matchLabels": {"app": "redis"}}
    assert near["podAffinityTerm"]["namespaces"] == ["llm"]


def test_what_cannot_be_said_is_told_as_a_comment(here: Here) -> None:
    ended = here("hint", "64 GB of memory, on the least busy node", "--to-affinity")
    assert ended.code == 0
    assert yaml.safe_load(ended.out) is None
    assert "resources.requests.memory" in ended.out
    assert "LeastAllocated" in ended.out
    as_json = here("hint", "64 GB of memory", "--to-affinity", "-o", "json")
    assert json.loads(as_json.out) == {}
    assert "resources.requests.memory" in as_json.err


@pytest.mark.parametrize("line_break", ["\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1e"])
def test_no_line_break_of_a_hint_gets_out_of_its_comment(here: Here, line_break: str) -> None:
    ended = here("hint", f"spread over{line_break}zones", "--to-affinity")
    spec = yaml.safe_load(ended.out)
    assert ended.code == 0
    assert_is_core_v1(spec or {})
    assert all(line.lstrip().startswith(("#", "-")) or ":" in line for line in ended.out.splitlines())


def test_a_wish_that_lost_is_left_out_and_named(here: Here) -> None:
    ended = here("hint", "prefer us-east-1a. Never us-east-1a.", "--to-affinity")
    (term,) = yaml.safe_load(ended.out)["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["preference"]["matchExpressions"][0]["operator"] == "NotIn"
    assert "# Left out" in ended.out
