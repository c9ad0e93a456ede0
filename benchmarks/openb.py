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
SHOWN_LINES = 12


def measure_openb(folder: Path) -> tuple[CommandTiming, ...]:
    """Import once, plan `RUNS` times; first with one priority for all pods, then with one for each QoS of the trace."""
    with tempfile.TemporaryDirectory() as scratch:
        dump = Path(scratch) / "openb.json"
        files = ["--nodes", str(folder / NODES_FILE), "--pods", str(folder / PODS_FILE)]
        timings = []
        for options in ([], ["--priority-from-qos"]):
            shown = " ".join(["berth import openb", *options])
            timings.append(_run(["import", "openb", *files, *options], shown, runs=1, output=dump))
            planned = ["plan", "--dump", str(dump)]
            timings.append(_run(planned, f"berth plan --dump ... (of {shown})", RUNS, Path(scratch) / "plan.txt"))
    return tuple(timings)


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
    said = done.stderr.decode(errors="replace").splitlines()[-SHOWN_LINES:]
    if output.suffix == ".txt":
        said += output.read_text().splitlines()[:SHOWN_LINES]
    return CommandTiming(shown, tuple(seconds), code, "\n".join(said))
