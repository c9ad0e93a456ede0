"""What a benchmark run writes down: one measurement an instance and budget, a report a suite, small JSON on disk."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import msgspec

MEASURED_PACKAGES = ("ortools", "numpy", "numba")


class Machine(msgspec.Struct, frozen=True):
    """Facts that figures depend on; nothing that names the machine."""

    cores: int
    cpu: str
    memory_gib: float
    load_average: float
    """Of the last minute, when the run began: above the number of cores, timings mean little."""
    python: str
    packages: dict[str, str]


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """One solver on one instance, as the harness counts it. Seconds are wall time around the call."""

    placed: tuple[int, ...]
    """Per priority, highest first."""
    counts_proven: bool
    fully_proven: bool
    moves: int
    evictions: int
    seconds: float
    first_improvement: float | None = None
    last_improvement: float | None = None
    status: str = ""
    """The paper's model: worst status of its stages."""
    accepted: bool = True
    """The paper's model as published: the plan counts (no stage without an answer, better than what stands)."""
    recomputed: bool | None = None
    """The verifier followed the evidence of all that is claimed optimal; None: the paper's model gives no evidence."""
    bounds: tuple[int, ...] = ()
    disruption_bound: float | None = None
    nodes_in_use: int | None = None
    nodes_bound: float | None = None

    @property
    def disturbed(self) -> int:
        return self.moves + self.evictions


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One instance under one budget: what stood, what came out, and what was wrong with it."""

    cell: str
    seed: int
    nodes: int
    pods_per_node: int
    """0 where the suite has no such axis."""
    priorities: int
    usage: float
    budget: float
    pods: int
    pending: int
    attempts: int
    """Seeds tried until the scheduler left something pending."""
    standing: tuple[int, ...]
    berth: Answer
    paper: Answer | None = None
    """Incumbent kept: the paper's last answer if it is better than what stands, else what stands."""
    fits: bool | None = None
    """Gangs: whether a placement exists, by construction."""
    nodes_in_use: int = 0
    """Before."""
    faults: tuple[str, ...] = ()


class CommandTiming(msgspec.Struct, frozen=True):
    """A whole command, process start included; `seconds` of each of the runs, the first one cold."""

    command: str
    seconds: tuple[float, ...]
    exit_code: int
    said: str
    """Of the last run: the end of standard error and the beginning of a printed plan."""


class MemoryReading(msgspec.Struct, frozen=True):
    """Peak resident memory of a child process, MiB, at three moments."""

    cell: str
    pods: int
    after_imports: float
    before_solving: float
    peak: float
    seconds: float


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    suite: str
    base_seed: int
    workers: int
    machine: Machine
    measurements: tuple[Measurement, ...] = ()
    without_instance: tuple[str, ...] = ()
    """Cells in which no seed left anything pending."""
    commands: tuple[CommandTiming, ...] = ()
    memory: tuple[MemoryReading, ...] = ()

    def write(self, directory: Path) -> Path:
        """One measurement a line, so that two runs can be compared with a text diff."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{self.suite}.json"
        encoded = msgspec.json.encode(msgspec.structs.replace(self, measurements=()))
        lines = b",\n".join(msgspec.json.encode(m) for m in self.measurements)
        path.write_bytes(encoded[:-1] + b',"measurements":[\n' + lines + b"\n]}\n")
        return path


def read_report(path: Path) -> Report:
    return msgspec.json.decode(path.read_bytes(), type=Report)


def this_machine() -> Machine:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu_model(),
        memory_gib=round(pages / 2**30, 1),
        load_average=round(os.getloadavg()[0], 2),
        python=platform.python_version(),
        packages={name: version(name) for name in MEASURED_PACKAGES},
    )


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
