"""The process that solves: `python -m berth_operator.solver_worker`, one resident child of the operator.

It compiles and loads everything first, says that it is ready, then answers one job after the other until its input ends. It
keeps no state between jobs and is killed without warning when it takes too long: it writes nothing but its answers. What
libraries print goes to stderr, for stdout carries frames. It ends with its parent, even when that is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from typing import BinaryIO

from berth_operator.solver_messages import (
    LENGTH_BYTES,
    Answered,
    FromWorker,
    Job,
    Ready,
    Refused,
    decode_job,
    encode_answer,
)

MEMORY_VARIABLE = "BERTH_SOLVER_MEMORY_BYTES"
"""Set by the parent: most private memory of the process."""

PARENT_VARIABLE = "BERTH_SOLVER_PARENT"
"""Set by the parent: its process id. 1 is no sign of an orphan: in a container that is the operator itself."""

_PR_SET_PDEATHSIG = 1
NICENESS = 5
"""Events and evictions of the same machine come first."""


def main() -> int:
    source, target = _claim_pipes()
    _end_with_parent()
    _limit_memory()
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    started = time.perf_counter()
    from berth_solver.warm import warm

    warm()
    _write(target, Ready(time.perf_counter() - started))
    while (body := _read(source)) is not None:
        _write(target, _answer(decode_job(body)))
    return 0


def _answer(job: Job) -> FromWorker:
    from berth_intent.improvements import Improvements
    from berth_planner.fingerprint import fingerprint
    from berth_planner.options import PlanOptions
    from berth_planner.packing import Caps
    from berth_planner.planning import build, plan_packing
    from berth_planner.why import explain

    started = time.perf_counter()
    options = PlanOptions(
        movable="berth",
        budget=job.budget,
        threads=job.threads,
        pending_only=job.pending_only,
        consolidate=job.consolidate,
        caps=Caps(max_moves=job.max_moves),
        policies=job.policies,
        improved=Improvements(job.hint_answers).of,
    )
    try:
        planned = plan_packing(build(job.snapshot, options), options)
        explanations = explain(planned, options, seconds=job.explain_seconds) if job.explain_seconds > 0 else ()
    except Exception as error:  # whatever it is, the parent says so, counts it and goes on without this answer
        return Refused(type(error).__name__, str(error))
    print_at = fingerprint(planned.plan, job.snapshot)
    return Answered(planned.plan, explanations, print_at, time.perf_counter() - started)


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """stdin and stdout for frames; what is printed from now on goes to stderr."""
    source = os.fdopen(os.dup(0), "rb")
    target = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return source, target


def _end_with_parent() -> None:
    """Linux kills the process when the parent's thread that started it is gone; elsewhere the end of stdin must do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the operator ends us in order
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.environ.get(PARENT_VARIABLE, str(os.getppid())) != str(os.getppid()):
            raise SystemExit(0)  # it went before it could be watched


def _limit_memory() -> None:
    """RLIMIT_DATA counts private memory alone; the address space is no measure, since compiled code reserves much of it."""
    limit = int(os.environ.get(MEMORY_VARIABLE, "0"))
    if limit > 0:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    body = source.read(int.from_bytes(head, "big"))
    return body if len(body) == int.from_bytes(head, "big") else None


def _write(target: BinaryIO, answer: FromWorker) -> None:
    body = encode_answer(answer)
    target.write(len(body).to_bytes(LENGTH_BYTES, "big"))
    target.write(body)
    target.flush()


if __name__ == "__main__":
    sys.exit(main())
