"""`berth verify` believes nothing: a false line or plan is found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .command import Here
from .scenes import dump, fragmented
from .test_solve import lines, problem

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def solved(here: Here, tmp_path: Path) -> tuple[Path, Path]:
    problems, solutions = tmp_path / "problems.jsonl", tmp_path / "solutions.jsonl"
    problems.write_text(lines(problem()))
    solutions.write_text(here("solve", problems).out)
    return problems, solutions


def test_a_true_solution_holds_with_every_bound_proven_again(here: Here, solved: tuple[Path, Path]) -> None:
    ended = here("verify", *solved)
    assert (ended.code, ended.out) == (0, "one: holds, with every bound proven again\n")


def _move(answer: dict[str, Any]) -> None:
    answer["assignment"]["left"] = answer["assignment"]["urgent"]


def _boast(answer: dict[str, Any]) -> None:
    answer["tiers"][1]["placed"] = 3


def _hide_a_move(answer: dict[str, Any]) -> None:
    answer["disruption"]["value"] = 0


def _claim_too_much_disruption_is_needed(answer: dict[str, Any]) -> None:
    answer["disruption"]["bound"] = 2


def _sell_nothing_as_optimal(answer: dict[str, Any]) -> None:
    answer["assignment"] = {"urgent": None, "left": "a", "right": "b"}
    answer["tiers"][0] |= {"placed": 0, "bound": 0}
    answer["disruption"] |= {"value": 0, "bound": 0}


def _forget_a_pod(answer: dict[str, Any]) -> None:
    del answer["assignment"]["left"]


def _invent_a_node(answer: dict[str, Any]) -> None:
    answer["assignment"]["left"] = "z"


@pytest.mark.parametrize(
    "change",
    [
        _move,
        _boast,
        _hide_a_move,
        _claim_too_much_disruption_is_needed,
        _sell_nothing_as_optimal,
        _forget_a_pod,
        _invent_a_node,
    ],
)
def test_a_false_solution_is_found_out(here: Here, solved: tuple[Path, Path], change: Change) -> None:
    problems, solutions = solved
    answer = json.loads(solutions.read_text())
    change(answer)
    solutions.write_text(json.dumps(answer) + "\n")
    ended = here("verify", problems, solutions)
    assert ended.code == 1, ended.out
    assert "holds" not in ended.out.replace("does not hold", "")


def test_needless_moves_sold_as_the_least_are_found_out(here: Here, tmp_path: Path) -> None:
    roomy = problem()
    roomy["nodes"] = [{"name": "a", "capacity": [8]}, {"name": "b", "capacity": [8]}, {"name": "c", "capacity": [4]}]
    roomy["pods"][2]["request"] = [3]
    problems, solutions = tmp_path / "problems.jsonl", tmp_path / "solutions.jsonl"
    problems.write_text(lines(roomy))
    answer = json.loads(here("solve", problems).out)
    assert answer["disruption"]["value"] == 1
    answer["assignment"] = {"urgent": "a", "left": "b", "right": "c"}
    answer["disruption"] |= {"value": 2, "bound": 2}
    solutions.write_text(lines(answer))
    ended = here("verify", problems, solutions)
    assert ended.code == 1
    assert "at least 2 was said to be needed, 1 is enough" in ended.out


def test_a_missing_solution_is_a_failure(here: Here, solved: tuple[Path, Path]) -> None:
    problems, solutions = solved
    solutions.write_text("")
    assert here("verify", problems, solutions).code == 1


@pytest.fixture
def planned(here: Here, tmp_path: Path) -> tuple[Path, Path]:
    scene, plan = dump(tmp_path / "dump.json", *fragmented()), tmp_path / "plan.json"
    assert here("plan", "--dump", scene, "--out", plan).code == 0
    return scene, plan


def _forget_the_eviction(plan: dict[str, Any]) -> None:
    for wave in plan["waves"]:
        wave["evictions"] = []
        for step in wave["steps"]:
            step["evictions"] = []


def _promise_more(plan: dict[str, Any]) -> None:
    plan["tiers"][1]["placed_after"] += 1


def _name_another_node(plan: dict[str, Any]) -> None:
    plan["waves"][0]["evictions"][0]["node"] = "z"


def _understate(plan: dict[str, Any]) -> None:
    plan["disruption"]["moves"] = 0


@pytest.mark.parametrize("change", [_forget_the_eviction, _promise_more, _name_another_node, _understate])
def test_a_false_plan_is_found_out(here: Here, planned: tuple[Path, Path], change: Change) -> None:
    scene, path = planned
    document = json.loads(path.read_text())
    change(document["plan"])
    path.write_text(json.dumps(document))
    ended = here("verify", "--dump", scene, "--plan", path)
    assert ended.code == 1
    assert "does not hold" in ended.out


def test_a_plan_for_another_moment_is_found_out(here: Here, planned: tuple[Path, Path], tmp_path: Path) -> None:
    without_urgent = dump(tmp_path / "later.json", *fragmented()[:-1])
    ended = here("verify", "--dump", without_urgent, "--plan", planned[1])
    assert ended.code == 1
    assert "pod llm/urgent is not in the input" in ended.out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "verify takes PROBLEMS and SOLUTIONS"),
        (["one.jsonl"], "verify takes PROBLEMS and SOLUTIONS"),
        (["one.jsonl", "two.jsonl"], "No such file"),
        (["--plan", "nowhere.json"], "No such file"),
    ],
)
def test_wrong_usage(here: Here, args: list[str], said: str) -> None:
    ended = here("verify", *args)
    assert ended.code == 2
    assert said in ended.err


def test_a_file_that_is_no_plan(here: Here, planned: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"kind": "List"}')
    ended = here("verify", "--dump", planned[0], "--plan", other)
    assert ended.code == 2
    assert "not a plan" in ended.err


def test_lines_that_are_no_problems_are_not_taken_for_verified(here: Here, solved: tuple[Path, Path]) -> None:
    ended = here("verify", solved[1], solved[1])
    assert ended.code == 2
    assert f"{solved[1]}:1: no problem: " in ended.out
