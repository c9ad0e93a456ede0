"""Requests that wait while a service wakes: a bounded number for a bounded time, so that a sleeping model costs no memory.

A request is held only when something may come of it: the service sleeps and was asked to wake, or its pods are on their way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from berth_gateway.refusals import Refused
from berth_gateway.replicas import Model

MAX_HELD = 256
"""For one model; each holds its body, 4 MiB at most."""
HOLD_SECONDS = 600.0
"""Weights of hundreds of gigabytes take minutes."""
RETRY_AFTER = 15


class Holding:
    """Of all models."""

    def __init__(self, most: int = MAX_HELD, seconds: float = HOLD_SECONDS) -> None:
        self.most = most
        self.seconds = seconds
        self.held: dict[str, int] = {}

    @contextmanager
    def place(self, model: Model) -> Iterator[None]:
        """A place among the held. Raises Refused (429) when there is none."""
        count = self.held.get(model.name, 0)
        if count >= self.most:
            raise Refused(
                429,
                "HeldTooMany",
                f"{count} requests wait for {model.name} to wake already; come again later",
                RETRY_AFTER,
            )
        self.held[model.name] = count + 1
        try:
            yield
        finally:
            self.held[model.name] -= 1
            if not self.held[model.name]:
                del self.held[model.name]

    async def wait(self, model: Model, seconds: float | None = None) -> bool:
        """Until somebody answers; False when the time is over."""
        try:
            async with asyncio.timeout(self.seconds if seconds is None else seconds):
                await model.some.wait()
        except TimeoutError:
            return False
        return True
