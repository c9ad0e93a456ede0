"""What only the planner can answer: why pods wait, what a plan made now would do, and what a change would be worth.

Solving takes up to `BUDGET_SECONDS` of a processor, so it happens in a process of its own, one question after the other; the page goes
on meanwhile. That process is started and warmed with the first `open`, and keeps nothing between questions. Questions are pickled: they
go to our own child and nowhere else, and pickling keeps that pods of one template share their spec, which planning rests on.
"""

from __future__ import annotations

import asyncio
import copyreg
import ctypes
import io
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from berth_api.packing_plan import PackingPlan
from berth_cluster.snapshot import Snapshot
from berth_planner.explanation import Explanation
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan
from berth_planner.shapes import Movable
from berth_ui.looking import Look
from berth_ui.wire import Asked

BUDGET_SECONDS = 0.7
"""For a plan."""
WHAT_IF_SECONDS = 0.55
"""For each of the two that a what-if makes: with what comes on top (0.7 s at 5,000 nodes) it has to be there within two seconds."""
EXPLAIN_SECONDS = 1.0
MAX_WAITING = 4
"""Questions that wait for the one that is being answered; more are turned away."""
NICENESS = 5
_PR_SET_PDEATHSIG = 1

T = TypeVar("T")


class BusyError(RuntimeError):
    """Too many questions at once."""


class AskError(ValueError):
    """A question that this cluster has no answer to; the message names what is missing."""


class NoReverseError(AskError):
    """A plan that cannot be undone as things stand."""


class Planned(msgspec.Struct, frozen=True):
    plan: Plan
    explanations: tuple[Explanation, ...]


class Compared(msgspec.Struct, frozen=True):
    """`before`: the best plan for the cluster as it is; `after`: for the changed one. Pods by namespace/name."""

    before: Plan
    after: Plan
    placed: tuple[str, ...]
    lost: tuple[str, ...]
    sentences: tuple[str, ...]


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()


def _read_only(entries: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(entries)


_Pickler.dispatch_table[MappingProxyType] = lambda proxy: (_read_only, (dict(proxy),))


def _pickled(value: object) -> bytes:
    target = io.BytesIO()
    _Pickler(target, pickle.HIGHEST_PROTOCOL).dump(value)
    return target.getvalue()


class Thinker:
    """`open` it on the event loop, ask it, `close` it. movable: whose pods a plan may move."""

    def __init__(self, movable: Movable = "all") -> None:
        self._movable: Movable = movable
        self._pool: ProcessPoolExecutor | None = None
        self._one = asyncio.Lock()
        self._waiting = 0

    def open(self) -> None:
        """Starts and warms the process; nobody waits for it."""
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _prepare, (os.getpid(),))
        self._pool.submit(os.getpid)

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    async def plan(self, snapshot: Snapshot) -> Planned:
        """Raises BusyError."""
        return await self._ask(_plan, (snapshot, self._movable), Planned)

    async def compare(self, snapshot: Snapshot, asked: Asked) -> Compared:
        """Raises AskError for what this cluster does not have, BusyError."""
        return await self._ask(_compare, (snapshot, asked, self._movable), Compared)

    async def look(self, snapshot: Snapshot, uid: str) -> Look:
        """Raises BusyError."""
        return await self._ask(_look, (snapshot, uid), Look)

    async def reverse(self, snapshot: Snapshot, plan: PackingPlan) -> Plan:
        """Raises AskError when there is no way back, BusyError."""
        return await self._ask(_reverse, (snapshot, plan.to_json(), self._movable), Plan)

    async def _ask(self, question: Callable[[bytes], bytes], about: object, answer: type[T]) -> T:
        if self._waiting > MAX_WAITING:
            raise BusyError("too many questions at once; ask again in a few seconds")
        self._waiting += 1
        try:
            async with self._one:
                body = await asyncio.to_thread(_pickled, about)
                for last in (False, True):
                    if self._pool is None:
                        self.open()
                    assert self._pool is not None
                    try:
                        found = await asyncio.wrap_future(self._pool.submit(question, body))
                        break
                    except BrokenProcessPool:
                        self.close()  # it died: killed, or out of memory
                        if last:
                            raise
                return msgspec.msgpack.decode(found, type=answer)
        finally:
            self._waiting -= 1


# In the process


def _prepare(parent: int) -> None:
    """Linux kills the process when the thread that started it is gone: a server that is killed tells it nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the server ends us in order
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            raise SystemExit(0)  # it went before it could be watched
    os.nice(NICENESS)
    from berth_solver.warm import warm

    warm()


def _plan(body: bytes) -> bytes:
    from berth_planner.planning import build, plan_packing
    from berth_planner.why import explain

    snapshot, movable = pickle.loads(body)  # noqa: S301
    options = PlanOptions(movable=movable, budget=BUDGET_SECONDS)
    planned = plan_packing(build(snapshot, options), options)
    return msgspec.msgpack.encode(Planned(planned.plan, explain(planned, options, seconds=EXPLAIN_SECONDS)))


def _compare(body: bytes) -> bytes:
    from berth_planner.planning import make_plan

    snapshot, asked, movable = pickle.loads(body)  # noqa: S301
    changed, sentences = _changed(snapshot, asked)
    options = PlanOptions(movable=movable, budget=WHAT_IF_SECONDS)
    before, after = make_plan(snapshot, options), make_plan(changed, options)
    stood, stands = _placed_pods(snapshot, before), _placed_pods(changed, after)
    known = {pod.key for pod in snapshot.pods}
    return msgspec.msgpack.encode(
        Compared(
            before, after, tuple(sorted((stands - stood) & known)), tuple(sorted(stood - stands)), tuple(sentences)
        )
    )


def _look(body: bytes) -> bytes:
    from berth_ui.looking import look_at

    snapshot, uid = pickle.loads(body)  # noqa: S301
    return msgspec.msgpack.encode(look_at(snapshot, next(pod for pod in snapshot.pods if pod.uid == uid)))


def _reverse(body: bytes) -> bytes:
    from berth_planner.way_back import NoWayBackError, way_back

    snapshot, plan, movable = pickle.loads(body)  # noqa: S301
    try:
        back = way_back(snapshot, PackingPlan.model_validate(plan), PlanOptions(movable=movable))
    except NoWayBackError as error:
        raise NoReverseError(str(error)) from error
    return msgspec.msgpack.encode(back)


def _changed(snapshot: Snapshot, asked: Asked) -> tuple[Snapshot, list[str]]:
    from berth_planner.what_if import WhatIfError, add_nodes, cordon, remove_nodes, set_workload_priority

    sentences = []
    try:
        if asked.remove:
            snapshot = remove_nodes(snapshot, _named(snapshot, asked.remove))
            sentences.append(f"without {', '.join(asked.remove)}")
        if asked.cordon:
            snapshot = cordon(snapshot, _named(snapshot, asked.cordon))
            sentences.append(f"with {', '.join(asked.cordon)} cordoned")
        for add in asked.add:
            snapshot = add_nodes(snapshot, like=add.like, count=add.count)
            sentences.append(f"with {add.count} more {'node' if add.count == 1 else 'nodes'} like {add.like}")
        for change in asked.priorities:
            snapshot = set_workload_priority(snapshot, change.workload, change.priority)
            sentences.append(f"with {change.workload} at priority {change.priority}")
    except WhatIfError as error:
        raise AskError(str(error)) from error
    return snapshot, sentences


def _named(snapshot: Snapshot, given: list[str]) -> list[str]:
    """Names of nodes; label=value stands for all that have it."""
    names: list[str] = []
    for text in given:
        key, equals, value = text.partition("=")
        found = [node.name for node in snapshot.nodes if node.labels.get(key) == value] if equals else [text]
        if not found:
            raise AskError(f"no node has the label {text}")
        names += found
    return list(dict.fromkeys(names))


def _placed_pods(snapshot: Snapshot, plan: Plan) -> set[str]:
    """Pods that have a node once the plan is done; of replacements, which get names of their own, those that they replace."""
    placed = {pod.key for pod in snapshot.pods if pod.node is not None and not pod.terminating}
    placed -= {eviction.pod for eviction in plan.evictions}
    return placed | {pod for placement in plan.placements for pod in placement.pods}
