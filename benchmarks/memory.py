"""Peak memory of solving the largest GPU cluster: a child process of its own, so that nothing else is counted.

`python -m benchmarks.memory SEED WORKERS` is the child: it makes the 5,000-node instance, solves it, and prints one reading.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.gpu_instances import GpuCell, gpu_instance
from benchmarks.record import MemoryReading
from benchmarks.seeds import instance_seed
from berth_solver.options import Options
from berth_solver.solve import solve

CELL = GpuCell(5_000, 4, 1.00)
BUDGET = 3.0
CHILD_TIMEOUT = 300.0
STATUS = Path("/proc/self/status")


def measure_memory(base_seed: int, workers: int) -> MemoryReading:
    seed = instance_seed(base_seed, CELL.name, 0)
    command = [sys.executable, "-m", "benchmarks.memory", str(seed), str(workers)]
    child = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=CHILD_TIMEOUT)
    return msgspec.json.decode(child.stdout, type=MemoryReading)


def _peak_mib() -> float:
    """getrusage also counts what the parent held when it started this process; Linux's VmHWM begins anew with the program."""
    for line in STATUS.read_text().splitlines() if STATUS.exists() else ():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _child(seed: int, workers: int) -> MemoryReading:
    after_imports = _peak_mib()
    instance = gpu_instance(CELL, seed)
    problem = instance.problem()
    before_solving = _peak_mib()
    began = time.perf_counter()
    solve(problem, Options(budget=BUDGET, seed=0, threads=workers))
    seconds = time.perf_counter() - began
    return MemoryReading(CELL.name, instance.pods, after_imports, before_solving, _peak_mib(), round(seconds, 3))


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(_child(int(sys.argv[1]), int(sys.argv[2]))))
