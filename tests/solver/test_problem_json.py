"""The JSON lines: what is read, what is refused and how that is said, and that answers are in the pods' names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_solver.options import Options
from berth_solver.problem import Problem
from berth_solver.problem_json import DEDUCTED, LineError, ReadProblem, read_problem
from berth_solver.solution_json import read_solution, write_error, write_solution
from berth_solver.solve import solve
from berth_solver.verify import verify

from .problems import problems

Line = dict[str, Any]


def a_line() -> Line:
    """Two nodes; a web group that runs one of three, an immovable agent on each node, and every kind of constraint."""
    return {
        "id": "p1",
        "resources": ["cpu", "memory"],
        "nodes": [{"name": "n1", "capacity": [10, 10]}, {"name": "n2", "capacity": [10, 10]}],
        "pods": [
            {"name": "web-0", "group": "web", "priority": 1, "request": [4, 4], "node": "n1"},
            {"name": "web-1", "group": "web", "priority": 1, "request": [4, 4], "node": None},
            {"name": "web-2", "group": "web", "priority": 1, "request": [4, 4], "node": None},
            {"name": "agent-0", "group": "agent", "priority": 9, "request": [1, 1], "node": "n1", "movable": False},
            {"name": "agent-1", "group": "agent", "priority": 9, "request": [1, 1], "node": "n2", "movable": False},
        ],
        "constraints": {
            "limits": [{"pods": ["web-0", "web-1", "web-2"], "domains": [["n1"], ["n2"]], "max": 2}],
            "exclusions": [{"pods": ["web-0"], "others": ["web-1"], "domains": [["n1", "n2"]]}],
            "affinities": [{"pods": ["web-1"], "others": ["web-0"], "domains": [["n1", "n2"]]}],
            "spreads": [{"pods": ["web-0"], "domains": [["n1"], ["n2"]], "max_skew": 1}],
            "gangs": [{"pods": ["web-1", "web-2"], "min": 1}],
            "budgets": [{"pods": ["web-0"], "max_disrupted": 1}],
            "max_disruption": 5,
        },
    }


def plain_line() -> Line:
    line = a_line()
    del line["constraints"]
    return line


def encode(line: Line) -> bytes:
    return json.dumps(line).encode()


def read(line: Line) -> ReadProblem:
    return read_problem(encode(line))


def test_identical_pods_are_one_class_whatever_their_group() -> None:
    line = plain_line()
    line["pods"][1]["group"] = "other"
    found = read(line)
    assert [(c.pending, c.request) for c in found.problem.classes] == [(2, (4, 4))]
    assert found.class_of == (0, 0, 0, DEDUCTED, DEDUCTED)


@pytest.mark.parametrize(
    ("field", "value"),
    [("priority", 2), ("request", [4, 5]), ("eligible", ["n1"]), ("move_cost", 2), ("preference", {"n2": 0.5})],
)
def test_any_difference_that_matters_makes_a_class_of_its_own(field: str, value: object) -> None:
    line = plain_line()
    line["pods"][1][field] = value
    assert len(read(line).problem.classes) == 2


def test_being_named_by_a_constraint_makes_a_class_of_its_own() -> None:
    line = plain_line()
    line["constraints"] = {"budgets": [{"pods": ["web-1"], "max_disrupted": 0}]}
    assert len(read(line).problem.classes) == 2


def test_order_and_repetition_in_lists_of_nodes_mean_nothing() -> None:
    line = plain_line()
    line["nodes"].append({"name": "n3", "capacity": [1, 1]})
    line["pods"][0]["eligible"], line["pods"][1]["eligible"] = ["n1", "n2"], ["n2", "n1", "n2"]
    line["pods"][2]["eligible"] = ["n3", "n2", "n1"]
    classes = read(line).problem.classes
    assert [c.eligible for c in classes] == [frozenset({0, 1}), None]


def test_immovable_pods_are_weight_and_still_counted_in_the_answer() -> None:
    line = plain_line()
    found = read(line)
    assert found.problem.capacity.tolist() == [[9, 9], [9, 9]]
    tiers = json.loads(write_solution(found, solve(found.problem, Options(budget=0.3))))["tiers"]
    assert tiers[0] == {"priority": 9, "pods": 2, "placed": 2, "bound": 2, "certificate": "Optimal"}


def test_an_immovable_pod_that_a_constraint_counts_keeps_its_place_and_asks_for_nothing() -> None:
    line = plain_line()
    line["constraints"] = {"exclusions": [{"pods": ["web-1"], "others": ["agent-0"], "domains": [["n1"], ["n2"]]}]}
    line["constraints"]["budgets"] = [{"pods": ["agent-1"], "max_disrupted": 0}]
    found = read(line)
    agent = found.problem.classes[found.class_of[3]]
    assert not agent.movable
    assert agent.request == (0, 0)
    assert found.problem.capacity.tolist() == [[9, 9], [9, 9]]
    assert found.class_of[4] == DEDUCTED


def test_more_immovable_weight_than_a_node_holds_leaves_it_overloaded() -> None:
    line = plain_line()
    line["pods"][3]["request"] = [12, 1]
    problem = read(line).problem
    assert problem.overloaded.tolist() == [True, False]


def test_every_constraint_arrives() -> None:
    c = read(a_line()).problem.constraints
    assert c.limits[0].maximum == 2
    assert c.limits[0].domain_of == (0, 1)
    assert c.exclusions[0].classes != c.exclusions[0].others
    assert c.affinities[0].domain_of == (0, 0)
    assert c.spreads[0].max_skew == 1
    assert c.gangs[0].minimum == 1
    assert c.budgets[0].max_disrupted == 1
    assert c.max_disruption == 5


def put(path: str, value: object) -> Callable[[Line], None]:
    """Sets a field, given as `pods.0.node`."""

    def change(line: Line) -> None:
        at: Any = line
        *way, last = path.split(".")
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        if last.isdigit():
            at[int(last)] = value
        else:
            at[last] = value

    return change


REFUSED: list[tuple[Callable[[Line], None], list[str]]] = [
    (put("pods.1.node", "n9"), ["web-1", "node", "n9"]),
    (put("pods.1.name", "web-0"), ["web-0", "share this name"]),
    (put("nodes.1.name", "n1"), ["n1", "share this name"]),
    (put("resources.1", "cpu"), ["cpu", "share this name"]),
    (put("pods.1.request.0", -1), ["web-1", "request", ">= 0"]),
    (put("pods.1.request.0", 1.5), ["web-1", "request", "int"]),
    (put("pods.1.request.0", 1 << 60), ["web-1", "request", "<="]),
    (put("pods.1.request", [1]), ["web-1", "request", "1 amounts"]),
    (put("pods.1.request", None), ["web-1", "request"]),
    (put("nodes.0.capacity.1", -1), ["n1", "capacity"]),
    (put("nodes.0.capacity", [1, 2, 3]), ["n1", "capacity", "3 amounts"]),
    (put("pods.1.priority", "high"), ["web-1", "priority"]),
    (put("pods.1.priority", 1 << 40), ["web-1", "priority"]),
    (put("pods.1.move_cost", -1), ["web-1", "move_cost"]),
    (put("pods.1.eligible", ["n9"]), ["web-1", "eligible", "n9"]),
    (put("pods.1.preference", {"n9": 1}), ["web-1", "preference", "n9"]),
    (put("pods.1.preference", {"n1": 1.5}), ["web-1", "preference"]),
    (put("pods.1.elegible", ["n1"]), ["web-1", "unknown field", "elegible"]),
    (put("constraint", {}), ["unknown field", "constraint"]),
    (put("constraints.limits.0.pods.0", "web-9"), ["limits[0].pods", "web-9"]),
    (put("constraints.limits.0.domains", [["n9"]]), ["limits[0].domains[0]", "n9"]),
    (put("constraints.spreads.0.domains", [["n1"], ["n2", "n1"]]), ["spreads[0].domains[1]", "n1", "already"]),
    (put("constraints.spreads.0.max_skew", 0), ["spreads", "max_skew"]),
    (put("constraints.gangs.0.min", 0), ["gangs", "min"]),
    (put("constraints.budgets.0.max_disrupted", -1), ["budgets", "max_disrupted"]),
    (put("constraints.max_disruption", -1), ["max_disruption"]),
    (put("constraints.limit", []), ["unknown field", "limit"]),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[" ".join(words) for _, words in REFUSED])
def test_a_bad_line_is_refused_by_name(change: Callable[[Line], None], words: list[str]) -> None:
    line = a_line()
    change(line)
    with pytest.raises(LineError) as error:
        read(line)
    assert error.value.id == "p1"
    assert all(word in str(error.value) for word in words), str(error.value)
    assert json.loads(write_error(error.value)) == {"id": "p1", "error": str(error.value)}


NOT_JSON = {
    "nothing": b"",
    "truncated": encode(a_line())[:-40],
    "another kind": b"[1, 2]",
    "not text": b'{"id": "\xff"}',
    "too deep": b"[" * 100_000,
    "NaN": encode(a_line()).replace(b"[4, 4]", b"[NaN, 4]"),
    "lone surrogate": b'{"id": "\\ud800", "pods": []}',
    "endless number": encode(a_line()).replace(b"[4, 4]", b"[" + b"9" * 6000 + b"]"),
    "infinite number": encode(a_line()).replace(b"[4, 4]", b"[1e999, 4]"),
    "id is a list": encode(a_line()).replace(b'"p1"', b"[1]"),
}


@pytest.mark.parametrize("line", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_no_problem_is_an_error_line(line: bytes) -> None:
    with pytest.raises(LineError) as error:
        read_problem(line)
    answer = json.loads(write_error(error.value))
    assert set(answer) == {"id", "error"}
    assert answer["error"]


def test_nan_is_blamed_on_its_pod() -> None:
    with pytest.raises(LineError, match="web-0"):
        read_problem(NOT_JSON["NaN"])


def test_sums_beyond_64_bits_are_refused() -> None:
    line = plain_line()
    line["pods"] += [{"name": f"x{i}", "priority": 0, "request": [1 << 53, 0]} for i in range(600)]
    with pytest.raises(LineError, match="coarser unit"):
        read(line)


def test_an_empty_problem_has_an_empty_answer() -> None:
    found = read({"id": 7, "resources": [], "nodes": [], "pods": []})
    answer = json.loads(write_solution(found, solve(found.problem, Options(budget=0.2))))
    assert answer["id"] == 7
    assert answer["tiers"] == []
    assert answer["assignment"] == {}


def line_of(problem: Problem) -> Line:
    """Any problem as a line: one pod for each that a class has, domains as lists of names."""
    pods: list[Line] = []
    of_class: list[list[str]] = []
    for c, k in enumerate(problem.classes):
        places = [problem.nodes[s.node] for s in problem.standing if s.pod_class == c for _ in range(s.count)]
        mine = [f"{k.name}-{i}" for i in range(len(places) + k.pending)]
        of_class.append(mine)
        for name, node in zip(mine, [*places, *([None] * k.pending)], strict=True):
            pod = {"name": name, "priority": k.priority, "request": list(k.request), "node": node}
            pod |= {"movable": k.movable, "move_cost": k.move_cost}
            pod |= {"preference": {problem.nodes[n]: share for n, share in k.preference}}
            pods.append(pod if k.eligible is None else pod | {"eligible": [problem.nodes[n] for n in k.eligible]})

    def names(group: frozenset[int]) -> list[str]:
        return [name for c in sorted(group) for name in of_class[c]]

    def domains(domain_of: tuple[int, ...]) -> list[list[str]]:
        most = max(domain_of, default=-1)
        return [[problem.nodes[n] for n, at in enumerate(domain_of) if at == d] for d in range(most + 1)]

    old = problem.constraints
    constraints = {
        "limits": [{"pods": names(x.classes), "domains": domains(x.domain_of), "max": x.maximum} for x in old.limits],
        "exclusions": [
            {"pods": names(x.classes), "others": names(x.others), "domains": domains(x.domain_of)}
            for x in old.exclusions
        ],
        "affinities": [
            {"pods": names(x.classes), "others": names(x.others), "domains": domains(x.domain_of)}
            for x in old.affinities
        ],
        "gangs": [{"pods": names(x.classes), "min": x.minimum} for x in old.gangs],
        "budgets": [{"pods": names(x.classes), "max_disrupted": x.max_disrupted} for x in old.budgets],
    }
    nodes = [
        {"name": name, "capacity": [max(0, a) for a in row]}
        for name, row in zip(problem.nodes, problem.capacity.tolist(), strict=True)
    ]
    line: Line = {"id": "x", "resources": list(problem.resources), "nodes": nodes, "pods": pods}
    line["constraints"] = constraints
    return line


@settings(max_examples=60, deadline=None)
@given(problems(max_nodes=4, max_classes=5))
def test_answers_read_back_and_nothing_moves_without_need(problem: Problem) -> None:
    """Pods away from their node, by name and weighted, are exactly the disruption: identical pods never swap."""
    line = line_of(problem)
    found = read(line)
    solution = solve(found.problem, Options(budget=0.3, threads=1))
    written = write_solution(found, solution)
    answer = json.loads(written)
    assert list(answer["assignment"]) == [pod["name"] for pod in line["pods"]]
    away = [pod for pod in line["pods"] if pod["node"] and answer["assignment"][pod["name"]] != pod["node"]]
    assert sum(pod["move_cost"] for pod in away) == answer["disruption"]["value"]
    again = read_solution(found, written)
    assert (again.placement == solution.placement).all()
    assert verify(found.problem, again, seconds=0.0).holds
    for priority in {pod["priority"] for pod in line["pods"]}:
        mine = [pod["name"] for pod in line["pods"] if pod["priority"] == priority]
        tier = next(t for t in answer["tiers"] if t["priority"] == priority)
        assert tier["pods"] == len(mine)
        assert tier["placed"] == sum(answer["assignment"][name] is not None for name in mine)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_order_of_pods_means_nothing(data: st.DataObject) -> None:
    line = line_of(data.draw(problems()))
    shuffled = line | {"pods": data.draw(st.permutations(line["pods"]))}
    here, there = read(line).problem, read(shuffled).problem
    assert (here.capacity == there.capacity).all()
    assert sorted((c.priority, c.request, c.pending) for c in here.classes) == sorted(
        (c.priority, c.request, c.pending) for c in there.classes
    )


def test_displaced_pods_get_new_places_before_pending_ones() -> None:
    """The node of web-0 is too small now: web-0 takes the one place there is, not web-1."""
    line = plain_line()
    line["nodes"][0]["capacity"] = [2, 2]
    line["pods"] = line["pods"][:2]
    line["nodes"][1]["capacity"] = [4, 4]
    line["pods"].insert(0, {"name": "top", "priority": 5, "request": [2, 2], "node": None, "eligible": ["n1"]})
    line["nodes"][0]["capacity"] = [5, 5]
    found = read(line)
    answer = json.loads(write_solution(found, solve(found.problem, Options(budget=0.5))))
    assert answer["assignment"] == {"top": "n1", "web-0": "n2", "web-1": None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a["assignment"].pop("web-0"), "web-0"),
        (lambda a: a["assignment"].update({"web-0": "n9"}), "n9"),
        (lambda a: a["assignment"].update({"stranger": "n1"}), "stranger"),
        (lambda a: a["assignment"].update({"agent-0": "n2"}), "agent-0"),
        (lambda a: a.update(id="p2"), "p2"),
        (lambda a: a.pop("tiers"), "tiers"),
    ],
)
def test_an_answer_to_something_else_is_refused(change: Callable[[Line], object], words: str) -> None:
    found = read(plain_line())
    answer = json.loads(write_solution(found, solve(found.problem, Options(budget=0.3))))
    change(answer)
    with pytest.raises(LineError, match=words):
        read_solution(found, encode(answer))


def test_the_documented_problem_has_the_documented_answer() -> None:
    text = (Path(__file__).parents[2] / "docs" / "solver.md").read_text()
    problem, answer = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    found = read(problem)
    solution = solve(found.problem, Options(budget=2.0))
    assert verify(found.problem, solution).is_proven
    written = json.loads(write_solution(found, solution))
    for times in ("first_improvement_seconds", "elapsed_seconds"):
        assert isinstance(written.pop(times), float)
        del answer[times]
    assert written == answer
