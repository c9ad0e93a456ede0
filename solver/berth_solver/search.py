"""The portfolio under one clock: counts, then moves, then whatever is not proven yet with the time that is left.

Knows capacity, eligibility and limits of single nodes. Whatever happens, the best state so far is the answer, and each bound
that was reached stays with it.
"""

from __future__ import annotations

from berth_solver.counting import Counting
from berth_solver.incumbent import Bound, Frame, Incumbent
from berth_solver.moving import Moving
from berth_solver.options import Options
from berth_solver.state import Ground

COUNT_SHARE = 0.6
"""Of the budget for the counts at most, before the moves get their turn."""
LARGE_COUNT_SHARE = 0.7
"""The same where moves can only be searched, not bounded."""
WORTH_ANOTHER_TURN = 0.5
"""Of the time that the moves took: with less left there is no second turn."""


class Search:
    """One run on one problem."""

    def __init__(self, ground: Ground, options: Options, start: float, deadline: float) -> None:
        self.frame = Frame(ground, options, start, deadline)
        self.incumbent = Incumbent(self.frame)
        self.counting = Counting(self.frame, self.incumbent)
        self.moving = Moving(self.frame, self.incumbent)

    def run(self) -> None:
        """Counts, then moves, then counts again while time is left, and the moves again when a count rose."""
        clock, deadline = self.frame.clock, self.frame.deadline
        share = COUNT_SHARE if self.frame.is_groupable else LARGE_COUNT_SHARE
        proven = self.counting.run(clock() + share * (deadline - clock()))
        while True:
            began = clock()
            if self.moving.placed != self.incumbent.placed:
                self.moving = Moving(self.frame, self.incumbent)
            if not self.moving.is_proven:
                self.moving.run(deadline)
            spent, left = clock() - began, deadline - clock()
            if proven or left < max(0.02, WORTH_ANOTHER_TURN * spent):
                break
            counted = self.incumbent.placed
            proven = self.counting.run(clock() + max(0.3 * left, left - 1.5 * spent))
            if self.incumbent.placed == counted:
                break
        if self.moving.placed != self.incumbent.placed:
            # the time ended on a gain: its moves are not bounded
            self.moving = Moving(self.frame, self.incumbent)

    @property
    def is_proven(self) -> bool:
        """Every tier and the disruption."""
        return not self.counting.open_ranks() and self.moving.is_proven

    def resumed(self, deadline: float) -> Search:
        """The same search with a later end; what was found and proven so far is where it starts from."""
        longer = Search(self.frame.ground, self.frame.options, self.frame.start, deadline)
        longer.incumbent.adopt(self.incumbent)
        longer.counting.adopt(self.counting)
        longer.moving = Moving(longer.frame, longer.incumbent)
        return longer

    def count_bound(self, rank: int) -> Bound:
        """The bound on tier `rank` given the incumbent's counts above it."""
        return self.counting.bound(rank, self.incumbent.placed)
