"""All services: what changed is looked at again, each by itself, some side by side. Runs while leading.

The queue holds each service once, however often it changed; a service that is being looked at is queued anew when it changes
meanwhile. A failure waits and doubles, for that service alone. After a restart everything is looked at once; what is as it should
be is not written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from berth_cluster.connection import ApiError
from berth_cluster.reflector import Place
from berth_operator.serving.reconciler import Reconciler
from berth_operator.serving.view import ServingView

WORKERS = 8
SETTLE_SECONDS = 1.0
"""Between two looks at one service: what changes meanwhile is one change. A status is that much late, and written less often."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 60.0
AGAIN_SECONDS = 300.0
"""Everything is looked at this often even when nothing changed: a watch may have missed something."""

logger = logging.getLogger(__name__)


class Services:
    """`changed` from the view; `run` while leading."""

    def __init__(self, view: ServingView, reconciler: Reconciler, clock: Callable[[], float] = time.monotonic) -> None:
        self._view = view
        self._reconciler = reconciler
        self._clock = clock
        self._queue: asyncio.Queue[Place] = asyncio.Queue()
        self._queued: set[Place] = set()
        self._busy: set[Place] = set()
        self._changed_meanwhile: set[Place] = set()
        self._delays: dict[Place, float] = {}
        self._timers: dict[Place, asyncio.TimerHandle] = {}
        self._looked: dict[Place, float] = {}
        self.looked_at = 0
        self.last_round = clock()

    def changed(self, place: Place) -> None:
        """It has changed, or something of it has."""
        if place in self._busy:
            self._changed_meanwhile.add(place)
        elif place not in self._queued:
            rest = SETTLE_SECONDS - (self._clock() - self._looked.get(place, float("-inf")))
            if rest > 0:
                self._later(place, rest)
            else:
                self._enqueue(place)

    def _enqueue(self, place: Place) -> None:
        if place not in self._queued and place not in self._busy:
            self._queued.add(place)
            self._queue.put_nowait(place)

    async def run(self) -> None:
        """Until cancelled."""
        await self._view.wait_synced()
        self._forget()
        for place in list(self._view.services):
            self.changed(place)
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(), name=f"services {number}")
            group.create_task(self._everything(), name="services again")

    def _forget(self) -> None:
        """What was under way when it led before."""
        for timer in self._timers.values():
            timer.cancel()
        for known in (self._queued, self._busy, self._changed_meanwhile, self._delays, self._timers, self._looked):
            known.clear()
        self._queue = asyncio.Queue()

    async def _everything(self) -> None:
        while True:
            await asyncio.sleep(AGAIN_SECONDS)
            for place in list(self._view.services):
                self.changed(place)

    async def _work(self) -> None:
        while True:
            place = await self._queue.get()
            self._queued.discard(place)
            if place in self._busy:
                self._changed_meanwhile.add(place)
                continue
            self._busy.add(place)
            again: float | None = None
            try:
                again = await self._reconciler.reconcile(place)
                self._delays.pop(place, None)
            except ApiError as error:
                again = self._delays[place] = min(self._delays.get(place, FIRST_DELAY / 2) * 2, LONGEST_DELAY)
                logger.warning("service %s: %s; again in %.1f s", "/".join(place), error, again)
            except Exception:
                again = self._delays[place] = LONGEST_DELAY
                logger.exception("service %s could not be looked at; again in %.0f s", "/".join(place), again)
            finally:
                self._busy.discard(place)
                self.looked_at += 1
                self._looked[place] = self.last_round = self._clock()
                if place not in self._view.services:
                    del self._looked[place]
            if place in self._changed_meanwhile:
                self._changed_meanwhile.discard(place)
                self.changed(place)
            elif again is not None:
                self._later(place, again)

    def _later(self, place: Place, seconds: float) -> None:
        """Not later than that; what is due sooner stays."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(place)
        if timer is not None and not timer.cancelled():
            if timer.when() <= loop.time() + seconds:
                return
            timer.cancel()
        self._timers[place] = loop.call_later(seconds, self._due, place)

    def _due(self, place: Place) -> None:
        self._timers.pop(place, None)
        if place in self._busy:
            self._changed_meanwhile.add(place)
        else:
            self._enqueue(place)
