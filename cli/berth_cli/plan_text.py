"""A plan as text: tiers with what is proven, disruption, the waves in order, and a verdict in one line.

`table` shows the first rows of each wave and counts the rest, `wide` shows all rows and columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from berth_cli.amounts import needs
from berth_cli.durations import spoken
from berth_cli.terminal import columns
from berth_cluster.snapshot import Snapshot, WorkloadKey
from berth_planner.plan import DisruptionReport, Eviction, Placement, Plan, TierReport, Wave, WishReport

_Place = tuple[WorkloadKey, int, str]
"""Workload, priority, node."""

ROWS_A_WAVE = 12
"""In `table`; the rest of a wave is one line with a count."""
WAVES_SHOWN = 10


@dataclass(frozen=True)
class Shown:
    """What of a plan is printed."""

    wide: bool = False
    namespace: str | None = None

    def has(self, workload: WorkloadKey) -> bool:
        return self.namespace in (None, workload.namespace)


def scope(snapshot: Snapshot, movable: str, *, by_default: bool) -> Text:
    """What was planned, and whose pods may be placed and moved: the one assumption that people should see first."""
    pods = [pod for pod in snapshot.pods if movable == "all" or pod.scheduler == "berth"]
    waiting = sum(pod.is_pending for pod in pods)
    others = sum(pod.is_pending for pod in snapshot.pods) - waiting
    said = f"{counted(len(snapshot.nodes), 'node')}, {counted(len(snapshot.pods), 'pod')}, {waiting:,} waiting"
    said += f" and {others:,} more for other schedulers. " if others else ". "
    if movable == "all":
        said += "Pods of every scheduler may be placed and moved (--movable all" + (
            ", the default)." if by_default else ")."
        )
    else:
        said += "Only pods of the scheduler `berth` may be placed and moved (--movable berth)."
    return Text(said, style="dim")


def print_plan(console: Console, plan: Plan, shown: Shown) -> None:
    console.print(tier_table(plan.tiers, wide=shown.wide))
    console.print()
    for line in disruption_lines(plan, wide=shown.wide):
        console.print(line)
    if plan.waves:
        console.print()
        _print_waves(console, plan, shown)
    for note in plan.notes:
        console.print(Text("note: ", style="cyan") + Text(note))
    console.print()
    console.print(verdict(plan))


def tier_table(tiers: tuple[TierReport, ...], *, wide: bool) -> Table:
    numbers = ("PRIORITY", "PODS", "BEFORE", "AFTER", "AT MOST")
    headers = ["PRIORITY", "CLASS", "PODS", "BEFORE", "AFTER", "AT MOST", "PROOF"] + (["EVIDENCE"] if wide else [])
    table = columns(*headers, right=numbers)
    for tier in tiers:
        change = tier.placed_after - tier.placed_before
        table.add_row(
            str(tier.priority),
            tier.priority_class or "-",
            str(tier.pods),
            str(tier.placed_before),
            Text(str(tier.placed_after), style="green" if change > 0 else "red" if change < 0 else ""),
            str(tier.bound),
            tier_proof(tier),
            *([tier.evidence] if wide else []),
        )
    return table


def tier_proof(tier: TierReport) -> Text:
    """The certificate in words. What a bound presumes (the counts above) is said once, in docs/plan.md."""
    if tier.certificate != "Optimal":
        return Text(f"not proven: at most {tier.bound - tier.placed_after} more", style="yellow")
    if tier.placed_after == tier.pods:
        return Text("optimal: all placed", style="green")
    why = {"gang": "gang too large", "exhausted": "searched to the end"}.get(tier.evidence, "no more fit")
    return Text(f"optimal: {why}", style="green")


def disruption_lines(plan: Plan, *, wide: bool) -> list[Text]:
    disruption = plan.disruption
    line = Text("Disruption    ", style="bold") + Text(_disruption(disruption, wide))
    if plan.nodes_in_use_before == plan.nodes_in_use_after:
        nodes = f"{plan.nodes_in_use_after}"
    else:
        nodes = f"{plan.nodes_in_use_before} before, {plan.nodes_in_use_after} after"
    lines = [line, Text("Nodes in use  ", style="bold") + Text(nodes)]
    if plan.wishes is not None:
        lines.append(Text("Wishes        ", style="bold") + Text(_wishes(plan.wishes, wide)))
    return lines


def _wishes(report: WishReport, wide: bool) -> str:
    if report.fulfilled == report.pods:
        met = f"all met, of {counted(report.pods, 'pod')} with hints or preferences"
    else:
        met = f"all met for {report.fulfilled:,} of {counted(report.pods, 'pod')} with hints or preferences"
        proof = "proven best" if report.certificate == "Optimal" else "not proven best"
        met += f"; {proof} for these counts and moves"
    return f"{met} ({report.value:.4f} of at most {report.bound:.4f})" if wide else met


def _disruption(report: DisruptionReport, wide: bool) -> str:
    if not report.moves and not report.evictions:
        return "none"
    parts = [counted(report.moves, "move")]
    if report.evictions:
        parts.append(f"{counted(report.evictions, 'eviction')} without a new place")
    weight = "" if report.value == report.moves + report.evictions else f", weight {report.value:g}"
    if report.certificate == "Optimal":
        proof = "proven least for these counts"
        if report.evidence == "exhausted":
            proof += " by searching to the end"
    else:
        proof = f"not proven least: at least {report.bound:g} for these counts"
    evidence = f" (evidence: {report.evidence})" if wide else ""
    return f"{' and '.join(parts)}{weight}; {proof}{evidence}"


def _print_waves(console: Console, plan: Plan, shown: Shown) -> None:
    headers = ["WAVE", "DO", "POD", "PRIORITY", "FROM", "TO", "NEEDS"] + (["WORKLOAD", "COST"] if shown.wide else [])
    table = columns(*headers, right=("WAVE", "PRIORITY", "COST"))
    hidden_waves = 0
    moving: Counter[_Place] = Counter()
    for number, wave in enumerate(plan.waves, 1):
        if not shown.wide and number > WAVES_SHOWN:
            hidden_waves += 1
            continue
        rows = _rows(wave, moving, shown)
        limit = len(rows) if shown.wide else ROWS_A_WAVE
        for i, row in enumerate(rows[: limit if len(rows) > limit + 1 else len(rows)]):
            table.add_row(str(number) if i == 0 else "", *row)
        if len(rows) > limit + 1:
            table.add_row("", "...", f"{len(rows) - limit} more (-o wide shows all)")
    console.print(table)
    if hidden_waves:
        console.print(f"... and {counted(hidden_waves, 'more wave')} (-o wide shows all)")


def _rows(wave: Wave, moving: Counter[_Place], shown: Shown) -> list[list[str | Text]]:
    """`moving`: replacements on their way from earlier waves, brought up to date here."""
    fresh = Counter(_place(e) for e in wave.evictions if e.is_move)
    rows: list[list[str | Text]] = [_eviction_row(e, shown.wide) for e in wave.evictions if shown.has(e.workload)]
    for placement in wave.placements:
        place = (placement.workload, placement.priority, placement.node)
        landing = min(fresh[place], placement.count)  # the far end of a move of this wave, which has its row already
        fresh[place] -= landing
        late = min(moving[place], placement.count - landing)
        moving[place] -= late
        if shown.has(placement.workload):
            if late:
                rows.append(_placement_row(placement, "land", late, shown.wide))
            if placement.count > landing + late:
                rows.append(_placement_row(placement, "place", placement.count - landing - late, shown.wide))
    moving.update(fresh)
    return rows


def _place(eviction: Eviction) -> _Place:
    assert eviction.target is not None
    return eviction.workload, eviction.priority, eviction.target


def _eviction_row(eviction: Eviction, wide: bool) -> list[str | Text]:
    do = Text("move", style="cyan") if eviction.is_move else Text("evict", style="red")
    more: list[str | Text] = [str(eviction.workload), f"{eviction.move_cost:g}"] if wide else []
    target = eviction.target or "-"
    return [
        do,
        eviction.pod,
        str(eviction.priority),
        eviction.node,
        target,
        needs(eviction.requests, every=wide),
        *more,
    ]


def _placement_row(placement: Placement, do: str, count: int, wide: bool) -> list[str | Text]:
    if do == "place" and len(placement.pods) == 1:
        name = placement.pods[0]
    else:
        name = f"{placement.workload.namespace}/{placement.workload.name}" + (f" x{count}" if count > 1 else "")
    more: list[str | Text] = [str(placement.workload), ""] if wide else []
    requests = needs(placement.requests, every=wide)
    return [Text(do, style="green"), name, str(placement.priority), "-", placement.node, requests, *more]


def verdict(plan: Plan) -> Text:
    """What comes of it, at which price, how sure, in how much time."""
    waiting = sum(tier.pods - tier.placed_before for tier in plan.tiers)
    gained = sum(tier.placed_after - tier.placed_before for tier in plan.tiers)
    left = sum(tier.pods - tier.placed_after for tier in plan.tiers)
    counts_proven = all(tier.certificate == "Optimal" for tier in plan.tiers)
    least = plan.disruption.certificate == "Optimal"
    price = _price(plan)
    if not waiting and plan.is_empty:
        said = "No pod waits, and nothing needs to move."
    elif plan.is_empty and counts_proven:
        said = f"{counted(waiting, 'pod')} {_s('wait', waiting)}, and the present placement is proven best: nothing would help without more room."
    elif plan.is_empty:
        said = f"{counted(waiting, 'pod')} {_s('wait', waiting)}; no better placement was found in the time given, and none is ruled out."
    else:
        wait = "all find a place" if not left else f"{counted(left, 'pod')} will still wait"
        said = f"{_signed(gained)} placed ({waiting:,} waiting before; {wait}) {price}; "
        said += (
            "proven best, with proven fewest moves." if counts_proven and least
            else "proven best; fewer moves are not ruled out." if counts_proven
            else "more may be possible: a longer --budget may prove or find it."
        )  # fmt: skip
    style = "bold green" if counts_proven else "bold yellow"
    checked = "verified" if plan.verified else "NOT VERIFIED"
    return Text(said, style=style) + Text(f" Solved in {spoken(plan.elapsed_seconds)}, {checked}.", style="")


def _price(plan: Plan) -> str:
    moves, evictions = plan.disruption.moves, plan.disruption.evictions
    if not moves and not evictions:
        return "without disturbing anybody"
    price = f"for {counted(moves, 'move')}"
    return (
        price
        + (f" and {counted(evictions, 'eviction')}" if evictions else "")
        + f" in {counted(len(plan.waves), 'wave')}"
    )


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _signed(count: int) -> str:
    if count == 0:
        return "As many pods"
    return f"{abs(count):,} {'more' if count > 0 else 'fewer'} pod{'' if abs(count) == 1 else 's'}"


def _s(verb: str, count: int) -> str:
    return verb + ("s" if count == 1 else "")
