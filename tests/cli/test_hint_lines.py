"""`berth hint --jsonl`: a filter that answers line by line, and names the lines that are no hints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .command import Here, berth


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_answers_come_in_the_order_of_the_hints_each_with_its_id(here: Here, tmp_path: Path) -> None:
    asked = tmp_path / "hints.jsonl"
    hints = [("b", "spread over zones"), (7, "on H100s"), ("a", "")]
    asked.write_text("".join(json.dumps({"id": i, "hint": h, "label": "x"}) + "\n" for i, h in hints))
    ended = here("hint", "--jsonl", asked)
    assert ended.code == 0, ended.err
    found = lines(ended.out)
    assert [answer["id"] for answer in found] == ["b", 7, "a"]
    assert [[p["intent"] for p in answer["preferences"]] for answer in found] == [
        ["spread_zones"],
        ["prefer_gpu_model"],
        [],
    ]
    assert list(found[0]) == ["id", "preferences", "unparsed", "warnings"]
    assert ended.err == ""


def test_each_answer_is_there_before_the_next_hint_is_given() -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-m", "berth_cli.main", "hint", "--jsonl", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=buffered,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for i in range(3):
            process.stdin.write(json.dumps({"id": str(i), "hint": "spread over racks"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == str(i)
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("line", "said", "identity"),
    [
        ('{"hint": "spread over zones"}', "id", None),
        ('{"id": "x"}', "hint", "x"),
        ('{"id": "x", "hint": 3}', "hint", "x"),
        ('{"id": null, "hint": "spread"}', "id", None),
        ('{"id": "x", "hint": null}', "hint", "x"),
        ("spread over zones", "not JSON", None),
        ('["spread"]', "object", None),
        ('{"id": "x", "hint": "half', "not JSON", None),
    ],
)
def test_a_bad_line_is_answered_in_its_place_and_named_and_the_others_are_answered(
    line: str, said: str, identity: str | None
) -> None:
    good = '{"id": "1", "hint": "spread over zones"}'
    ended = berth("hint", "--jsonl", "-", stdin=f"{good}\n\n{line}\n{good}\n")
    assert ended.code == 2
    first, bad, last = lines(ended.out)
    assert first == last
    assert first["preferences"]
    assert bad["id"] == identity
    assert "line 3" in bad["error"]
    assert said in bad["error"]
    assert "standard input: line 3" in ended.err


def test_bytes_that_are_no_text_and_a_line_without_end() -> None:
    good = b'{"id": "1", "hint": "spread over zones"}\n'
    endless = b'{"id": "2", "hint": "' + b"x" * 3_000_000 + b'"}\n'
    ended = berth("hint", "--jsonl", "-", stdin=b'{"id": "0", "hint": "\xff"}\n' + endless + good)
    assert ended.code == 2
    broken, long, fine = lines(ended.out)
    assert "line 1" in broken["error"]
    assert "longer than" in long["error"]
    assert fine["preferences"]


def test_many_bad_lines_are_counted(here: Here, tmp_path: Path) -> None:
    asked = tmp_path / "hints.jsonl"
    asked.write_text("no\n" * 1_000)
    ended = here("hint", "--jsonl", asked)
    assert len(ended.lines) == 1_000
    assert "980 more" in ended.err
    assert len(ended.err.splitlines()) < 30


def test_a_hint_of_control_characters_is_one_line_of_json() -> None:
    ended = berth(
        "hint", "--jsonl", "-", stdin=json.dumps({"id": "\n", "hint": "spread over zones\n\x00\u2028, ok"}) + "\n"
    )
    assert ended.code == 0, ended.err
    (answer,) = ended.out.rstrip("\n").split("\n")
    assert json.loads(answer)["id"] == "\n"


def test_names_of_a_vocabulary_hold_for_every_line(here: Here, tmp_path: Path) -> None:
    names, asked = tmp_path / "names.json", tmp_path / "hints.jsonl"
    names.write_text('{"racks": ["r-1", "r-2", "r-3"], "deployments": ["postgres"]}')
    asked.write_text('{"id": "1", "hint": "near postgress"}\n{"id": "2", "hint": "away from postgres"}\n')
    found = lines(here("hint", "--vocabulary", names, "--jsonl", asked).out)
    assert [answer["preferences"][0]["values"] for answer in found] == [["postgres"], ["postgres"]]
