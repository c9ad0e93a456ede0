"""The solver as the planning loop sees it: hand in a job, get an answer before a hard deadline or an error, never a hang.

The worker (`solver_worker`) stays resident, since loading compiled code takes seconds. At the hard deadline it is killed;
after a kill or a crash the next one is started at once, in the background, so that the next job finds it warm. One job at a
time. Cost in the operator: encoding the snapshot, in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Sequence

import msgspec

from berth_operator.solver_messages import (
    LENGTH_BYTES,
    MAX_FRAME,
    Answered,
    FromWorker,
    Job,
    Ready,
    Refused,
    decode_answer,
    encode_job,
)
from berth_operator.solver_worker import MEMORY_VARIABLE, PARENT_VARIABLE

START_SECONDS = 300.0
"""A fresh install compiles its kernels first; a warm start takes a second or two."""

MEMORY_BYTES = 8 << 30
"""Most private memory of the worker; 5,000 nodes and 30,000 pods take well under one GiB."""

COMMAND = (sys.executable, "-m", "berth_operator.solver_worker")

logger = logging.getLogger(__name__)


class SolverError(RuntimeError):
    """There is no answer to this job. `reason` labels the metric."""

    reason = "Failed"


class SolverOverdueError(SolverError):
    """It took longer than its hard deadline and was killed."""

    reason = "Overdue"


class SolverCrashedError(SolverError):
    """The worker ended or spoke nonsense."""

    reason = "Crashed"


class SolverRefusedError(SolverError):
    """The solver raised an error, or its answer did not stand up to verification."""

    reason = "Refused"


class SolverProcess:
    """`restarts` counts by reason, for metrics."""

    def __init__(self, *, command: Sequence[str] = COMMAND, memory_bytes: int = MEMORY_BYTES) -> None:
        self._command = tuple(command)
        self._memory = memory_bytes
        self._process: Process | None = None
        self._starting: asyncio.Task[Process] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.restarts: Counter[str] = Counter()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """The worker is known to be gone: reaped, or its end of the pipe closed, whichever shows first."""
        process = self._process
        return process is not None and (
            process.returncode is not None or (process.stdout is not None and process.stdout.at_eof())
        )

    async def start(self) -> None:
        """Start a worker and wait until it is warm. Raises SolverCrashedError."""
        await self._ready_process()

    def warm_up(self) -> None:
        """Start a worker in the background, so that the first job finds it warm."""
        if self._process is None and self._starting is None:
            self._begin()

    async def solve(self, job: Job, hard_seconds: float) -> Answered:
        """The answer. Raises a SolverError: nothing of the job is left running then."""
        async with self._one_at_a_time:
            process = await self._ready_process()
            body = await asyncio.to_thread(encode_job, job)
            try:
                async with asyncio.timeout(hard_seconds):
                    answer = await _exchange(process, body)
            except TimeoutError:
                await self._replace("Overdue")
                raise SolverOverdueError(
                    f"the solver had no answer after {hard_seconds:.1f} s and was killed; a new one is started"
                ) from None
            except SolverCrashedError:
                await self._replace("Crashed")
                raise
            except asyncio.CancelledError:
                await self._replace("Cancelled")
                raise
        match answer:
            case Answered():
                return answer
            case Refused(error, message):
                raise SolverRefusedError(f"the solver gave up with {error}: {message}")
            case _:
                await self._replace("Crashed")
                raise SolverCrashedError("the solver said that it is ready in the middle of a job")

    async def close(self) -> None:
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, SolverError):
                await starting
        process, self._process = self._process, None
        if process is not None:
            await _kill(process)

    async def _ready_process(self) -> Process:
        if self._process is not None and self.has_ended:
            logger.warning("the solver's process ended by itself (exit code %s)", self._process.returncode)
            self.restarts["Crashed"] += 1
            self._process = None
        if self._process is None:
            if self._starting is None:
                self._begin()
            starting = self._starting
            assert starting is not None
            try:
                self._process = await asyncio.shield(starting)
            finally:
                if starting.done() and self._starting is starting:
                    self._starting = None
        return self._process

    async def _launch(self) -> Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=PIPE,
            stdout=PIPE,
            limit=1 << 20,
            env={**os.environ, MEMORY_VARIABLE: str(self._memory), PARENT_VARIABLE: str(os.getpid())},
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                first = await _receive(process)
        except (TimeoutError, SolverCrashedError) as error:
            await _kill(process)
            raise SolverCrashedError(
                f"the solver's process did not become ready (exit code {process.returncode}); its stderr says why"
            ) from error
        except asyncio.CancelledError:
            await _kill(process)
            raise
        if not isinstance(first, Ready):
            await _kill(process)
            raise SolverCrashedError("the solver's process did not say that it is ready")
        logger.info("the solver is warm (pid %d, %.1f s)", process.pid, first.seconds)
        return process

    def _begin(self) -> None:
        self._starting = asyncio.create_task(self._launch(), name="start the solver")
        self._starting.add_done_callback(_note_failure)

    async def _replace(self, reason: str) -> None:
        process, self._process = self._process, None
        self.restarts[reason] += 1
        if process is not None:
            await _kill(process)
        if reason != "Cancelled":
            self._begin()


def _note_failure(task: asyncio.Task[Process]) -> None:
    """The next job tries again and tells; this only keeps asyncio from calling the error lost."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s", error)


async def _exchange(process: Process, body: bytes) -> FromWorker:
    assert process.stdin is not None
    try:
        process.stdin.write(len(body).to_bytes(LENGTH_BYTES, "big"))
        process.stdin.write(body)
        await process.stdin.drain()
    except (BrokenPipeError, ConnectionResetError) as error:
        raise SolverCrashedError("the solver's process is gone") from error
    return await _receive(process)


async def _receive(process: Process) -> FromWorker:
    assert process.stdout is not None
    try:
        size = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
        if size > MAX_FRAME:
            raise SolverCrashedError(f"the solver announced an answer of {size} bytes")
        return decode_answer(await process.stdout.readexactly(size))
    except asyncio.IncompleteReadError as error:
        raise SolverCrashedError("the solver's process ended in the middle of a job") from error
    except msgspec.MsgspecError as error:
        raise SolverCrashedError(f"the solver's answer cannot be read: {error}") from error


async def _kill(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
