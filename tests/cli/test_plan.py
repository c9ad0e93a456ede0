"""`berth plan` on dumps: what a person sees, what a program reads, and what a wrong input is met with."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml

from .command import Here, berth
from .scenes import dump, fragmented, node, pod


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return dump(tmp_path / "dump.json", *fragmented())


def test_one_move_makes_room_for_the_urgent_pod_and_that_is_proven_least(here: Here, scene: Path) -> None:
    ended = here("plan", "--dump", scene)
    assert ended.code == 0, ended.err
    assert "1 move; proven least" in ended.out
    move = next(line.split() for line in ended.lines if " move " in line and "batch" not in line[:4] and "llm/" in line)
    place = next(line.split() for line in ended.lines if "place" in line and "llm/urgent" in line)
    assert place[-3] == move[move.index("llm/left" if "llm/left" in move else "llm/right") + 2]
    assert ended.lines[-1].startswith(
        "1 more pod placed (1 waiting before; all find a place) for 1 move in 1 wave; proven best"
    )
    assert "--movable all, the default" in ended.out


def test_json_and_yaml_say_the_same(here: Here, scene: Path) -> None:
    as_json = json.loads(here("plan", "--dump", scene, "-o", "json").out)
    as_yaml = yaml.safe_load(here("plan", "--dump", scene, "-o", "yaml").out)
    for document in (as_json, as_yaml):
        for field in ("elapsed_seconds", "first_improvement_seconds"):
            del document["plan"][field]
    assert as_json == as_yaml
    assert as_json["plan"]["disruption"] | {"evidence": ""} == {
        "moves": 1,
        "evictions": 0,
        "value": 1.0,
        "bound": 1.0,
        "certificate": "Optimal",
        "evidence": "",
    }
    assert [(t["priority"], t["placed_before"], t["placed_after"]) for t in as_json["plan"]["tiers"]] == [
        (1000, 0, 1),
        (0, 2, 2),
    ]


def test_pending_only_disturbs_nobody_and_max_moves_caps(here: Here, scene: Path) -> None:
    for option in (["--pending-only"], ["--max-moves", "0"]):
        document = json.loads(here("plan", "--dump", scene, *option, "-o", "json").out)
        assert document["plan"]["waves"] == []
        assert document["plan"]["tiers"][0]["placed_after"] == 0


def test_movable_berth_leaves_other_schedulers_pods_alone(here: Here, scene: Path) -> None:
    ended = here("plan", "--dump", scene, "--movable", "berth")
    assert "Only pods of the scheduler `berth`" in ended.out
    assert " move " not in ended.out


def test_files_are_written_whole_and_verify_reads_them_back(here: Here, scene: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "plan.json", tmp_path / "report.html"
    out.write_text("what was here before")
    assert here("plan", "--dump", scene, "--out", out, "--html", page).code == 0
    assert "<html" in page.read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dump.json", "plan.json", "report.html"]
    verified = here("verify", "--dump", scene, "--plan", out)
    assert verified.code == 0
    assert "holds, with every bound proven again" in verified.out


def test_several_files_after_one_flag_gzip_and_standard_input(tmp_path: Path) -> None:
    objects = fragmented()
    nodes = tmp_path / "nodes.json.gz"
    nodes.write_bytes(gzip.compress(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[:2]}).encode()))
    rest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[2:]})
    ended = berth("plan", "--dump", nodes, "-", stdin=rest)
    assert ended.code == 0, ended.err
    assert "1 move" in ended.out


def test_output_into_a_pipe_is_plain_and_never_cut(here: Here, tmp_path: Path) -> None:
    long = "a-very-long-name-of-a-workload-" * 6
    scene = dump(tmp_path / "dump.json", node("a"), pod(long + "0", gpus=1, app=long))
    out = berth("plan", "--dump", scene).out
    assert f"llm/{long}0" in out
    assert "\x1b" not in out


def test_a_namespace_narrows_the_list_not_the_plan(here: Here, tmp_path: Path) -> None:
    scene = dump(
        tmp_path / "dump.json", node("a"), pod("one", gpus=1, app="x"), pod("two", gpus=1, app="y", namespace="other")
    )
    out = here("plan", "--dump", scene, "-n", "other").out
    assert "other/two" in out
    assert "llm/one" not in out
    assert "2 more pods placed" in out


def test_nothing_waits_nothing_moves(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), pod("p", gpus=1, on="a", app="x"))
    assert here("plan", "--dump", scene).lines[-1].startswith("No pod waits, and nothing needs to move.")


def test_too_big_for_any_node_is_proven(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), node("b"), pod("big", gpus=9, app="x"))
    out = here("plan", "--dump", scene).out
    assert "the present placement is proven best" in out


def test_a_full_table_is_one_option_away(here: Here, tmp_path: Path) -> None:
    pods = [pod(f"p{i:02d}", gpus=1, app=f"x{i}") for i in range(40)]
    scene = dump(tmp_path / "dump.json", *(node(f"n{i}") for i in range(5)), *pods)
    table, wide = here("plan", "--dump", scene), here("plan", "--dump", scene, "-o", "wide")
    assert "-o wide shows all" in table.out
    assert all(f"llm/p{i:02d}" in wide.out for i in range(40))


BAD_DUMPS = {
    "truncated": ('{"apiVersion": "v1", "kind": "List", "items": [{"kind": "No', "cut off"),
    "yaml": ("apiVersion: v1\nkind: List\n", "not JSON"),
    "empty": ("", "dump.json"),
    "negative": (
        json.dumps(pod("p", gpus=-1)),
        "dump.json: Pod llm/p: spec.containers[0].resources.requests",
    ),
    "no quantity": (
        json.dumps(node("a") | {"status": {"allocatable": {"cpu": "many"}}}),
        "dump.json: Node a",
    ),
    "number": ("42", "dump.json"),
}


@pytest.mark.parametrize("kind", BAD_DUMPS)
def test_a_dump_that_cannot_be_planned_on_names_the_place(here: Here, tmp_path: Path, kind: str) -> None:
    text, said = BAD_DUMPS[kind]
    path = tmp_path / "dump.json"
    path.write_text(text)
    out = tmp_path / "plan.json"
    ended = here("plan", "--dump", path, "--out", out)
    assert ended.code == 2, ended.out
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--dump", "missing.json"], "missing.json: no such file"),
        (["--dump", "."], "is a folder"),
        (["--dump", "DUMP", "--context", "prod"], "cannot be combined"),
        (["--dump", "DUMP", "--out", "no/such/folder/plan.json"], "does not exist"),
        (["--dump", "DUMP", "--html", "."], "it is a folder"),
        (["--dump", "DUMP", "--budget", "1 fortnight"], "not a duration"),
    ],
)
def test_wrong_options_are_found_before_anything_is_solved(here: Here, scene: Path, args: list[str], said: str) -> None:
    ended = here("plan", *[str(scene) if arg == "DUMP" else arg for arg in args])
    assert ended.code == 2
    assert said in ended.err


def test_warnings_go_to_stderr_and_the_answer_is_sound(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", *fragmented(), pod("ghost", gpus=1, on="gone", app="x"))
    ended = here("plan", "--dump", scene)
    assert ended.code == 0
    assert "warning: UnknownNode" in ended.err
    assert "warning" not in ended.out


def test_a_full_disk_is_said_and_nothing_else_is_claimed(here: Here, scene: Path) -> None:
    ended = here("plan", "--dump", scene, "--out", "/dev/full")
    assert ended.code == 2
    assert "cannot write /dev/full: No space left on device" in ended.err
    assert ended.out == ""


def test_names_cannot_steer_the_terminal(here: Here, tmp_path: Path) -> None:
    evil = "x\x1b]0;owned\x07\x1b[2J[bold]\u202e"
    scene = dump(tmp_path / "dump.json", node("a"), pod(evil, gpus=1, app="x"), pod("y" + evil, gpus=99, on="gone"))
    for args in (("plan",), ("plan", "-o", "wide"), ("why",), ("why", evil), ("why", "nobody" + evil)):
        ended = here(*args, "--dump", scene)
        assert not {"\x1b", "\x07", "\u202e"} & set(ended.out + ended.err)
    assert "[bold]" in here("plan", "--dump", scene).out


def test_the_frontier_begins_with_nobody_moved_and_ends_with_the_plan(here: Here, scene: Path) -> None:
    document = json.loads(here("plan", "--dump", scene, "--frontier", "-o", "json").out)
    points = document["frontier"]
    assert [(p["moves"], p["gained"], p["proven"]) for p in points] == [(0, 0, True), (1, 1, True)]
    text = here("plan", "--dump", scene, "--frontier").out
    assert "Pods gained against pods moved" in text
    assert "PER MOVE" in text


def test_consolidation_empties_nodes(here: Here, tmp_path: Path) -> None:
    objects = [node(n) for n in "abcd"] + [pod(f"p-{n}", gpus=2, on=n, app="x") for n in "abcd"]
    scene = dump(tmp_path / "dump.json", *objects)
    plan = json.loads(here("plan", "--dump", scene, "--consolidate", "-o", "json").out)["plan"]
    assert (plan["nodes_in_use_before"], plan["nodes_in_use_after"]) == (4, 1)
    assert plan["disruption"]["moves"] == 3
    assert "Nodes in use  4 before, 1 after" in here("plan", "--dump", scene, "--consolidate").out


def test_the_picture_is_drawn_for_gpu_clusters_only(here: Here, scene: Path, tmp_path: Path) -> None:
    assert "A━A━A━A━A━A━A━A" in here("plan", "--dump", scene, "--picture").out
    plain = dump(tmp_path / "plain.json", node("a", gpus=0))
    ended = here("plan", "--dump", plain, "--picture")
    assert ended.code == 0
    assert "--html draws any" in ended.err


@pytest.mark.parametrize("args", [("--out", "dump.json"), ("--html", "./dump.json"), ("--out", "p", "--html", "p")])
def test_no_file_is_written_over_that_the_command_reads_or_writes_itself(
    here: Here, scene: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.chdir(scene.parent)
    before = scene.read_bytes()
    ended = here("plan", "--dump", scene, *args)
    assert ended.code == 2
    assert f"cannot write {args[-1].removeprefix('./')}: this command uses that file already" in ended.err
    assert [path.name for path in scene.parent.iterdir()] == ["dump.json"]
    assert scene.read_bytes() == before


def test_a_warning_says_how_often_and_where_first(here: Here, tmp_path: Path) -> None:
    scene = dump(tmp_path / "dump.json", node("a"), *(pod(f"p{i}", gpus=1, on="gone") for i in range(3)))
    ended = here("plan", "--dump", scene)
    assert ended.code == 0
    assert "warning: UnknownNode: " in ended.err
    assert "(3 times, first llm/p0)" in ended.err


def test_those_who_wait_for_other_schedulers_are_counted_apart(here: Here, scene: Path) -> None:
    ended = here("plan", "--dump", scene, "--movable", "berth")
    assert ended.lines[0].startswith("2 nodes, 3 pods, 0 waiting and 1 more for other schedulers. Only pods of")
