"""A task that dies is started again, with growing pauses, and counted."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from berth_operator.metrics import Metrics
from berth_operator.supervision import HEALTHY_SECONDS, supervised


def run_with(lives: list[float], *, fails: bool) -> tuple[list[float], float]:
    """A task that lives so long each time; the pauses between its lives, and how many restarts were counted."""
    metrics = Metrics(CollectorRegistry())
    now = 0.0
    pauses: list[float] = []
    left = list(lives)

    async def task() -> None:
        nonlocal now
        if not left:
            raise asyncio.CancelledError
        now += left.pop(0)
        if fails:
            raise RuntimeError("a bug")

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def scenario() -> None:
        with pytest.raises(asyncio.CancelledError):
            await supervised("planning", task, metrics.task_restarts, clock=lambda: now, sleep=sleep)

    asyncio.run(scenario())
    counted = metrics.registry.get_sample_value("berth_task_restarts_total", {"task": "planning"})
    return pauses, counted or 0.0


def test_one_that_fails_again_and_again_is_given_more_and_more_time() -> None:
    assert run_with([0.1] * 7, fails=True) == ([1, 2, 4, 8, 16, 30, 30], 7)


def test_one_that_ran_well_for_a_while_starts_with_the_first_pause() -> None:
    assert run_with([0.1, 0.1, HEALTHY_SECONDS, 0.1], fails=True) == ([1, 2, 1, 2], 4)


def test_one_that_ends_by_itself_is_started_again_too() -> None:
    assert run_with([0.1], fails=False) == ([1], 1)
