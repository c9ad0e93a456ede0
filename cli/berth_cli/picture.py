"""The packing in a terminal: each node a berth, each GPU a slot, pods as runs of their tier's letter.

`A━A━A━A` is one pod of the highest tier on four GPUs, `C C` are two pods of the third tier with one each, `·` is a free
slot. Letters carry the meaning, colour repeats it. For clusters of up to MAX_NODES nodes with devices.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from berth_cli.terminal import columns
from berth_cluster.snapshot import Node, Snapshot
from berth_planner.plan import Plan

MAX_NODES = 64
MAX_SLOTS = 16
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
COLORS = ("dark_orange", "deep_sky_blue1", "medium_purple1", "green3", "gold1", "hot_pink")
"""Told apart by people who cannot tell red from green; the letters hold for everybody."""
FREE = "·"
OTHER = "?"


@dataclass(frozen=True, order=True)
class Block:
    """One pod on a node: sorted by tier, then size, then name, so that what stays is drawn alike before and after."""

    tier: int
    size: int
    name: str
    fixed: bool = field(compare=False, default=False)


def device_of(snapshot: Snapshot) -> str | None:
    """The resource to draw: the extended resource that most of the nodes' capacity is counted in, GPUs first."""
    counts: Counter[str] = Counter()
    for node in snapshot.nodes:
        counts.update({r: n for r, n in node.allocatable if "/" in r and 0 < n <= MAX_SLOTS})
    if not counts:
        return None
    return max(counts, key=lambda r: ("gpu" in r, counts[r], r))


def can_draw(snapshot: Snapshot) -> bool:
    return 0 < len(snapshot.nodes) <= MAX_NODES and device_of(snapshot) is not None


def print_picture(console: Console, snapshot: Snapshot, plan: Plan | None, *, after: bool) -> None:
    """One row a node; with `after`, before and after side by side and what changed."""
    device = device_of(snapshot)
    assert device is not None
    tiers = sorted({pod.priority for pod in snapshot.pods}, reverse=True)
    before, later = blocks_before(snapshot, device, tiers), None
    if after and plan is not None:
        later = blocks_after(before, snapshot, plan, device, tiers)
    heads = ("NODE", "BEFORE", "AFTER", "CHANGE") if later is not None else ("NODE", f"{device} SLOTS", "FREE")
    table = columns(*heads)
    for node in snapshot.nodes:
        slots = node.amounts.get(device, 0)
        if not slots:
            continue
        drawn = _draw(before[node.name], slots)
        if later is None:
            free = slots - sum(block.size for block in before[node.name])
            table.add_row(node.name, drawn, str(free))
        else:
            table.add_row(node.name, drawn, _draw(later[node.name], slots), _change(before, later, node))
    console.print(table)


def print_legend(console: Console, snapshot: Snapshot) -> None:
    tiers = sorted({pod.priority for pod in snapshot.pods}, reverse=True)
    names = {pod.priority: pod.priority_class for pod in snapshot.pods if pod.priority_class}
    line = Text()
    for tier, priority in enumerate(tiers):
        letter, color = _mark(tier)
        line += Text(letter, style=f"bold {color}") + Text(f" {names.get(priority, 'priority')} ({priority})   ")
    line += Text(f"{FREE} free   joined: one pod")
    console.print(line)


def blocks_before(snapshot: Snapshot, device: str, tiers: Sequence[int]) -> dict[str, list[Block]]:
    rank = {priority: tier for tier, priority in enumerate(tiers)}
    blocks: dict[str, list[Block]] = defaultdict(list)
    for pod in snapshot.pods:
        size = dict(pod.spec.requests).get(device, 0)
        if pod.node is not None and size:
            blocks[pod.node].append(Block(rank[pod.priority], size, pod.workload.name, not pod.is_movable))
    return blocks


def blocks_after(
    before: Mapping[str, Sequence[Block]], snapshot: Snapshot, plan: Plan, device: str, tiers: Sequence[int]
) -> dict[str, list[Block]]:
    rank = {priority: tier for tier, priority in enumerate(tiers)}
    blocks = defaultdict(list, {node: list(standing) for node, standing in before.items()})
    for eviction in (e for wave in plan.waves for e in wave.evictions):
        size = dict(eviction.requests).get(device, 0)
        if size:
            blocks[eviction.node].remove(Block(rank[eviction.priority], size, eviction.workload.name))
    for placement in plan.placements:
        size = dict(placement.requests).get(device, 0)
        if size:
            block = Block(rank[placement.priority], size, placement.workload.name)
            blocks[placement.node] += [block] * placement.count
    return blocks


def _draw(blocks: Sequence[Block], slots: int) -> Text:
    line = Text()
    used = 0
    for block in sorted(blocks, key=lambda b: (b.tier, -b.size, b.name)):
        letter, color = _mark(block.tier)
        line += Text("━".join([letter] * block.size), style=f"bold {color}") + Text(" ")
        used += block.size
    line += Text(" ".join([FREE] * max(slots - used, 0)), style="dim")
    line.rstrip()
    return line


def _change(before: Mapping[str, Sequence[Block]], later: Mapping[str, Sequence[Block]], node: Node) -> Text:
    was, now = Counter(before.get(node.name, ())), Counter(later.get(node.name, ()))
    line = Text()
    for sign, changed in (("+", now - was), ("-", was - now)):
        for block, count in sorted(changed.items()):
            _, color = _mark(block.tier)
            times = f" x{count}" if count > 1 else ""
            line += Text(f"{sign}{block.name}{times}  ", style=color)
    line.rstrip()
    return line


def _mark(tier: int) -> tuple[str, str]:
    return (LETTERS[tier] if tier < len(LETTERS) else OTHER), COLORS[tier % len(COLORS)]
