"""The demo shows the main job within seconds; the importer makes a dump that plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import Here, berth

NODES = "sn,cpu_milli,memory_mib,gpu,model\nn1,64000,262144,2,P100\nn2,96000,786432,8,V100M32\n"
PODS = """name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
p1,12000,16384,1,1000,,LS,Running,0,12537496,0
p2,6000,12288,1,460,V100M32,BE,Running,427061,12902960,427061
p3,6000,12288,2,1000,P100|V100M32,BE,Running,427061,12902960,427061
"""


def test_the_demo_places_every_urgent_pod_and_proves_it(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("demo", "--save-dump", "demo.json")
    assert ended.code == 0, ended.err
    urgent = next(line.split() for line in ended.lines if line.strip().startswith("1000000"))
    assert urgent[2:6] == ["6", "2", "6", "6"]
    assert "proven best, with proven fewest moves" in ended.out
    assert "A━A━A━A━A━A━A━A" in ended.out
    assert "\x1b" not in ended.out
    assert "<html" in (tmp_path / "berth-demo.html").read_text()
    assert here("why", "--dump", "demo.json", "deploy/embed").code == 0


def test_the_picture_before_and_after_shows_as_many_gpus_as_are_used(here: Here, tmp_path: Path) -> None:
    out = here("demo", "--html", "").out
    rows = [line for line in out.splitlines() if line.startswith("a100-") and "▏" not in line]
    before, both = rows[:12], rows[12:]
    assert len(both) == 12
    count = lambda text: sum(text.count(letter) for letter in "ABC")  # noqa: E731
    assert sum(count(row[8:26]) for row in before) == 72
    after = [row[28:46] for row in both]
    assert sum(count(row) for row in after) == 96
    assert not list(tmp_path.iterdir())


def test_the_openb_trace_becomes_a_dump_that_plans(here: Here, tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "pods.csv").write_text(PODS)
    out = tmp_path / "openb.json"
    ended = here("import", "openb", "--nodes", tmp_path / "nodes.csv", "--pods", tmp_path / "pods.csv", "-o", out)
    assert ended.code == 0, ended.err
    assert "2 nodes, 3 pods" in ended.err
    assert "1 pods ask for a share of a GPU" in ended.err or "1 pod asks for a share of a GPU" in ended.err
    document = json.loads(here("plan", "--dump", out, "-o", "json").out)
    assert [(t["pods"], t["placed_after"]) for t in document["plan"]["tiers"]] == [(3, 3)]
    shared = next(p for p in document["plan"]["waves"][0]["placements"] if "openb/p2" in p["pods"])
    assert shared["node"] == "n2"
    assert ["nvidia.com/gpu", 1] in shared["requests"]


def test_import_into_a_pipe_is_the_dump_alone(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text(NODES)
    (tmp_path / "pods.csv").write_text(PODS)
    made = berth("import", "openb", "--nodes", tmp_path / "nodes.csv", "--pods", tmp_path / "pods.csv")
    assert json.loads(made.out)["kind"] == "List"
    assert berth("plan", "--dump", "-", stdin=made.out).code == 0


@pytest.mark.parametrize(
    ("nodes", "pods", "said"),
    [
        (PODS, PODS, "is it the right openb file?"),
        (NODES.replace("64000", "many"), PODS, "nodes.csv"),
        (NODES + NODES.splitlines()[1] + "\n", PODS, "n1"),
        (None, PODS, "nodes.csv"),
    ],
)
def test_a_csv_that_is_none(here: Here, tmp_path: Path, nodes: str | None, pods: str, said: str) -> None:
    if nodes is not None:
        (tmp_path / "nodes.csv").write_text(nodes)
    (tmp_path / "pods.csv").write_text(pods)
    out = tmp_path / "out.json"
    ended = here("import", "openb", "--nodes", tmp_path / "nodes.csv", "--pods", tmp_path / "pods.csv", "-o", out)
    assert ended.code == 2
    assert said in ended.err
    assert not out.exists()
