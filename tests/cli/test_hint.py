"""`berth hint "text"`: what a person sees of what was understood, the contract as JSON, and wrong usage met with a sentence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .command import Here, berth
from .scenes import dump, node, pod

SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"
OUTCOME = "spread us over zones, ideally on H100s, and never next to batch-etl"


def cluster(path: Path, **hints: str) -> Path:
    """Two zones of one region, workloads redis and web, web with a hint if one is given."""
    nodes = []
    for name, zone in (("n1", "us-east-1a"), ("n2", "us-east-1b"), ("n3", "us-east-1b")):
        made = node(name)
        made["metadata"]["labels"] |= {
            "topology.kubernetes.io/region": "us-east-1",
            "topology.kubernetes.io/zone": zone,
            "nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3-SHARED",
        }
        nodes.append(made)
    pods = [pod("redis-1", gpus=0, on="n1", app="redis"), pod("web-1", gpus=1, on="n2", app="web")]
    for made in pods:
        if (hint := hints.get(made["metadata"]["labels"]["app"])) is not None:
            made["metadata"]["annotations"] = {"berth.dev/allocation-hint": hint}
    return dump(path, *nodes, *pods)


def wishes(out: str) -> list[tuple[Any, ...]]:
    return [(p["intent"], p["values"], p["scope"], p["strength"]) for p in json.loads(out)["preferences"]]


def test_each_wish_is_told_in_a_row_with_its_strength_and_its_words(here: Here) -> None:
    ended = here("hint", OUTCOME)
    assert ended.code == 0, ended.err
    rows = {line.split("   ")[0].strip(): line for line in ended.lines}
    assert "plain" in rows["pods of its workload spread over zones"]
    assert "weak" in rows["on a node with GPU model H100"]
    strong = rows["not on a node where batch-etl runs"]
    assert "strong" in strong
    assert "avoid_deployments" in strong
    assert "never next to batch-etl" in strong
    assert "3 wishes count" in ended.out


def test_the_contract_as_json_field_by_field(here: Here) -> None:
    ended = here("hint", OUTCOME, "-o", "json")
    found = json.loads(ended.out)
    assert list(found) == ["preferences", "unparsed", "warnings"]
    assert [list(p) for p in found["preferences"]] == [
        ["intent", "values", "amount", "rank", "scope", "strength", "text"]
    ] * 3
    assert wishes(ended.out) == [
        ("spread_zones", [], None, 1.0),
        ("prefer_gpu_model", ["H100"], None, 0.5),
        ("avoid_deployments", ["batch-etl"], "node", 1.5),
    ]
    assert yaml.safe_load(here("hint", OUTCOME, "-o", "yaml").out) == found


def test_words_without_quotes_are_one_hint(here: Here) -> None:
    assert wishes(here("hint", "spread", "over", "zones", "-o", "json").out) == [("spread_zones", [], None, 1.0)]


@pytest.mark.parametrize("text", ["", "   ", "this is a test pod"])
def test_a_hint_without_a_wish_is_fine_and_said_to_be_so(here: Here, text: str) -> None:
    ended = here("hint", text)
    assert ended.code == 0
    assert "No wish was found" in ended.out


def test_a_very_long_hint_is_read_as_far_as_the_limit_and_says_so(here: Here) -> None:
    ended = here("hint", "spread over zones. " + "blah " * 20_000)
    assert ended.code == 0
    assert "TooLong" in ended.out
    assert "spread over zones" in ended.out
    assert max(map(len, ended.lines)) < 1_000


def test_bytes_that_are_no_text(here: Here) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "berth_cli.main", "hint", b"zone \xff\xfe"], capture_output=True, check=False, timeout=60
    )
    assert ended.returncode == 2
    assert b"UTF-8" in ended.stderr


def test_nothing_in_a_hint_steers_the_terminal(here: Here) -> None:
    ended = here("hint", "spread over \x1b[31mzones\x1b[0m and zone \u202ea\x07")
    assert ended.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ended.out)


def test_contradictions_show_which_wish_counts(here: Here) -> None:
    ended = here("hint", "prefer us-east-1a. Never us-east-1a.")
    assert "overruled" in next(line for line in ended.lines if line.startswith("in zone us-east-1a"))
    assert "Conflict" in ended.out
    assert "1 wish counts, 1 is overruled" in ended.out


def test_names_are_resolved_with_the_clusters(here: Here, tmp_path: Path) -> None:
    scene = cluster(tmp_path / "dump.json")
    ended = here("hint", "near rediss, in zone 1b", "--dump", scene, "-o", "json")
    assert ended.code == 0, ended.err
    assert wishes(ended.out)[:2] == [
        ("prefer_nearby_deployments", ["redis"], None, 1.0),
        ("prefer_zones", ["us-east-1b"], None, 1.0),
    ]
    assert "the dump" in here("hint", "near redis", "--dump", scene).out


def test_a_vocabulary_file_comes_before_the_dump(here: Here, tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text('{"regions": ["eu-west-1", "us-east-1", "eu-central-1"]}')
    ended = here("hint", "in Europe", "--vocabulary", names, "--dump", cluster(tmp_path / "dump.json"), "-o", "json")
    assert wishes(ended.out) == [("prefer_regions", ["eu-west-1", "eu-central-1"], None, 1.0)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"zone": ["a"]}', "no field 'zone'\nDid you mean zones?"),
        ('{"planets": []}', "It may have regions, zones"),
        ('{"zones": "a"}', "BadField: "),
        ('{"zones": [1]}', "$.zones[0]"),
        ('{"zone_regions": {"a": 1}}', "zone_regions"),
        ("[]", "NotJSON"),
        ("zones: [a]", "NotJSON"),
        ("", "NotJSON"),
        ('{"zones": ["\udcff"]}', "NotJSON"),
    ],
)
def test_a_vocabulary_that_is_none_names_file_and_field(here: Here, tmp_path: Path, content: str, said: str) -> None:
    names = tmp_path / "names.json"
    names.write_bytes(content.encode(errors="surrogateescape"))
    ended = here("hint", "in Europe", "--vocabulary", names)
    assert ended.code == 2
    assert "names.json" in ended.err
    assert said in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "no hint given"),
        (("x", "--jsonl", "-"), "give one of"),
        (("x", "--pod", "web"), "give one of"),
        (("--pod", "web"), "--live"),
        (("x", "--vocabulary", "/nowhere"), "/nowhere: no such file"),
        (("x", "--vocabulary", "/tmp"), "is a folder"),
        (("x", "--dump", "/nowhere.json"), "/nowhere.json: no such file"),
        (("x", "--dump", "/nowhere.json", "--live"), "cannot be combined"),
        (("x", "--selector", "app=web"), "--to-affinity"),
        (("x", "--to-affinity", "--selector", "app"), "no label"),
        (("x", "--to-affinity", "--selector", "app=a b"), "no label"),
        (("--jsonl", "/nowhere.jsonl"), "/nowhere.jsonl: no such file"),
        (("--jsonl", "/tmp"), "is a folder"),
        (("--jsonl", "/nowhere.jsonl", "-o", "yaml"), "JSON lines only"),
        (("x", "-o", "xml"), "xml"),
    ],
)
def test_wrong_usage_is_met_with_a_sentence(here: Here, args: tuple[str, ...], said: str) -> None:
    ended = here("hint", *args)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    ended = berth("hint", "in Europe", "--live", env={"KUBECONFIG": str(tmp_path / "none"), "PATH": os.environ["PATH"]})
    assert ended.code == 3
    assert "KubectlFailed" in ended.err


def test_without_a_cluster_nothing_heavy_is_imported() -> None:
    """It starts as quickly as --help does: no solver, no numpy."""
    code = (
        "import sys, json; from berth_cli.main import main; main(['hint', 'spread over zones', '-o', 'json']);"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    loaded = {name.partition(".")[0] for name in json.loads(ended.stderr)}
    assert not loaded & {"numpy", "numba", "ortools", "pandas", "kubernetes", "kopf", "fastapi", "boto3", "httpx"}


def test_the_sample_manifest_is_understood_whole(here: Here) -> None:
    (sample,) = yaml.safe_load_all((SAMPLES / "hinted.yaml").read_text())
    template = sample["spec"]["template"]
    assert template["spec"]["schedulerName"] == "berth"
    found = json.loads(here("hint", template["metadata"]["annotations"]["berth.dev/allocation-hint"], "-o", "json").out)
    assert len(found["preferences"]) == 3
    assert not found["unparsed"]
    assert not found["warnings"]
