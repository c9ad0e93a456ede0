"""`berth hint --to-affinity`: YAML to paste, with the hint's words as comments that stay comments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from berth_cli.native_yaml import native_yaml
from berth_intent.intents import Intent
from berth_intent.native import to_native
from berth_intent.understood import Preference, Understood

from .command import Here
from .test_hint import OUTCOME, cluster


def assert_is_core_v1(spec: dict[str, Any]) -> None:
    """Against Kubernetes' own schema, as its generated client has it: known fields, required ones, types."""
    assert set(spec) <= {"affinity", "topologySpreadConstraints"}
    check("V1PodSpec", {"containers": [], **spec})
    made = client.ApiClient()._ApiClient__deserialize(
        {"containers": [], **spec}, "V1PodSpec"
    )  # a required one missing: ValueError
    affinity = made.affinity or client.V1Affinity()
    weights = [
        term.weight
        for kind in (affinity.node_affinity, affinity.pod_affinity, affinity.pod_anti_affinity)
        if kind is not None
        for term in kind.preferred_during_scheduling_ignored_during_execution or ()
    ]
    assert all(1 <= weight <= 100 for weight in weights)


def check(kind: str, value: Any) -> None:
    """Names and types of all fields, through and through."""
    if kind.startswith("list["):
        assert isinstance(value, list)
        for item in value:
            check(kind[5:-1], item)
    elif kind.startswith("dict["):
        assert all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())
    elif kind in ("str", "int"):
        assert type(value).__name__ == kind
    else:
        model = getattr(client, kind)
        types = {name: model.openapi_types[field] for field, name in model.attribute_map.items()}
        for name, part in value.items():
            assert name in types, f"{kind} has no field {name}"
            check(types[name], part)


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


def test_what_would_be_required_is_said_to_be_only_preferred(here: Here) -> None:
    told = "--enforce requires what was said strongly"
    assert told in here("hint", "only on arm64", "--to-affinity").out
    assert told not in here("hint", "only on arm64", "--to-affinity", "--enforce").out
    assert told not in here("hint", "on arm64", "--to-affinity").out


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
def test_no_line_break_of_a_hint_gets_out_of_its_comment(line_break: str) -> None:
    words = f"x{line_break}hostNetwork: true{line_break}#"
    wishes = (
        Preference(Intent.SPREAD_ZONES, text=words),
        Preference(Intent.PREFER_ZONES, (words,), text=words),
        Preference(Intent.AVOID_GPU, text=words),
    )
    text = native_yaml(Understood(wishes, overruled=frozenset((2,))), to_native(wishes[:2]))
    assert set(yaml.safe_load(text)) == {"topologySpreadConstraints"}
    assert all(line.lstrip().startswith("#") for line in text.splitlines() if "hostNetwork" in line)
    assert text.count("hostNetwork") >= 3


def test_a_wish_that_lost_is_left_out_and_named(here: Here) -> None:
    ended = here("hint", "prefer us-east-1a. Never us-east-1a.", "--to-affinity")
    (term,) = yaml.safe_load(ended.out)["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert term["preference"]["matchExpressions"][0]["operator"] == "NotIn"
    assert "# Left out" in ended.out
