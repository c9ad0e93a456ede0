"""What `berth why` says of a running pod's hint: how far its wishes are met where it runs. (Of waiting pods the plan tells it.)"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from berth_cli.hint_cluster import reading_in
from berth_cli.hint_text import quoted
from berth_cli.live_objects import LiveObjects
from berth_cli.pod_hint_text import met
from berth_cli.terminal import Terminal
from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.sentences import insistence, phrase
from berth_planner.hint_reading import Reading
from berth_planner.pod_hint import HintedPods, PodHint

HINTS_SHOWN = 2
"""Of the pods that were asked about, one for each hint; the rest is for `berth hint --pod`."""


def print_hints(terminal: Terminal, snapshot: Snapshot, pods: Sequence[Pod], cluster: LiveObjects | None) -> None:
    """Nothing for pods that wait, or have no hint. cluster: whose policies hold; None for a dump."""
    one_each = {pod.hint: pod for pod in reversed(pods) if pod.hint and pod.node is not None}
    if not one_each:
        return
    hinted = HintedPods(snapshot, reading_in(snapshot, cluster, terminal))
    for pod in list(reversed(one_each.values()))[:HINTS_SHOWN]:
        found = hinted.explain(pod)
        if found is not None:
            _print(terminal.out, *found)


def _print(console: Console, pod: PodHint, reading: Reading) -> None:
    console.print(Text("hint  ", style="bold") + Text(quoted(pod.hint, wide=False)), soft_wrap=True)
    console.print(Text(f"  {_outcome(pod)}"), soft_wrap=True)
    for wish in pod.nodes[0].wishes if pod.nodes else ():
        if wish.satisfaction < 1:
            met_to = f"met to {wish.satisfaction:.0%}: {wish.reason}"
            console.print(Text(f"  {wish.wish} ({insistence(wish.strength)}) is {met_to}"), soft_wrap=True)
    for i in sorted(reading.understood.overruled):
        console.print(Text(f"  overruled: {phrase(reading.understood.preferences[i])}"), soft_wrap=True)
    unread = len(reading.understood.unparsed)
    aside = f"; {unread} stretch{'' if unread == 1 else 'es'} of it not understood" if unread else ""
    console.print(Text(f"  more: berth hint --pod {pod.pod}{aside}"), soft_wrap=True)


def _outcome(pod: PodHint) -> str:
    if not pod.nodes:
        return "no wish was found in it"
    better = f"; {pod.nodes[1].node} would suit it better" if len(pod.nodes) > 1 else ""
    return f"on {pod.nodes[0].node}: {met(pod.nodes[0])}{better}"
