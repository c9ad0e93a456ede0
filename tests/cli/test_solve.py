"""`berth solve` as another program uses it: lines in, lines out, and what goes wrong on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .command import Here, berth


def problem(name: str = "one", **changes: Any) -> dict[str, Any]:
    """Two nodes of 8 GPUs, each half full, and an urgent pod that needs a whole one: one move makes room."""
    return {
        "id": name,
        "resources": ["gpu"],
        "nodes": [{"name": "a", "capacity": [8]}, {"name": "b", "capacity": [8]}],
        "pods": [
            {"name": "urgent", "priority": 10, "request": [8]},
            {"name": "left", "priority": 0, "request": [4], "node": "a"},
            {"name": "right", "priority": 0, "request": [4], "node": "b"},
        ],
    } | changes


def lines(*problems: object) -> str:
    return "".join((p if isinstance(p, str) else json.dumps(p)) + "\n" for p in problems)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "problems.jsonl"


def test_an_urgent_pod_gets_a_node_by_moving_one_that_is_not(here: Here, file: Path) -> None:
    file.write_text(lines(problem()))
    ended = here("solve", "--budget", "1s", file)
    assert ended.code == 0, ended.err
    answer = json.loads(ended.out)
    assert answer["id"] == "one"
    assert [(t["priority"], t["placed"], t["bound"], t["certificate"]) for t in answer["tiers"]] == [
        (10, 1, 1, "Optimal"),
        (0, 2, 2, "Optimal"),
    ]
    assert answer["disruption"] == {"value": 1, "bound": 1, "certificate": "Optimal"}
    assert sorted(answer["assignment"]) == ["left", "right", "urgent"]
    assert answer["assignment"]["left"] == answer["assignment"]["right"] != answer["assignment"]["urgent"]
    assert 0 < answer["first_improvement_seconds"] <= answer["elapsed_seconds"] < 2


def test_pending_only_moves_nobody(here: Here, file: Path) -> None:
    file.write_text(lines(problem()))
    answer = json.loads(here("solve", "--pending-only", file).out)
    assert answer["assignment"] == {"urgent": None, "left": "a", "right": "b"}


def test_a_bad_line_is_answered_in_its_place_and_the_others_are_solved() -> None:
    ended = berth(
        "solve", "-", stdin=lines(problem("1"), "no json", problem("2", pods=[{"name": "x"}]), "", problem("3"))
    )
    answers = [json.loads(line) for line in ended.lines]
    assert [a["id"] for a in answers] == ["1", None, "2", "3"]
    assert ["error" in a for a in answers] == [False, True, True, False]
    assert "x" in answers[2]["error"]
    assert ended.code == 2
    assert "2 of 4 lines" in ended.err
    assert "-:2" in ended.err


def test_answers_come_one_by_one_while_the_pipe_stays_open() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "berth_cli.main", "solve", "--budget", "200ms", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("first", "second"):
            process.stdin.write(lines(problem(name)).encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == name
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["."], "folder"),
        (["--budget", "soon", "-"], "not a duration"),
        (["--budget", "0s", "-"], "out of range"),
        (["--threads", "0", "-"], "threads"),
        (["--pending", "-"], "--pending"),
    ],
)
def test_wrong_usage_says_what_is_wrong(here: Here, args: list[str], said: str) -> None:
    ended = here("solve", *args)
    assert ended.code == 2
    assert said in ended.err
    assert ended.out == ""


def test_a_problem_printed_over_several_lines_is_met_with_advice(here: Here, file: Path) -> None:
    file.write_text(json.dumps(problem(), indent=2))
    ended = here("solve", file)
    assert ended.code == 2
    assert "jq -c" in ended.err


def test_verify_checks_each_answer(here: Here, file: Path) -> None:
    file.write_text(lines(problem()))
    ended = here("solve", "--verify", file)
    assert ended.code == 0, ended.err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    many = lines(*[problem(str(i)) for i in range(2000)])
    command = f"{sys.executable} -m berth_cli.main solve --budget 10ms - | head -n 1"
    ended = subprocess.run(["bash", "-c", command], input=many.encode(), capture_output=True, timeout=100, check=False)
    assert json.loads(ended.stdout)["id"] == "0"
    assert b"rror" not in ended.stderr
