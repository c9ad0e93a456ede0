"""What the download needs of a place that files are fetched from, and its one way of trying again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol, TypeVar

from berth_api.reasons import Reason
from berth_operator.weights.manifest import File, Manifest
from berth_operator.weights.refused import Hiccup, Refused

CONNECT_SECONDS = 10
READ_SECONDS = 30
"""Without a byte."""

_T = TypeVar("_T")


class Stream(Protocol):
    """The bytes of one range, in order."""

    @property
    def version(self) -> str:
        """Which version of the file it is: an ETag."""

    def read(self, most: int) -> bytes:
        """At most so many bytes; b"" at the end, which may come early. Raises Hiccup."""

    def close(self) -> None: ...


class Source(Protocol):
    """Methods are called by many threads. They raise Hiccup for what may pass, Refused for what will not."""

    def manifest(self) -> Manifest: ...

    def open(self, file: File, start: int, stop: int, version: str | None) -> Stream:
        """Bytes start to stop of the file. Refused(SourceChanged) when it is not of that version or size any more."""


@dataclass(frozen=True)
class Patience:
    """How long to try: `tries` in a row that get nothing, with random pauses that double from `first` to `longest` seconds."""

    tries: int = 8
    first: float = 0.5
    longest: float = 20.0

    def pause(self, failures: int) -> float:
        return random.uniform(0.5, 1.0) * min(self.longest, self.first * 2.0 ** min(failures - 1, 30))

    def refused(self, hiccup: Hiccup) -> Refused:
        said = f"{hiccup}; gave up after {self.tries} tries that brought nothing: check the endpoint and the network, then try again"
        return Refused(Reason.SOURCE_UNREACHABLE, said)

    def ask(self, question: Callable[[], _T]) -> _T:
        """The answer, hiccups passed over. Raises Refused."""
        for failures in range(1, self.tries + 1):
            try:
                return question()
            except Hiccup as hiccup:
                last = hiccup
            if failures < self.tries:
                Event().wait(self.pause(failures))
        raise self.refused(last)
