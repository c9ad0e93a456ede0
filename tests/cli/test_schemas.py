"""The published schemas are those of the code, and lines that are right or wrong are so to both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from berth_cli.schemas import FILES, schema_of

from .command import Here

DOCS = Path(__file__).parents[2] / "docs"

PROBLEM: dict[str, Any] = {
    "id": 7,
    "resources": ["cpu", "memory"],
    "nodes": [{"name": "a", "capacity": [4, 8]}, {"name": "b", "capacity": [4, 8]}],
    "pods": [
        {"name": "p", "group": "g", "priority": 5, "request": [2, 2], "node": None, "eligible": ["a"]},
        {
            "name": "q",
            "group": "g",
            "priority": 0,
            "request": [3, 3],
            "node": "a",
            "move_cost": 2,
            "preference": {"b": 0.5},
        },
        {"name": "r", "group": "h", "priority": 0, "request": [1, 1], "node": "b", "movable": False},
    ],
    "constraints": {
        "limits": [{"pods": ["p", "q"], "domains": [["a"], ["b"]], "max": 1}],
        "exclusions": [{"pods": ["p"], "others": ["r"], "domains": [["a"], ["b"]]}],
        "affinities": [{"pods": ["q"], "others": ["r"], "domains": [["a"], ["b"]]}],
        "spreads": [{"pods": ["p", "q"], "domains": [["a"], ["b"]], "max_skew": 2}],
        "gangs": [{"pods": ["p"], "min": 1}],
        "budgets": [{"pods": ["q"], "max_disrupted": 1}],
        "max_disruption": 4,
    },
}


def validator(name: str) -> Draft202012Validator:
    schema = json.loads((DOCS / name).read_bytes())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", FILES)
def test_the_published_schema_is_that_of_the_code(name: str) -> None:
    assert (DOCS / name).read_bytes() == schema_of(name), "run: python -m berth_cli.schemas docs"


def test_a_problem_with_everything_in_it_is_valid_and_its_answers_are_too(here: Here, tmp_path: Path) -> None:
    assert list(validator("problem.schema.json").iter_errors(PROBLEM)) == []
    file = tmp_path / "problems.jsonl"
    file.write_text(json.dumps(PROBLEM) + "\nno problem\n")
    ended = here("solve", file)
    answers = [json.loads(line) for line in ended.lines]
    assert "tiers" in answers[0]
    assert "error" in answers[1]
    for answer in answers:
        assert list(validator("solution.schema.json").iter_errors(answer)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"pods": [{"name": "p", "request": [1, 1]}]},
        {"pods": [{"name": "p", "priority": 1, "request": [-1, 1]}]},
        {"nodes": [{"name": "a", "capacity": ["4", 8]}]},
        {"constraints": {"limit": []}},
        {"constraints": {"gangs": [{"pods": ["p"], "min": 0}]}},
        {"id": None},
    ],
)
def test_what_the_schema_refuses_the_command_refuses(here: Here, tmp_path: Path, change: dict[str, Any]) -> None:
    problem = PROBLEM | change
    assert list(validator("problem.schema.json").iter_errors(problem)) != []
    file = tmp_path / "problems.jsonl"
    file.write_text(json.dumps(problem) + "\n")
    ended = here("solve", file)
    assert ended.code == 2
    assert "error" in json.loads(ended.out)
