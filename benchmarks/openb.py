"""The Alibaba GPU trace as whole commands: `berth import openb`, then `berth plan` on the dump it makes.

Timed from outside, process start included. The first run also pays for cold file caches; the target speaks of the later ones.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.record import CommandTiming

NODES_FILE = "openb_node_list_all_node.csv"
PODS_FILE = "openb_pod_list_default.csv"
RUNS = 3
COMMAND_TIMEOUT = 120.0
TAIL_LINES = 12


def measure_openb(folder: Path) -> tuple[CommandTiming, ...]:
    """Import once, plan `RUNS` times."""
    with tempfile.TemporaryDirectory() as scratch:
        dump = Path(scratch) / "openb.json"
        files = ["--nodes", str(folder / NODES_FILE), "--pods", str(folder / PODS_FILE)]
        imported = _run(["import", "openb", *files], "berth import openb", runs=1, output=dump)
        planned = _run(["plan", "--dump", str(dump)], "berth plan --dump openb.json", RUNS, Path(scratch) / "plan.txt")
    return imported, planned


def _run(arguments: list[str], shown: str, runs: int, output: Path) -> CommandTiming:
    seconds, code = [], 0
    for _ in range(runs):
        with output.open("wb") as out:
            began = time.perf_counter()
            done = subprocess.run(
                [str(Path(sys.executable).with_name("berth")), *arguments],
                check=False, stdout=out, stderr=subprocess.PIPE, timeout=COMMAND_TIMEOUT,
            )  # fmt: skip
            seconds.append(round(time.perf_counter() - began, 3))
        code = max(code, done.returncode)
    tail = done.stderr.decode(errors="replace").splitlines()[-TAIL_LINES:]
    return CommandTiming(shown, tuple(seconds), code, "\n".join(tail))
