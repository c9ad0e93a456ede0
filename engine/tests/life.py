"""An engine without a model: the books, a policy, and memory that knows what was written where.

In place of a cache stands a memory that remembers a trace of each token written, which depends on
all before it, as keys and values do. Each pass, layer by layer, checks
that all it may look at is what its request wrote, and writes its own tokens, each once. The token that follows is a digest of
all that was read through the block tables, so a wrong block, a lost copy or a stale prefix changes what is said.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from berth_engine.batch import Pass
from berth_engine.request import Finish, Request
from berth_engine.roster import Policy, Roster

LAYERS, SIZE = 3, 4


def traces(request: Request, tokens: list[int]) -> list[int]:
    """What these tokens leave in a cache: like keys and values, it depends on all that stands before."""
    left, trace = [], zlib.crc32(request.salt)
    for token in tokens:
        trace = zlib.crc32(bytes([token % 256]), trace)
        left.append(trace)
    return left


def following(read: list[int]) -> int:
    return zlib.crc32(repr(read).encode()) % 97


def undisturbed(request: Request, tokens: int) -> list[int]:
    """What it says if it is alone."""
    said: list[int] = []
    while len(said) < tokens:
        said.append(following(traces(request, request.prompt + said)))
    return said


@dataclass
class Memory:
    """What stands in each block, on the device and on the host: (block, layer, offset) -> trace."""

    roster: Roster
    device: dict[tuple[int, int, int], int] = field(default_factory=dict)
    host: dict[tuple[int, int, int], int] = field(default_factory=dict)
    written: set[tuple[str, int, int]] = field(default_factory=set)

    def copy(self) -> None:
        for copy in self.roster.pool.take_copies():
            source, target = (self.device, self.host) if copy.spill else (self.host, self.device)
            there, here = (copy.host, copy.device) if copy.spill else (copy.device, copy.host)
            for place in [(layer, offset) for layer in range(LAYERS) for offset in range(SIZE)]:
                target.pop((there, *place), None)
                if (here, *place) in source:
                    target[(there, *place)] = source[(here, *place)]

    def run_layer(self, running: Pass) -> None:
        for chunk in running.chunks:
            request, end = chunk.request, chunk.start + chunk.count
            left = traces(request, request.tokens(0, end))
            for position in range(chunk.start, end):
                once = (request.id, running.layer, position)
                assert once not in self.written, f"{once} is computed again"
                self.written.add(once)
                block = request.blocks[position // SIZE]
                self.device[block, running.layer, position % SIZE] = left[position]
            assert self.read(request, end, running.layer) == left, "it reads what it did not write"

    def read(self, request: Request, tokens: int, layer: int) -> list[int]:
        return [self.device[request.blocks[place // SIZE], layer, place % SIZE] for place in range(tokens)]


@dataclass
class Life:
    """Requests that come, compute, stop and go."""

    roster: Roster
    policy: Policy
    now: float = 0.0
    everyone: list[Request] = field(default_factory=list)
    stopping: set[str] = field(default_factory=set)  # their next token is one that ends the text
    memory: Memory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.roster)

    def slice(self, seconds: float = 0.03) -> Pass | None:
        """Run a slice; the pass it was of."""
        running = self.policy.next_pass(self.roster, self.now)
        if running is None:
            assert not [*self.roster.waiting, *self.roster.admitted], "somebody is there and nothing runs"
            return None
        assert running is self.roster.running
        self.memory.copy()
        self.memory.run_layer(running)
        self.now += seconds
        if self.roster.slice_done():
            sampled = {
                chunk.request.id: following(self.memory.read(chunk.request, chunk.request.length, LAYERS - 1))
                for chunk in running.chunks
                if chunk.samples
            }
            got = self.roster.close(running, sampled, self.now)
            assert {request.id for request in got} == set(sampled)
            for request in got:
                if request.id in self.stopping:
                    self.roster.leave(request, Finish.STOP, self.now)
                elif len(request.output) == request.sampling.max_tokens:
                    self.roster.leave(request, Finish.LENGTH, self.now)
        return running
