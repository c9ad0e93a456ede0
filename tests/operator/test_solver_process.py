"""The real worker: it answers, and whatever happens to it, the next job is answered too."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from types import MappingProxyType

import msgspec
import pytest

from berth_api.reasons import Reason
from berth_cluster.snapshot import Snapshot
from berth_operator.solver_messages import Job, decode_job, encode_job
from berth_operator.solver_process import (
    SolverCrashedError,
    SolverOverdueError,
    SolverProcess,
    SolverRefusedError,
)
from berth_planner.fingerprint import fingerprint
from tests.planner.clusters import Cluster

from .world import of_berth, policy


def fragmented() -> Snapshot:
    cluster = Cluster().node("n1", gpu=8).node("n2", gpu=8)
    cluster.pods("a", 1, gpu=4, on="n1").pods("b", 1, gpu=4, on="n2").pods("big", 1, gpu=8, priority=100)
    return of_berth(cluster.pods("huge", 1, gpu=99, priority=1).snapshot())


def with_solver(scenario: Callable[[SolverProcess], Awaitable[None]], **options: object) -> None:
    async def run() -> None:
        solver = SolverProcess(**options)  # type: ignore[arg-type]
        try:
            await scenario(solver)
        finally:
            await solver.close()

    asyncio.run(run())


def a_job() -> Job:
    return Job(fragmented(), budget=2.0, explain_seconds=1.0)


def test_a_snapshot_goes_in_and_a_plan_with_reasons_comes_out() -> None:
    async def scenario(solver: SolverProcess) -> None:
        answer = await solver.solve(a_job(), 30)
        assert answer.plan.verified
        assert answer.plan.disruption.moves == 1
        assert answer.fingerprint == fingerprint(answer.plan, fragmented())
        codes = {pod: e.code for e in answer.explanations for pod in e.pods}
        assert codes == {
            "default/big-0": Reason.FITS_AFTER_MOVES,
            "default/huge-0": Reason.NO_PLACEMENT_EXISTS,
        }

    with_solver(scenario)


def test_a_job_keeps_what_pods_share_and_what_is_read_only() -> None:
    snapshot = msgspec.structs.replace(
        fragmented(), namespaces=MappingProxyType({"default": MappingProxyType({"a": "b"})})
    )
    again = decode_job(encode_job(Job(snapshot, 1.0, 0.0))).snapshot
    assert again == snapshot
    twins = of_berth(Cluster().pods("web", 2, gpu=1).snapshot())
    first, second = decode_job(encode_job(Job(twins, 1.0, 0.0))).snapshot.pods
    assert first.spec is second.spec


def test_what_policies_say_of_hints_reaches_the_worker() -> None:
    async def scenario(solver: SolverProcess) -> None:
        cluster = Cluster().node("n1", zone="a", gpu=8).node("n2", zone="b", gpu=8)
        cluster.pods("other", gpu=8, on="n2", hint="").pods("web", gpu=8, hint="must run in zone b")
        job = Job(of_berth(cluster.snapshot()), budget=1.0, explain_seconds=1.0)
        assert (await solver.solve(job, 30)).plan.disruption.moves == 0
        enforcing = policy("p", hints={"enforceStrong": ["*"]})
        assert (await solver.solve(msgspec.structs.replace(job, policies=(enforcing,)), 30)).plan.disruption.moves == 1

    with_solver(scenario)


def test_a_worker_that_hangs_is_killed_at_the_deadline_and_replaced() -> None:
    async def scenario(solver: SolverProcess) -> None:
        await solver.start()
        frozen = solver.pid
        assert frozen is not None
        os.kill(frozen, signal.SIGSTOP)
        began = time.monotonic()
        with pytest.raises(SolverOverdueError, match="killed"):
            await solver.solve(a_job(), 0.5)
        assert time.monotonic() - began < 3
        assert not is_alive(frozen)
        assert (await solver.solve(a_job(), 30)).plan.waves
        assert solver.pid != frozen
        assert solver.restarts == {"Overdue": 1}

    with_solver(scenario)


def test_a_worker_killed_in_mid_solve_is_told_and_replaced() -> None:
    async def scenario(solver: SolverProcess) -> None:
        await solver.start()
        pid = solver.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)  # so that it is surely in the middle of it
        solving = asyncio.create_task(solver.solve(a_job(), 30))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(SolverCrashedError):
            await solving
        assert (await solver.solve(a_job(), 30)).plan.waves

    with_solver(scenario)


def test_a_worker_that_died_between_jobs_is_replaced_without_an_error() -> None:
    async def scenario(solver: SolverProcess) -> None:
        await solver.start()
        assert solver.pid is not None
        os.kill(solver.pid, signal.SIGKILL)
        while not solver.has_ended:
            await asyncio.sleep(0.01)
        assert (await solver.solve(a_job(), 30)).plan.waves
        assert solver.restarts == {"Crashed": 1}

    with_solver(scenario)


def test_a_cancelled_solve_leaves_nothing_running() -> None:
    async def scenario(solver: SolverProcess) -> None:
        await solver.start()
        pid = solver.pid
        assert pid is not None
        solving = asyncio.create_task(solver.solve(a_job(), 30))
        await asyncio.sleep(0.05)
        solving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await solving
        assert not is_alive(pid)

    with_solver(scenario)


def test_an_error_of_the_solver_is_told_and_the_worker_goes_on() -> None:
    async def scenario(solver: SolverProcess) -> None:
        nonsense = msgspec.structs.replace(a_job(), snapshot=None)
        with pytest.raises(SolverRefusedError, match="gave up"):
            await solver.solve(nonsense, 30)
        assert (await solver.solve(a_job(), 30)).plan.waves
        assert not solver.restarts

    with_solver(scenario)


@pytest.mark.parametrize("program", ["import sys; sys.exit(3)", "print('x' * 100)"])
def test_a_worker_that_cannot_start_is_an_error_not_a_hang(program: str) -> None:
    async def scenario(solver: SolverProcess) -> None:
        with pytest.raises(SolverCrashedError):
            await solver.solve(a_job(), 30)

    with_solver(scenario, command=(sys.executable, "-c", program))


def test_it_ends_with_its_parent_even_when_that_is_killed() -> None:
    program = (
        "import asyncio, sys, time\n"
        "from berth_operator.solver_process import SolverProcess\n"
        "async def main():\n"
        "    solver = SolverProcess()\n"
        "    await solver.start()\n"
        "    print(solver.pid, flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )

    async def scenario() -> None:
        parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        assert parent.stdout is not None
        worker = int(await parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
        await parent.wait()
        for _ in range(100):
            if not is_alive(worker):
                return
            await asyncio.sleep(0.05)
        os.kill(worker, signal.SIGKILL)
        raise AssertionError("the worker outlived its parent")

    asyncio.run(scenario())


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="a pid namespace needs root and unshare"
)
def test_its_parent_may_be_process_1_as_in_a_container() -> None:
    program = "import asyncio\nfrom berth_operator.solver_process import SolverProcess\nasyncio.run(SolverProcess().start())\n"
    alone = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
    run = subprocess.run(
        [*alone, sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
