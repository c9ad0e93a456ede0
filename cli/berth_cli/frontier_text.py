"""The frontier as text: what each number of moves buys, as a curve of bars."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from berth_cli.terminal import columns
from berth_planner.frontier import FrontierPoint

BAR_CELLS = 24
FULL = "█"


def print_frontier(console: Console, points: Sequence[FrontierPoint]) -> None:
    """Fewest moves first. The bar is pods gained, the longest the most that was found."""
    console.print(Text("Pods gained against pods moved", style="bold"))
    table = columns(
        "AT MOST",
        "MOVED",
        "EVICTED",
        "GAINED",
        "PER MOVE",
        "",
        "PLACED BY TIER",
        "PROOF",
        right=("AT MOST", "MOVED", "EVICTED", "GAINED", "PER MOVE"),
    )
    most = max((p.gained for p in points), default=0)
    for point in points:
        per_move = point.gained_per_move
        table.add_row(
            "any" if point.cap is None else str(point.cap),
            str(point.moves),
            str(point.evictions),
            str(point.gained),
            "-" if per_move is None else f"{per_move:.1f}",
            Text(FULL * round(BAR_CELLS * max(point.gained, 0) / most) if most > 0 else "", style="cyan"),
            "  ".join(f"{priority}: {placed}" for priority, placed in point.placed),
            "optimal" if point.proven else "not proven",
        )
    console.print(table)
    console.print(
        "Each row is the best by strict priority: one pod of a tier outweighs any number below it.", style="dim"
    )
