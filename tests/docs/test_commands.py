"""The commands of the documentation: those on files are run, all others are at least ones that exist.

docs/tooling/where_run.py says where each is run; e2e/tests/test_docs.py runs those that need a cluster.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from berth_cli.main import main
from docs.tooling import commands, shell, where_run
from docs.tooling.where_run import Where, where

ROOT = shell.ROOT
SHOWN = shell.shown()


def is_here(command: str) -> bool:
    with suppress(ValueError):  # the first test tells of commands that nothing knows
        return where(command) is Where.HERE
    return False


HERE = list(dict.fromkeys(s.command for s in SHOWN if is_here(s.command)))


def berth_lines() -> list[str]:
    """All berth commands, wherever they are run, without what the shell does."""
    lines = []
    for shown in SHOWN:
        for part in re.split(r" \| | && | [<>] ", shown.command):
            words = part.replace("kubectl berth ", "berth ").replace(".venv/bin/", "").replace("elsewhere/bin/", "")
            if words.startswith("berth "):
                lines.append(words)
    return list(dict.fromkeys(lines))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the pages name."""
    here: Path = tmp_path_factory.mktemp("reader")
    with at(here):
        assert main(["demo", "--save-dump", "demo.json", "--html", ""]) == 0
        dump = json.loads(Path("demo.json").read_text())
        running = next(i for i in dump["items"] if i["kind"] == "Pod" and i["spec"].get("nodeName"))
        hinted = json.loads(json.dumps(running))
        hinted["metadata"] |= {
            "name": "web-1",
            "uid": "web-1",
            "annotations": {"berth.dev/allocation-hint": "on H100s"},
        }
        dump["items"].append(hinted)
        Path("dump.json").write_text(json.dumps(dump))
        Path("dump-all.json.gz").write_bytes(gzip.compress(json.dumps(dump).encode()))
        assert main(["plan", "--dump", "dump.json", "--out", "plan.json"]) == 0
        problem = re.search(
            r"## The problem line.*?```json\n(.*?)```", (ROOT / "docs/solver.md").read_text(), re.DOTALL
        )
        assert problem is not None
        Path("problems.jsonl").write_text(json.dumps(json.loads(problem[1])) + "\n")
        Path("instances.jsonl").write_text(Path("problems.jsonl").read_text())
        Path("hints.jsonl").write_text('{"id": "1", "hint": "on H100s"}\n')
        Path("names.json").write_text('{"zones": ["eu-west-1a"], "deployments": ["postgres"]}')
    return here


@contextmanager
def at(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def test_what_pages_show_is_run_somewhere_or_said_why_not() -> None:
    assert len(SHOWN) > 100
    for shown in SHOWN:
        where(shown.command)
    unused = [p for p in where_run.NOT_RUN if not any(re.match(p, s.command) for s in SHOWN)]
    assert unused == []


@pytest.mark.parametrize("command", HERE)
def test_a_command_on_files_does_what_its_page_says(
    command: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words, given, made = redirected(command)
    with at(folder), standard_input(given):
        code = main(words)
    out, err = capfd.readouterr()
    assert code == 0, err
    assert out.strip()
    if made:
        (folder / made).write_text(out)


def redirected(command: str) -> tuple[list[str], str, str]:
    """Words, the file on standard input, the file for standard output; `*` as the shell takes it."""
    words, given, made = [], "", ""
    rest = iter(shlex.split(command)[1:])
    for word in rest:
        if word == "<":
            given = next(rest)
        elif word == ">":
            made = next(rest)
        else:
            words.append(word.replace("dump-*.json.gz", "dump-all.json.gz"))
    return words, given, made


@contextmanager
def standard_input(path: str) -> Iterator[None]:
    kept = sys.stdin
    with open(path or os.devnull) as sys.stdin:
        try:
            yield
        finally:
            sys.stdin = kept


@pytest.mark.parametrize("line", berth_lines())
def test_a_berth_command_has_the_options_that_pages_give_it(line: str) -> None:
    words = shlex.split(line)
    name = max((c for c in commands.command_lines() if [*words][: len(c.split())] == c.split()), key=len)
    given = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    assert given <= commands.options_of(name), name


def test_make_targets_and_files_that_pages_name_exist() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for shown in SHOWN:
        for named in re.findall(r"(?:^|&& )make ([a-z][a-z0-9-]*)", shown.command):
            assert named in targets, shown
        for path in re.findall(r"(?<![\w/])((?:manifests|charts|e2e|docs)/[\w./-]+)", shown.command):
            assert (ROOT / path).exists(), shown


def test_values_that_pages_set_are_values_of_the_chart() -> None:
    values = yaml.safe_load((ROOT / "charts/berth/values.yaml").read_text())
    found = [(s, path) for s in SHOWN for path in re.findall(r"--set ([\w.]+)=", s.command)]
    assert found
    for shown, path in found:
        at_path = values
        for part in path.split("."):
            assert part in at_path, shown
            at_path = at_path[part]


def test_fetch_has_the_options_that_pages_give_it() -> None:
    from berth_operator.weights.main import arguments

    for shown in (s for s in SHOWN if s.command.startswith("berth-fetch ")):
        arguments().parse_args(shlex.split(shown.command)[1:])


def test_shell_commands_are_shell() -> None:
    """The real shell reads each without running it."""
    script = "\n".join(s.command for s in SHOWN)
    ended = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
