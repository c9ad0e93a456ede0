"""`berth hint --pod`: what a pod's own hint says, and wish by wish how well nodes suit it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .command import Here
from .scenes import Object, dump, node, pod

HINT = "must be in us-east-1a, and preferably near redis. 64 GB of memory"


def hinted(
    name: str, hint: str, *, on: str | None = None, scheduler: str = "berth", app: str = "web", **of: Any
) -> Object:
    made = pod(name, gpus=of.pop("gpus", 1), on=on, app=app, **of)
    made["metadata"]["annotations"] = {"berth.dev/allocation-hint": hint}
    made["spec"]["schedulerName"] = scheduler
    return made


def zoned(name: str, zone: str, **spec: Any) -> Object:
    made = node(name, **spec)
    made["metadata"]["labels"] |= {
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": f"us-east-1{zone}",
    }
    return made


def scene(path: Path, *pods: Object) -> Path:
    """n1 in zone a with redis, n2 and n3 in zone b."""
    nodes = (zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "b"))
    return dump(path, *nodes, pod("redis-1", gpus=0, on="n1", app="redis"), *pods)


def the_pod(here: Here, path: Path, name: str = "web", *args: str) -> Any:
    ended = here("hint", "--pod", name, "--dump", path, "-o", "json", *args)
    assert ended.code == 0, ended.err
    (found,) = json.loads(ended.out)["pods"]
    return found


def test_a_running_pod_is_told_wish_by_wish_how_well_its_node_suits_it(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", hinted("web-1", HINT, on="n2"))
    ended = here("hint", "--pod", "web-1", "--dump", path)
    assert ended.code == 0, ended.err
    assert "llm/web-1 runs on n2" in ended.out
    zone = next(line for line in ended.lines if line.startswith("in zone us-east-1a"))
    assert "strong" in zone
    assert "100%" in zone
    assert "it is in zone us-east-1b" in zone
    (own,) = re.findall(r"n2, where it runs: strong wishes met to (\d+)%", ended.out)
    assert int(own) < 100
    assert "n1 would suit it better: strong wishes met to 100%" in ended.out
    assert ended.out.index("n2, where") < ended.out.index("n1 would")


def test_the_same_as_json(here: Here, tmp_path: Path) -> None:
    found = the_pod(here, scene(tmp_path / "dump.json", hinted("web-1", HINT, on="n1")))
    assert (found["pod"], found["node"], found["scheduler"], found["hint"]) == ("llm/web-1", "n1", "berth", HINT)
    assert [p["intent"] for p in found["understood"]["preferences"]] == [
        "prefer_zones",
        "prefer_nearby_deployments",
        "prefer_memory_gb",
    ]
    (own,) = found["nodes"]
    assert [w["satisfaction"] for w in own["wishes"]] == [1.0, 1.0, 1.0]
    assert own["wishes"][0]["text"] in HINT
    assert own["score"] == 1.0


def test_a_waiting_pod_is_told_the_best_nodes_first_those_with_room(here: Here, tmp_path: Path) -> None:
    filler = pod("filler", gpus=8, on="n1", app="batch")
    found = the_pod(here, scene(tmp_path / "dump.json", hinted("web-1", HINT), filler))
    assert (found["node"], found["allowed"], found["with_room"]) == (None, 3, 2)
    assert [(n["node"], n["has_room"]) for n in found["nodes"]] == [("n2", True), ("n3", True), ("n1", False)]
    assert found["nodes"][2]["score"] > found["nodes"][0]["score"]


def test_nodes_that_its_rules_forbid_are_not_offered(here: Here, tmp_path: Path) -> None:
    picky = hinted("web-1", HINT)
    picky["spec"]["nodeSelector"] = {"topology.kubernetes.io/zone": "us-east-1b"}
    found = the_pod(here, scene(tmp_path / "dump.json", picky))
    assert {n["node"] for n in found["nodes"]} == {"n2", "n3"}


def test_without_room_anywhere_it_is_said_where_to_ask(here: Here, tmp_path: Path) -> None:
    ended = here("hint", "--pod", "web-1", "--dump", scene(tmp_path / "dump.json", hinted("web-1", HINT, gpus=9)))
    assert ended.code == 0
    assert "none of which has room now" in ended.out
    assert "berth why llm/web-1" in ended.out


def test_a_pod_is_not_its_own_neighbour(here: Here, tmp_path: Path) -> None:
    alone = scene(tmp_path / "alone.json", hinted("web-1", "spread over zones", on="n2"))
    assert the_pod(here, alone)["nodes"][0]["wishes"][0]["satisfaction"] == 1.0
    two = (hinted(f"web-{i}", "spread over zones", on="n2") for i in (1, 2))
    beside = the_pod(here, scene(tmp_path / "two.json", *two), "web-1")
    assert beside["nodes"][0]["wishes"][0]["satisfaction"] < 1.0
    assert beside["nodes"][1]["node"] == "n1"


def test_each_pod_of_a_workload_is_told(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", *(hinted(f"web-{i}", "spread over nodes", on="n2") for i in range(5)))
    ended = here("hint", "--pod", "deploy/web", "--dump", path)
    assert "llm/web-0 runs on n2" in ended.out
    assert "2 more of its pods" in ended.out
    assert "llm/web-4" in here("hint", "--pod", "deploy/web", "--dump", path, "-o", "wide").out


def test_a_hint_under_another_scheduler_does_not_count_and_that_is_said(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", hinted("web-1", HINT, on="n1", scheduler="default-scheduler"))
    assert "Set schedulerName: berth" in here("hint", "--pod", "web-1", "--dump", path).out


@pytest.mark.parametrize("key", ["allocation_hint", "allocation-hint"])
def test_the_other_spellings_and_the_owners_annotation_are_read(here: Here, tmp_path: Path, key: str) -> None:
    bare = pod("web-1", gpus=1, on="n1", app="web")
    bare["metadata"]["annotations"] = {key: "near redis"}
    assert the_pod(here, scene(tmp_path / "dump.json", bare))["hint"] == "near redis"


def test_a_pod_without_a_hint_is_no_error(here: Here, tmp_path: Path) -> None:
    ended = here("hint", "--pod", "redis", "--dump", scene(tmp_path / "dump.json"))
    assert ended.code == 0
    assert "redis has no hint" in ended.out


def test_what_counts_for_nothing_stays_visible(here: Here, tmp_path: Path) -> None:
    hint = "prefer us-east-1a. Never us-east-1a."
    ended = here("hint", "--pod", "web-1", "--dump", scene(tmp_path / "dump.json", hinted("web-1", hint, on="n1")))
    assert "overruled  in zone us-east-1a (weak)" in ended.out
    assert "Conflict" in ended.out


def test_a_pod_that_is_not_there(here: Here, tmp_path: Path) -> None:
    ended = here("hint", "--pod", "wep", "--dump", scene(tmp_path / "dump.json", hinted("web", "x", on="n1")))
    assert ended.code == 2
    assert "UnknownPod" in ended.err
    assert "Did you mean web?" in ended.err


def test_the_clusters_names_are_not_replaced(here: Here, tmp_path: Path) -> None:
    ended = here("hint", "--pod", "web", "--dump", scene(tmp_path / "dump.json"), "--vocabulary", "names.json")
    assert ended.code == 2
    assert "--pod takes the cluster's names" in ended.err


def test_a_pods_hint_in_kubernetes_words_selects_its_own_workload(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", hinted("web-1", "spread over zones, near redis", on="n1"))
    ended = here("hint", "--pod", "web-1", "--dump", path, "--to-affinity")
    assert ended.code == 0, ended.err
    spec = yaml.safe_load(ended.out)
    assert spec["topologySpreadConstraints"][0]["labelSelector"] == {"matchLabels": {"app": "web"}}
    (rack, zone) = spec["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert "namespaces" not in zone["podAffinityTerm"]
    assert rack["podAffinityTerm"]["labelSelector"] == {"matchLabels": {"app": "redis"}}


def test_why_mentions_what_became_of_the_hint(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", hinted("web-1", HINT, on="n2"), hinted("web-2", HINT))
    ended = here("why", "web-1", "--dump", path)
    assert ended.code == 0, ended.err
    assert "on n2: strong wishes met to " in ended.out
    assert "n1 would suit it better" in ended.out
    assert "it is in zone us-east-1b" in ended.out
    assert "berth hint --pod llm/web-1" in ended.out
    waiting = here("why", "web-2", "--dump", path)
    assert "on n1 3 of 3 wishes are met in full" in waiting.out


def test_why_tells_which_wish_of_a_waiting_pod_cannot_be_had(here: Here, tmp_path: Path) -> None:
    elsewhere = hinted("web-1", HINT)
    elsewhere["spec"]["nodeSelector"] = {"topology.kubernetes.io/zone": "us-east-1b"}
    ended = here("why", "web-1", "--dump", scene(tmp_path / "dump.json", elsewhere))
    assert "in zone us-east-1a (strong) is met to " in ended.out
    nowhere = here("why", "big", "--dump", scene(tmp_path / "big.json", hinted("big", HINT, gpus=9)))
    assert "understood as: in zone us-east-1a; close to redis" in nowhere.out


def test_why_of_a_pod_without_a_hint_says_nothing_of_hints(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", hinted("web-1", HINT, on="n2"))
    assert "hint" not in here("why", "redis-1", "--dump", path).out


def test_a_pod_that_its_node_would_no_longer_take_is_told_about_it_all_the_same(here: Here, tmp_path: Path) -> None:
    """The node was cordoned since; there is no other."""
    path = dump(tmp_path / "dump.json", zoned("n1", "a", unschedulable=True), hinted("web-1", HINT, on="n1"))
    found = the_pod(here, path)
    assert (found["allowed"], [n["node"] for n in found["nodes"]]) == (1, ["n1"])
    assert found["nodes"][0]["wishes"][0]["satisfaction"] == 1.0


def test_of_very_many_pods_the_first_are_told_and_the_rest_is_counted(here: Here, tmp_path: Path) -> None:
    path = scene(tmp_path / "dump.json", *(hinted(f"web-{i:03}", "spread over nodes", gpus=0) for i in range(103)))
    ended = here("hint", "--pod", "web", "--dump", path, "-o", "json")
    assert len(json.loads(ended.out)["pods"]) == 100
    assert "web has 103 pods with a hint; the first 100 are told" in ended.err
    assert "100 more of its pods" in here("hint", "--pod", "web", "--dump", path).out
