"""Berth's policy: who computes in the next layer slice. The whole of it is on this page; the books are kept in roster.py.

Before every slice (one layer of one pass) the engine asks `next_pass`.

1. A request without its first token that outranks the running pass interrupts it: the pass stays where it is, between two
   layers, and a new one is formed of those who outrank it. Comparison is strict, so equals never take turns at each other.
2. Else the running pass goes on. When it ends, the one it interrupted goes on; only then a new one is formed.
3. A new pass takes the most urgent requests, as many as the batch has places: one token of each that decodes, then prompts by
   chunks up to `token_budget`. So whoever decodes joins at the next pass, and takes the place of a less urgent one, which
   keeps all it has computed and goes on when there is a place again.
   Without `merge` a pass holds requests of one rank only: then nobody's arithmetic depends on who else is served, bit for bit.
4. A prompt shares its pass with less urgent prompts only up to `shared_tokens`: what fits beside it at no cost, since so small
   a pass waits for the weights, not for the arithmetic.

Rank is the request's priority. Whoever got nowhere for `patience` seconds ranks with the most urgent until it gets somewhere:
so a request at the front of its class gets a pass at least every `patience` seconds plus the passes already begun, plus one
pass for each batch of requests that waited longer than it did. Among equals: the earlier deadline, then the earlier arrival.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from berth_engine.batch import Pass
from berth_engine.request import Request
from berth_engine.roster import Roster

NEVER = float("inf")
RAISED = float("inf")  # the rank of whoever waited out its patience: nobody outranks it


@dataclass(frozen=True, slots=True)
class Limits:
    """max_batch: requests in a pass. Tokens are counted over all members of a pass. patience: seconds. merge: whether
    requests of different ranks may share a pass."""

    max_batch: int = 32
    token_budget: int = 512
    shared_tokens: int = 128
    patience: float = 10.0
    merge: bool = True

    def __post_init__(self) -> None:
        if self.max_batch < 1 or self.token_budget < self.max_batch:
            raise ValueError(
                f"a pass of {self.max_batch} requests needs a budget of at least as many tokens, not {self.token_budget}"
            )


class Preemptive:
    """Urgent requests interrupt between layers; nothing is lost."""

    name = "preemptive"

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self._seen = -1  # the roster's version at which nobody outranked the running pass
        self._stale = NEVER  # until when that holds, for somebody's patience may end

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        """The pass whose next layer runs now; None when there is nothing to do."""
        running = roster.running
        if running is None:
            return self._form(roster, roster.idle(), now)
        if roster.version != self._seen or now >= self._stale:
            above = self._rank_of(running, now)
            fresh = [request for request in roster.idle() if not request.output and self.rank(request, now) > above]
            if fresh:
                outranking = [request for request in roster.idle() if self.rank(request, now) > above]
                opened = self._form(roster, outranking, now)
                if opened:
                    return opened
            self._seen = roster.version
            self._stale = min(
                (request.progressed + self.limits.patience for request in roster.waiting.values()), default=NEVER
            )
        if running.away:
            roster.resume(running, self._dearest_last(roster.admitted.values(), now))
        return running

    def rank(self, request: Request, now: float) -> float:
        return RAISED if now - request.progressed >= self.limits.patience else request.priority

    def _rank_of(self, running: Pass, now: float) -> float:
        return RAISED if now - running.formed >= self.limits.patience else running.rank

    def _order(self, request: Request, now: float) -> tuple[float, float, float]:
        deadline = NEVER if request.deadline is None else request.deadline
        return (-self.rank(request, now), deadline, request.arrived)

    def _dearest_last(self, requests: Iterable[Request], now: float) -> list[Request]:
        return sorted(requests, key=lambda request: self._order(request, now), reverse=True)

    def _form(self, roster: Roster, candidates: Iterable[Request], now: float) -> Pass | None:
        first = sorted(candidates, key=lambda request: self._order(request, now))[: self.limits.max_batch]
        if not first:
            return None
        if not self.limits.merge:
            first = [request for request in first if self.rank(request, now) == self.rank(first[0], now)]
        decodes = sum(request.remaining == 1 for request in first)
        budget = self.limits.token_budget - decodes
        shared = min(budget, self.limits.shared_tokens - decodes)
        wanted: list[tuple[Request, int]] = []
        urgent: float | None = None  # the rank of the first prompt
        for request in first:
            if request.remaining == 1:
                wanted.append((request, 1))
                continue
            rank = self.rank(request, now)
            urgent = rank if urgent is None else urgent
            count = min(request.remaining, budget if rank == urgent else min(budget, shared))
            if count > 0:
                wanted.append((request, count))
                budget -= count
                shared -= count
        rank = min(self.rank(request, now) for request, _ in wanted)
        return roster.open(wanted, now, self._dearest_last(roster.admitted.values(), now), rank)
