"""Starting quickly, explaining itself, and the words for wrong usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .command import Here, berth

COMMANDS = (
    "demo",
    "plan",
    "why",
    "what-if",
    "hint",
    "status",
    "plans",
    "top",
    "ui",
    "adopt",
    "verify",
    "solve",
    "import",
    "model",
    "extender",
    "operator",
    "gateway",
    "version",
)
HEAVY = (
    "numba",
    "llvmlite",
    "ortools",
    "numpy",
    "pandas",
    "yaml",
    "msgspec",
    "kubernetes",
    "kopf",
    "fastapi",
    "uvicorn",
    "aiohttp",
)


def imported(*args: str) -> set[str]:
    """Top-level modules that `berth args` imports."""
    code = (
        "import sys, json, os; from berth_cli.main import main; sys.stdout = open(os.devnull, 'w'); code = main(sys.argv[1:]);"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})), file=sys.__stdout__)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, timeout=60, check=True)
    return set(json.loads(ended.stdout))


@pytest.mark.parametrize(
    "args",
    [("--help",), ("version",), ("plan", "--help"), ("solve", "--help"), ("status", "--help"), ("operator", "--help")],
)
def test_commands_that_compute_nothing_import_nothing_heavy(args: tuple[str, ...]) -> None:
    assert not imported(*args) & set(HEAVY)


def test_making_a_dump_needs_no_solver(tmp_path: Path) -> None:
    nodes = tmp_path / "nodes.csv"
    pods = tmp_path / "pods.csv"
    nodes.write_text("sn,cpu_milli,memory_mib,gpu,model\nn1,64000,262144,2,P100\n")
    pods.write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        "p1,12000,16384,1,1000,,LS,Running,0,12537496,0\n"
    )
    found = imported("import", "openb", "--nodes", str(nodes), "--pods", str(pods))
    assert not found & {"numba", "ortools", "pandas"}


def test_help_names_every_command_and_where_to_start(here: Here) -> None:
    ended = here("--help")
    assert ended.code == 0
    for command in COMMANDS:
        assert f"\n  {command} " in ended.out
    assert "berth plan --dump dump.json" in ended.out


@pytest.mark.parametrize("command", [c for c in COMMANDS if c not in ("import", "version")])
def test_each_command_explains_itself_with_examples_and_exit_codes(here: Here, command: str) -> None:
    out = here(command, "--help").out
    assert f"berth {command}" in out
    assert "Examples:" in out
    assert "Exit codes:" in out


def test_without_a_command_the_help_is_shown_as_a_usage_error() -> None:
    ended = berth()
    assert ended.code == 2
    assert "Commands:" in ended.out + ended.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("paln",), "Did you mean 'plan'"),
        (("plan", "--bugdet", "1s"), "--budget"),
        (("plan", "-o", "xml"), "xml"),
        (("plan", "--dump"), "--dump"),
        (("plan", "--movable", "some"), "some"),
        (("plan", "--max-moves", "-1"), "--max-moves"),
        (("why", "--dump", "/nowhere/dump.json"), "/nowhere/dump.json: no such file"),
    ],
)
def test_wrong_usage_is_met_with_a_sentence(here: Here, args: tuple[str, ...], said: str) -> None:
    ended = here(*args)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_the_kubectl_plugin_calls_itself_so(tmp_path: Path) -> None:
    plugin = Path(sys.executable).parent / "kubectl-berth"
    ended = subprocess.run([plugin, "plan", "--help"], capture_output=True, check=True, env=dict(os.environ))
    assert b"Usage: kubectl berth plan" in ended.stdout
