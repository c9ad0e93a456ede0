"""What the baselines share: a pass of one token of each that decodes, and prompts by chunks up to a budget."""

from __future__ import annotations

from collections.abc import Sequence

from berth_engine.batch import Pass
from berth_engine.request import Request
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits


def chunked(roster: Roster, members: Sequence[Request], limits: Limits, now: float) -> Pass | None:
    """A pass of these requests, the first ones first; whoever else is admitted may be spilled for them, last ones first."""
    budget = limits.token_budget - sum(request.remaining == 1 for request in members)
    wanted: list[tuple[Request, int]] = []
    for request in members:
        count = 1 if request.remaining == 1 else min(request.remaining, budget)
        if count > 0:
            wanted.append((request, count))
            budget -= count if request.remaining > 1 else 0
    return roster.open(wanted, now, list(reversed([*members, *roster.admitted.values()])))
