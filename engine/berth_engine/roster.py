"""Where every request stands, and the few moves between the places.

Policies (scheduler.py, policies/) decide; the roster keeps the books and sees to it that nothing is lost: a request is
waiting, admitted or gone; it is in at most one pass; its KV blocks stand until it is gone.

    enqueue --> waiting --open()--> admitted, in a pass --close()--> admitted --open()--> ... --> finished
                                          passes: a stack; the last one runs, the others are interrupted

Costs: O(members) to open or close a pass, O(1) for a layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from berth_engine.batch import Chunk, Pass
from berth_engine.kv_cache import BlockPool
from berth_engine.request import Finish, Request, State


@dataclass(slots=True)
class Counts:
    """What happened so far, for metrics."""

    passes: int = 0
    slices: int = 0
    preemptions: int = 0  # passes interrupted between two layers
    tokens: int = 0  # computed


@dataclass(eq=False, slots=True)
class Roster:
    """The requests of one engine. `layers` is how many slices a pass has."""

    pool: BlockPool
    layers: int
    waiting: dict[str, Request] = field(default_factory=dict)  # in the order of arrival
    admitted: dict[str, Request] = field(default_factory=dict)  # in the order of admission
    passes: list[Pass] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    version: int = 0  # changes when requests come, go or are done with a pass: what a policy found may be stale then

    # -- what policies ask

    @property
    def running(self) -> Pass | None:
        """The pass that computes now, or goes on when the others let it."""
        return self.passes[-1] if self.passes else None

    def idle(self) -> Iterator[Request]:
        """All requests that no pass holds, admitted ones first."""
        yield from (request for request in self.admitted.values() if not request.in_pass)
        yield from self.waiting.values()

    def first(self, ordered: Iterable[Request], limit: int) -> list[Request]:
        """The first `limit` of these that are admitted, or can be: those the cache cannot promise a place to are passed over."""
        taken: list[Request] = []
        unpromised = self.pool.unpromised
        for request in ordered:
            if len(taken) == limit:
                break
            if request.state is State.WAITING:
                promise = self.pool.blocks_for(request.longest)
                if promise > unpromised:
                    continue
                unpromised -= promise
            taken.append(request)
        return taken

    def paused(self) -> int:
        """Admitted requests that are not computing: between passes, or in an interrupted one."""
        return len(self.admitted) - sum(len(running.chunks) for running in self.passes[-1:])

    # -- coming and going

    def enqueue(self, request: Request) -> None:
        if request.id in self.waiting or request.id in self.admitted:
            raise ValueError(f"request {request.id} is here already")
        if not self.pool.fits_alone(request):
            raise ValueError(f"request {request.id} can never fit the cache")
        request.progressed = request.arrived
        self.waiting[request.id] = request
        self.version += 1
        request.entered = self.version

    def leave(self, request: Request, finish: Finish, now: float) -> None:
        """Let a request go, wherever it stands; its rows leave their pass before the next slice."""
        if request.state is State.FINISHED:
            return
        if request.in_pass:
            self._drop(request)
        self.waiting.pop(request.id, None)
        self.admitted.pop(request.id, None)
        self.pool.release(request)
        request.state = State.FINISHED
        request.finish = finish
        request.finished = now
        self.version += 1

    # -- passes

    def open(self, wanted: Iterable[tuple[Request, int]], now: float, victims: Sequence[Request] = ()) -> Pass | None:
        """Form a pass of (request, tokens), the most important first, and put it on the stack.

        Whoever cannot be admitted, or has no blocks even after the victims' (given dearest last) were spilled to the host,
        is left out; None when nobody is left. An interrupted pass stays below.
        """
        members: list[Chunk] = []
        spare = list(victims)
        for request, count in wanted:
            assert not request.in_pass, f"request {request.id} is in a pass already"
            if request.state is State.WAITING and not self.pool.admit(request):
                continue
            if request.state is State.WAITING:
                self._admitted(request)
                spare.append(request)  # if it is left out it may hold a beginning that was known already
            count = min(count, request.remaining)
            if count < 1 or not self._room_for(request, request.computed + count, spare):
                continue
            request.in_pass = True
            members.append(Chunk(request, request.computed, count))
        if not members:
            return None
        if self.passes:
            self._interrupt(self.passes[-1])
        for chunk in members:
            if chunk.request.started is None:
                chunk.request.started = now
        opened = Pass(members, now, self.version)
        self.passes.append(opened)
        self.counts.passes += 1
        return opened

    def resume(self, interrupted: Pass, victims: Sequence[Request] = ()) -> None:
        """Let an interrupted pass go on: on top of the stack, with all its blocks back on the device.

        `victims` make room for them, dearest last; all who are not in the pass must be among them.
        """
        if interrupted.away:
            held = {id(chunk.request) for chunk in interrupted.chunks}
            spare = [victim for victim in victims if id(victim) not in held]
            for chunk in interrupted.chunks:
                if not self._room_for(chunk.request, chunk.start + chunk.count, spare):
                    # they had room together once, and the host has promised to take the others
                    raise RuntimeError("spilled blocks do not find back: the promises were not kept")
            interrupted.away = False
            interrupted.moved = True
        if self.passes[-1] is not interrupted:
            self._interrupt(self.passes[-1])
            self.passes.remove(interrupted)
            self.passes.append(interrupted)

    def slice_done(self) -> bool:
        """Count one layer of the running pass; True when it was the last."""
        running = self.passes[-1]
        running.layer += 1
        self.counts.slices += 1
        return running.layer == self.layers

    def close(self, done: Pass, sampled: dict[str, int], now: float) -> list[Request]:
        """Take a finished pass off the stack and its new tokens in, by request id; the requests that got one."""
        self.passes.remove(done)
        got: list[Request] = []
        for chunk in done.chunks:
            request = chunk.request
            samples = chunk.samples
            request.in_pass = False
            request.computed += chunk.count
            request.progressed = now
            self.counts.tokens += chunk.count
            self.pool.seal(request)
            if samples:
                request.output.append(sampled[request.id])
                if request.first_token is None:
                    request.first_token = now
                got.append(request)
        self.version += 1
        return got

    def merge(self, into: Pass, other: Pass) -> None:
        """Join two passes that stand at the same layer (only where a policy wants that; the runner joins their tensors)."""
        assert into.layer == other.layer, "passes merge at one layer"
        self.passes.remove(other)
        into.chunks.extend(other.chunks)

    # -- within

    def _admitted(self, request: Request) -> None:
        del self.waiting[request.id]
        request.state = State.ADMITTED
        self.admitted[request.id] = request

    def _room_for(self, request: Request, tokens: int, victims: Sequence[Request]) -> bool:
        """Bring a request to the device with room for its tokens; others' blocks go to the host as far as that needs.

        Both memories may be full: then blocks change places one by one.
        """
        pool = self.pool
        while pool.missing(request, tokens) > pool.free:
            moved = pool.bring_back(request, pool.free)
            moved += self._spill(request, pool.missing(request, tokens) - pool.free, victims)
            if not moved:
                return False
        pool.grow(request, tokens)
        return True

    def _spill(self, request: Request, count: int, victims: Sequence[Request]) -> int:
        """Spill about `count` blocks for a request; how many went to the host."""
        before, freed = self.pool.used_host, 0
        for victim in victims:
            if freed >= count:
                break
            if victim is request or victim.state is not State.ADMITTED:
                continue
            home = self._pass_of(victim)
            if victim.in_pass and home is None:
                continue  # a member of the pass that is being formed
            spilled = self.pool.used_host
            freed += self.pool.spill(victim, count - freed)
            if home is not None and self.pool.used_host > spilled:
                home.away = True
        return self.pool.used_host - before

    def _pass_of(self, request: Request) -> Pass | None:
        if not request.in_pass:
            return None
        return next((pass_ for pass_ in self.passes for chunk in pass_.chunks if chunk.request is request), None)

    def _interrupt(self, running: Pass) -> None:
        running.interruptions += 1
        self.counts.preemptions += 1
        for chunk in running.chunks:
            chunk.request.preemptions += 1

    def _drop(self, request: Request) -> None:
        home = self._pass_of(request)
        assert home is not None
        place = next(place for place, chunk in enumerate(home.chunks) if chunk.request is request)
        del home.chunks[place]
        home.dropped.append(place)
        request.in_pass = False
        if not home.chunks:
            self.passes.remove(home)

    def check(self) -> None:
        """Assert that the books are right (tests)."""
        everyone = [*self.waiting.values(), *self.admitted.values()]
        self.pool.check(everyone)
        assert all(request.state is State.WAITING and not request.blocks for request in self.waiting.values())
        assert all(request.state is State.ADMITTED for request in self.admitted.values())
        in_passes = [chunk.request for pass_ in self.passes for chunk in pass_.chunks]
        assert len({id(request) for request in in_passes}) == len(in_passes), "a request is in two passes"
        assert {id(request) for request in in_passes} == {id(request) for request in everyone if request.in_pass}
        assert all(pass_.chunks for pass_ in self.passes), "a pass is empty"


class Policy(Protocol):
    """Who computes in the next layer slice; asked before each."""

    name: str

    def next_pass(self, roster: Roster, now: float) -> Pass | None: ...
