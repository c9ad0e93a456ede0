"""A figure for each node, remembered under a key, so that a request renews only rows that changed since the last one."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from berth_scheduling.room import Room

Costs = npt.NDArray[np.float64]

MAX_KEYS = 512
"""40 KB each at 5,000 nodes. Past it all are made anew."""


class Figures(msgspec.Struct):
    """float64 [rows], as of a tick of the room."""

    figures: Costs
    tick: int = 0
    differ: bool = True


class NodeFigures:
    def __init__(self, room: Room, blank: float) -> None:
        """blank: the figure of rows that have no node."""
        self._room = room
        self._blank = blank
        self._kept: dict[object, Figures] = {}

    def under(self, key: object) -> Figures:
        """Those kept under the key; blank ones where there are none yet, or where the table has grown."""
        found = self._kept.get(key)
        if found is None or len(found.figures) != self._room.size:
            if len(self._kept) >= MAX_KEYS:
                self._kept.clear()
            found = self._kept[key] = Figures(np.full(self._room.size, self._blank))
        return found

    def forget(self, key: object) -> None:
        self._kept.pop(key, None)

    def clear(self) -> None:
        self._kept.clear()
