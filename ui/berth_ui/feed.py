"""The last changes of a picture, for whoever wants to follow it; nobody who reads slowly costs memory.

One ring of the last changes stands for all readers: a reader says which revision it has, and gets what came since in one piece.
Who is too far behind, or comes with a revision of another process, is told to load everything anew.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from berth_ui.live_picture import Delta

KEPT = 64
"""Changes: 16 s of a cluster in which something changes all the time."""


class Feed:
    """`revision` grows with each change, and over restarts of the process too: it begins with the time of day in milliseconds,
    which no process reaches by counting four changes a second."""

    def __init__(self, first: int | None = None) -> None:
        self.revision = int(time.time() * 1_000) if first is None else first
        self._ring: deque[tuple[int, Delta]] = deque(maxlen=KEPT)
        self._changed = asyncio.Event()

    def push(self, delta: Delta) -> None:
        """A new revision. An empty delta: only the overview differs."""
        self.revision += 1
        self._ring.append((self.revision, delta))
        self._changed.set()
        self._changed = asyncio.Event()

    def since(self, revision: int) -> Delta | None:
        """All that came after; None: it is not known any more, or that revision was never ours."""
        if revision == self.revision:
            return Delta()
        first = self._ring[0][0] if self._ring else self.revision + 1
        if not first - 1 <= revision < self.revision:
            return None
        joined = Delta()
        for number, delta in self._ring:
            if number > revision:
                joined = joined.joined(delta)
        return joined

    async def wait(self, revision: int, seconds: float) -> bool:
        """Until there is more than that revision. False: nothing came in that time."""
        changed = self._changed
        if self.revision != revision:
            return True
        try:
            await asyncio.wait_for(changed.wait(), seconds)
        except TimeoutError:
            return False
        return True
