"""Children that somebody keeps changing, or that are refused: when each may be asked for again.

The first time costs nothing: the watch shows what was applied long before the pause ends. Then pauses double.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from berth_api.reasons import Reason
from berth_cluster.reflector import Place
from berth_operator.serving.children import Manifest
from berth_operator.serving.status import Refusal

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""Seconds between two applies of a child that somebody keeps changing, or that is refused."""
CALM = 600.0
"""Seconds without trouble after which pauses begin anew."""

ChildKey = tuple[str, str]
"""Kind and name."""


class Trouble(msgspec.Struct, frozen=True):
    """With one child of one service."""

    pause: float
    until: float
    refusal: Refusal | None
    """None while it may be that the watch only lags behind what was applied."""
    asked: Manifest | None
    """What was applied; None: it was removed."""


class Troubles:
    """Of all services. Times are of the clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._of: dict[Place, dict[ChildKey, Trouble]] = {}

    def in_the_way(self, place: Place, key: ChildKey, asked: Manifest | None) -> Trouble | None:
        """What keeps us from asking for this now. Who asks for something else than before has changed its mind, and contends with
        nobody."""
        trouble = self._of.get(place, {}).get(key)
        if trouble is None or trouble.asked == asked:
            return trouble if trouble is not None and self._clock() < trouble.until else None
        del self._of[place][key]
        return None

    def again(self, place: Place, key: ChildKey, refused: Refusal | None, lacks: str, asked: Manifest | None) -> None:
        """It was asked for; not before a while again."""
        before = self._of.get(place, {}).get(key)
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        if refused is None and before is not None:
            message = f"{key[0]} {key[1]} is changed by somebody else: {lacks} does not stay as asked"
            refused = Refusal(Reason.CHILD_CONTENDED, message)
        self._of.setdefault(place, {})[key] = Trouble(pause, self._clock() + pause, refused, asked)

    def calm(self, place: Place, key: ChildKey) -> None:
        """It stands as asked."""
        trouble = self._of.get(place, {}).get(key)
        if trouble is not None and (trouble.pause == FIRST_PAUSE or self._clock() - trouble.until > CALM):
            del self._of[place][key]

    def refusal(self, place: Place, key: ChildKey) -> Refusal | None:
        """What was said to it last."""
        trouble = self._of.get(place, {}).get(key)
        return None if trouble is None else trouble.refusal

    def due(self, place: Place) -> list[float]:
        """Times at which something may be asked for again."""
        return [trouble.until for trouble in self._of.get(place, {}).values()]

    def forget(self, place: Place, but: Collection[ChildKey] = ()) -> None:
        of = self._of.get(place, {})
        for key in [key for key in of if key not in but]:
            del of[key]
        if not of:
            self._of.pop(place, None)
