"""`berth hint --pod` as text: what the pod's hint says, and wish by wish how well nodes suit it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from berth_api.annotations import SCHEDULER
from berth_cli.hint_text import NO_WISH, print_doubts, quoted
from berth_cli.terminal import columns
from berth_intent.sentences import insistence, phrase
from berth_intent.understood import Preference
from berth_planner.hint_reading import Reading
from berth_planner.pod_hint import NodeJudged, PodHint


def print_pods(console: Console, found: Sequence[tuple[PodHint, Reading]], *, wide: bool) -> None:
    for i, (pod, reading) in enumerate(found):
        if i:
            console.print()
        _print_pod(console, pod, reading, wide)


def _print_pod(console: Console, pod: PodHint, reading: Reading, wide: bool) -> None:
    where = f"runs on {pod.node}" if pod.node else "waits"
    console.print(
        Text(pod.pod, style="bold") + Text(f" {where}; its hint: {quoted(pod.hint, wide=wide)}"), soft_wrap=True
    )
    if pod.scheduler != SCHEDULER:
        console.print(
            Text(
                f"It does not count: the pod's scheduler is {pod.scheduler}. Set schedulerName: {SCHEDULER}",
                style="yellow",
            )
        )
    for node in pod.nodes:
        console.print()
        console.print(Text(_title(pod, node), style="bold"))
        _print_node(console, node, wide)
    if not pod.nodes:
        for wish in reading.counting:
            console.print(f"  {_wish(wish)}")
    if pod.node is None and not pod.with_room:
        told = "none of them has room for it now" if pod.allowed else "its rules allow no node"
        console.print(Text(f"{told.capitalize()}: `berth why {pod.pod}` says what would help.", style="yellow"))
    if not reading.understood.preferences:
        console.print(NO_WISH)
    for wish in reading.enforced:
        console.print(Text("enforced  ", style="bold") + Text(f"{_wish(wish)}: rules nodes out in this namespace"))
    for wish in reading.refused:
        console.print(Text("not allowed  ", style="yellow") + Text(f"{_wish(wish)}: the PackingPolicy says so"))
    for i in sorted(reading.understood.overruled):
        console.print(Text("overruled  ", style="yellow") + Text(_wish(reading.understood.preferences[i])))
    print_doubts(console, reading.understood, wide=wide)


def _title(pod: PodHint, node: NodeJudged) -> str:
    shares = met(node)
    first = node is pod.nodes[0]
    if node.node == pod.node:
        better = "another node that has room" if len(pod.nodes) > 1 else "no other node that has room"
        return f"{node.node}, where it runs: {shares}; {better} would suit it better"
    if pod.node is not None:
        return f"{node.node} would suit it better: {shares}"
    if not first:
        return f"Next, {node.node}: {shares}" + ("" if node.has_room else ", no room now")
    among = (
        f"{pod.with_room} nodes that have room" if pod.with_room else f"{pod.allowed} nodes, none of which has room now"
    )
    return f"Best of {among}, {node.node}: {shares}"


def met(node: NodeJudged) -> str:
    """How far the wishes of each strength are met, in the order in which they decide."""
    shares: dict[str, list[float]] = {}
    for wish in sorted(node.wishes, key=lambda w: -w.strength):
        shares.setdefault(insistence(wish.strength), []).append(wish.satisfaction)
    return ", ".join(f"{name} wishes met to {sum(of) / len(of):.0%}" for name, of in shares.items())


def _print_node(console: Console, node: NodeJudged, wide: bool) -> None:
    table = columns("WISH", "STRENGTH", "HERE", "BEST", "WHY", *(("WORDS",) if wide else ()), right=("HERE", "BEST"))
    for wish in node.wishes:
        style = "green" if wish.satisfaction >= wish.best else "yellow"
        table.add_row(
            wish.wish,
            insistence(wish.strength),
            Text(f"{wish.satisfaction:.0%}", style=style),
            f"{wish.best:.0%}",
            wish.reason,
            *((quoted(wish.text, wide=True),) if wide else ()),
        )
    console.print(table)


def _wish(wish: Preference) -> str:
    return f"{phrase(wish)} ({insistence(wish.strength)})"
