"""A pass: some tokens of some requests on their way through the layers, together.

A pass can stop after any layer. What it then holds is this object and the hidden state that its runner keeps in `work`: one
vector a token. The keys and values of the layers behind it are in the cache already.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from berth_engine.request import Request


@dataclass(slots=True)
class Chunk:
    """`count` tokens of a request from position `start` on; all tokens before are computed."""

    request: Request
    start: int
    count: int

    @property
    def samples(self) -> bool:
        """Whether the last token of the chunk is the last one known, so that a new one follows from it."""
        return self.start + self.count == self.request.length


@dataclass(eq=False, slots=True)
class Pass:
    """Chunks of different requests at one layer."""

    chunks: list[Chunk]
    formed: float = 0.0
    version: int = 0  # the roster's when it was formed: whoever entered later is new to it
    layer: int = 0  # the next layer to run
    interruptions: int = 0
    away: bool = False  # blocks of members were spilled: they must be back before it goes on
    moved: bool = False  # blocks came back to other places than they left: the runner has to look them up anew
    dropped: list[int] = field(default_factory=list)  # places in `chunks`, at that time, of requests that left
    work: Any = None  # the runner's: hidden state and positions

    @property
    def rank(self) -> int:
        """The priority of its least urgent member."""
        return min(chunk.request.priority for chunk in self.chunks)

    @property
    def tokens(self) -> int:
        return sum(chunk.count for chunk in self.chunks)
