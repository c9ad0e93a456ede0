"""Berth's policy: who computes in the next layer slice. The whole of it is on this page; the books are kept in roster.py.

Before every slice (one layer of one pass) the engine asks `next_pass`.

1. A request without its first token that outranks the running pass, and came after that was formed, interrupts it: the pass
   stays where it is, between two layers, and a new one is formed of those who outrank it. Comparison is strict, so equals never
   take turns at each other; and whoever was passed over when a pass was formed waits for its end.
2. Else the running pass goes on. When it ends, the one it interrupted goes on; only then a new one is formed.
3. A new pass takes the most urgent requests, as many as the batch has places: one token of each that decodes, then prompts by
   chunks up to `token_budget`. So whoever decodes joins at the next pass, and takes the place of a less urgent one, which
   keeps all it has computed and goes on when there is a place again.
   Without `merge` a pass holds requests of one rank only: then nobody's arithmetic depends on who else is served, bit for bit.
4. A prompt shares its pass with less urgent prompts only up to `shared_tokens`: what fits beside it at little cost, since so
   small a pass waits for the weights, not for the arithmetic.
5. Whoever got nowhere for `patience` seconds while more urgent ones were served gets the first place in the next pass that is
   formed when none is interrupted; one request a pass, the longest waiting first. A pass that was formed `patience` seconds ago
   is interrupted no more. So with c more urgent classes the request that waited longest gets somewhere at the latest
   (1 + 2c) * `patience` after its last pass, plus the layers then left: once `patience` until it is impatient, then c times for
   the pass in flight and c times for its own, which newcomers of each class may hold up so long. Each that waited longer costs
   it such a pass more.

A pass ranks as its least urgent member. Among equals: the earlier deadline, then the earlier arrival, where each token that is still
to be computed counts as `handicap` seconds: short prompts pass long ones that came shortly before, and nobody is passed by
those who came later than the handicap of the own prompt (4 s for 4,000 tokens).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from berth_engine.batch import Pass
from berth_engine.request import Request
from berth_engine.roster import Roster

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Limits:
    """max_batch: requests in a pass. Tokens are counted over all members of a pass. patience: seconds. merge: whether
    requests of different ranks may share a pass. handicap: seconds a token; 0 is the order of arrival."""

    max_batch: int = 32
    token_budget: int = 512
    shared_tokens: int = 128
    patience: float = 10.0
    merge: bool = True
    handicap: float = 0.001

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

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        """The pass whose next layer runs now; None when there is nothing to do."""
        running = roster.running
        if running is None:
            return self._form(roster, list(roster.idle()), now, self._impatient(roster, now))
        if roster.version != self._seen and now - running.formed < self.limits.patience:
            rank = running.rank
            outranking = [request for request in roster.idle() if request.priority > rank]
            if any(request.entered > running.version and not request.output for request in outranking):
                opened = self._form(roster, outranking, now)
                if opened:
                    return opened
            self._seen = roster.version
        if running.away:
            roster.resume(running, self._dearest_last(roster.admitted.values()))
        return running

    def _impatient(self, roster: Roster, now: float) -> Request | None:
        """Who has waited longest without getting anywhere because of more urgent ones, if that was too long."""
        idle = list(roster.idle())
        most = max((request.priority for request in idle), default=0)
        behind = sorted(
            (request for request in idle if request.priority < most), key=lambda request: request.progressed
        )
        # one whom the cache can promise no place must not stand before those who hold what it waits for
        longest = next(iter(roster.first(behind, 1)), None)
        return longest if longest and now - longest.progressed >= self.limits.patience else None

    def _form(
        self, roster: Roster, candidates: list[Request], now: float, impatient: Request | None = None
    ) -> Pass | None:
        ordered = sorted(candidates, key=self._order)
        if impatient:
            ordered.remove(impatient)
            ordered.insert(0, impatient)
        members = roster.first(ordered, self.limits.max_batch)
        if members and not self.limits.merge:
            members = [request for request in members if request.priority == members[0].priority]
        budget = self.limits.token_budget - sum(request.remaining == 1 for request in members)
        shared = self.limits.shared_tokens
        urgent = max((request.priority for request in members if request.remaining > 1), default=0)
        wanted: list[tuple[Request, int]] = []
        for request in members:
            count = min(request.remaining, budget)
            if request.remaining == 1:
                count = 1
            elif request.priority < urgent:
                count = min(count, shared)
                shared -= count
            if count > 0:
                wanted.append((request, count))
                budget -= count if request.remaining > 1 else 0
        return roster.open(wanted, now, self._dearest_last(roster.admitted.values()))

    def _dearest_last(self, requests: Iterable[Request]) -> list[Request]:
        return sorted(requests, key=self._order, reverse=True)

    def _order(self, request: Request) -> tuple[float, float, float]:
        came = request.arrived + self.limits.handicap * request.remaining
        return (-request.priority, NEVER if request.deadline is None else request.deadline, came)
