"""What lists and watches look like on the wire, and how patient a watcher is.

A list comes in pages (`limit`, `continue`), a watch as one JSON object a line: `{"type": "ADDED", "object": {...}}`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, field

from berth_cluster.connection import Status
from berth_cluster.objects import Wire

T = TypeVar("T")


class ListMeta(Wire, frozen=True):
    resource_version: str = ""
    token: str = field(default="", name="continue")


class Page(Wire, Generic[T], frozen=True):
    metadata: ListMeta = ListMeta()
    items: list[T] | None = None


class Event(Wire, Generic[T], frozen=True):
    type: str
    object: T


RawPage = Page[Raw]
RawEvent = Event[Raw]
StatusEvent = Event[Status]


class Pace(msgspec.Struct, frozen=True):
    """How long to wait for what, in seconds, and how much to ask for at once."""

    page: int = 500
    list_timeout: float = 60.0
    watch_min: float = 300.0
    watch_max: float = 600.0
    """A watch asks the server to end it after a time between these, so that watches do not all end together."""
    silence: float = 75.0
    """Bookmarks come about once a minute; a watch that says nothing for longer than this may be half open. Where nothing
    changes a real server often sends none (seen on 1.37.2): opening such a watch again now and then costs little."""
    first_delay: float = 0.25
    max_delay: float = 30.0
    healthy_after: float = 5.0
    """A watch that lived this long has ended the trouble before it."""
    absent: float = 60.0
    """Between looks for a kind that the cluster does not have."""
    max_retry_after: float = 120.0
    first_kinds: float = 10.0
    """What others refer to is listed before them, but at most this long."""


class Backoff:
    """Doubling delays with jitter (from half to one and a half of each), so that watchers do not return together."""

    def __init__(self, pace: Pace, rand: Callable[[], float] = random.random) -> None:
        self._pace = pace
        self._rand = rand
        self._next = pace.first_delay

    def delay(self) -> float:
        delay = self._next * (0.5 + self._rand())
        self._next = min(self._next * 2, self._pace.max_delay)
        return delay

    def reset(self) -> None:
        self._next = self._pace.first_delay
