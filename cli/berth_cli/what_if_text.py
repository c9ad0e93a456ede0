"""A what-if as text and as a document: what changed, what it is worth by tier, who is left without a place."""

from __future__ import annotations

import msgspec
from rich.console import Console
from rich.text import Text

from berth_cli.changes import Changed
from berth_cli.plan_text import Shown, counted, print_plan
from berth_cli.terminal import columns
from berth_planner.compare import Comparison, compare
from berth_planner.plan import Plan

NAMED = 5


class WhatIfDocument(msgspec.Struct, frozen=True):
    """What `-o json` prints."""

    changes: tuple[str, ...]
    asked_for: tuple[str, ...]
    """namespace/name of the pods that were added, or ran on removed nodes."""
    without_place: tuple[str, ...]
    """Those of them that would wait."""
    comparison: Comparison
    before: Plan
    after: Plan


def document_of(changed: Changed, before: Plan, after: Plan) -> WhatIfDocument:
    placed = {name for placement in after.placements for name in placement.pods}
    running = {pod.key for pod in changed.snapshot.pods if pod.node is not None}
    asked_for = tuple(dict.fromkeys(changed.homeless + changed.added))
    return WhatIfDocument(
        tuple(changed.sentences),
        asked_for,
        tuple(name for name in asked_for if name not in placed | running),
        compare(before, after),
        before,
        after,
    )


def print_what_if(console: Console, document: WhatIfDocument, *, wide: bool) -> None:
    for sentence in document.changes:
        console.print(Text("if ", style="dim") + Text(sentence))
    console.print()
    numbers = ("PRIORITY", "PODS", "PLACED", "WAITING", "THEN PODS", "THEN PLACED", "THEN WAITING")
    table = columns("PRIORITY", "CLASS", *numbers[1:], right=numbers)
    comparison = document.comparison
    for tier in comparison.tiers:
        change = tier.waiting_after - tier.waiting_before
        table.add_row(
            str(tier.priority),
            tier.priority_class or "-",
            str(tier.pods_before),
            str(tier.placed_before),
            str(tier.waiting_before),
            str(tier.pods_after),
            str(tier.placed_after),
            Text(str(tier.waiting_after), style="red" if change > 0 else "green" if change < 0 else ""),
        )
    console.print(table)
    console.print("Both sides as the plan would leave them.", style="dim")
    console.print()
    for name, now, then in (
        ("Moves", comparison.moves_before, comparison.moves_after),
        ("Evictions", comparison.evictions_before, comparison.evictions_after),
        ("Nodes in use", comparison.nodes_in_use_before, comparison.nodes_in_use_after),
    ):
        console.print(Text(f"{name:<14}", style="bold") + Text(f"{now} now, {then} then"))
    if wide:
        console.print()
        print_plan(console, document.after, Shown(wide=True))
    console.print()
    console.print(_verdict(document))


def _verdict(document: WhatIfDocument) -> Text:
    comparison = document.comparison
    proven = "" if comparison.proven else " Not all of these counts are proven the best possible."
    if document.without_place:
        named = ", ".join(document.without_place[:NAMED]) + (", ..." if len(document.without_place) > NAMED else ".")
        said = f"No: {len(document.without_place)} of {counted(len(document.asked_for), 'pod')} would have no place: {named}"
        return Text(said, style="bold red") + Text(proven, style="")
    less = comparison.waiting_less
    if document.asked_for:
        said = f"Yes: all {counted(len(document.asked_for), 'pod')} would have a place"
        said += f", but {counted(-less, 'other pod')} would wait." if less < 0 else "."
    elif less:
        said = f"{counted(abs(less), 'fewer pod' if less > 0 else 'more pod')} would wait."
    else:
        said = "As many pods would wait as now."
    return Text(said, style="bold green" if less >= 0 else "bold yellow") + Text(proven, style="")
