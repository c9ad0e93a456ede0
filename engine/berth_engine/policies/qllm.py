"""QLLM's Algorithm 1 with its queues in the layers (arXiv 2503.09304), on our books.

Two classes: urgent (priority above 0) and best effort. A batch is chosen in the paper's order: a full batch of urgent decodes;
urgent prompts, filled up with best-effort prompts; urgent decodes, filled up with best-effort ones; best-effort decodes; best-
effort prompts. Prompts are taken whole and never interrupted. A pass of best-effort decodes that finds an urgent request
waiting stops at its next layer and stays in that layer's queue until another decode pass reaches the layer and takes it along.

One mercy is added: when nothing else is there to run, the queues are worked off. The published code leaves them stranded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from berth_engine.batch import Pass
from berth_engine.request import Request
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits


class Qllm:
    """`on_merge(into, other)` joins the tensors of two passes before their chunks are joined (Runner.merge)."""

    name = "qllm"

    def __init__(self, limits: Limits, on_merge: Callable[[Pass, Pass], None] | None = None) -> None:
        self.limits = limits
        self.on_merge = on_merge

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        running = roster.running
        if running is None or self._yields(running, roster):
            chosen = self._choose(roster.first(roster.idle(), len(roster.admitted) + len(roster.waiting)))
            wanted = [(request, request.remaining) for request in chosen]
            opened = roster.open(wanted, now, list(reversed(roster.admitted.values())))
            if opened or running is None:
                return opened
        if running.away:
            roster.resume(running, list(reversed(roster.admitted.values())))
        self._take_along(running, roster)
        return running

    def _yields(self, running: Pass, roster: Roster) -> bool:
        """Whether a pass of best-effort decodes stands aside: an urgent request is there that no pass holds."""
        if any(chunk.request.priority > 0 or chunk.count > 1 for chunk in running.chunks):
            return False
        return any(request.priority > 0 for request in roster.idle())

    def _take_along(self, running: Pass, roster: Roster) -> None:
        """Merge the passes that were left at the layer that a decode pass has reached."""
        if any(chunk.count > 1 for chunk in running.chunks):
            return
        for left in [
            other for other in roster.passes if other is not running and other.layer == running.layer and not other.away
        ]:
            if self.on_merge:
                self.on_merge(running, left)
            roster.merge(running, left)

    def _choose(self, idle: list[Request]) -> Iterable[Request]:
        size = self.limits.max_batch
        urgent = [request for request in idle if request.priority > 0]
        other = [request for request in idle if request.priority <= 0]
        urgent_decode, urgent_prompt = _parted(urgent)
        decode, prompt = _parted(other)
        if len(urgent_decode) >= size:
            return urgent_decode[:size]
        if urgent_prompt:
            return (urgent_prompt + prompt)[:size]
        if urgent_decode:
            return (urgent_decode + decode)[:size]
        return decode[:size] or prompt[:size]


def _parted(requests: list[Request]) -> tuple[list[Request], list[Request]]:
    """Those that decode, and those whose prompt is not computed yet."""
    return [r for r in requests if r.output], [r for r in requests if not r.output]
