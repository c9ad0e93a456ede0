"""`berth top`: what the nodes hold, and where room is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options

if TYPE_CHECKING:
    from berth_cli.terminal import Terminal
    from berth_ui.wire import Fragments, NodeView, Tier

EXAMPLES = """
Examples:
  berth top                              the current context's cluster
  berth top --watch 2                    the same, every two seconds
  berth top --dump dump.json -o wide     all nodes, with what they hold
  berth top -o json | jq .fragments.gpusStranded

Exit codes: 0 answered, 2 bad input, 3 cluster not reachable.
"""

SHOWN = 20
"""Nodes listed, those with most free GPUs first; -o wide and -o json have all."""
GIB = 1 << 30


def top(
    dump: options.Dump = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    zone: Annotated[str | None, typer.Option(metavar="NAME", help="Nodes of this zone only.")] = None,
    output: options.Output = options.OutputFormat.TABLE,
    no_color: options.NoColor = False,
) -> None:
    """What the nodes hold, who waits by priority, and where room is lost to fragments.

    The same figures as on the page of `berth ui`.
    """
    from berth_cli.output import print_value
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_ui.top import top_of

    terminal = open_terminal(no_color=no_color)
    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    found = top_of(snapshot, zone)
    if not print_value(found, output):
        wide = output is options.OutputFormat.WIDE
        _print(found.nodes, found.tiers, found.fragments, terminal, len(found.nodes) if wide else SHOWN)


def _print(nodes: list[NodeView], tiers: list[Tier], room: Fragments, terminal: Terminal, shown: int) -> None:
    from berth_cli.terminal import columns

    out = terminal.out
    gpus = sum(node.gpus for node in nodes)
    used = sum(node.gpus_used for node in nodes)
    ready = sum(node.ready and not node.cordoned for node in nodes)
    out.print(f"Nodes       {len(nodes)}, {ready} of them open")
    if gpus:
        out.print(f"GPUs        {used} of {gpus} used, {room.gpus_free} free, {room.gpus_stranded} of those stranded")
    table = columns("PRIORITY", "CLASS", "RUNNING", "WAITING", "GPUS", right=("PRIORITY", "RUNNING", "WAITING", "GPUS"))
    for tier in tiers:
        table.add_row(str(tier.priority), tier.priority_class, str(tier.running), str(tier.waiting), str(tier.gpus))
    if tiers:
        out.print()
        out.print(table)
    if room.shapes:
        out.print()
        table = columns(
            "SIZE",
            "RUNNING",
            "WAITING",
            "FIT NOW",
            "FIT AT MOST",
            right=("RUNNING", "WAITING", "FIT NOW", "FIT AT MOST"),
        )
        for shape in room.shapes:
            size = f"{shape.gpus} gpu, {shape.cpu / 1_000:g} cpu, {shape.memory / GIB:g}Gi"
            table.add_row(size, *map(str, (shape.running, shape.waiting, shape.fits_now, shape.fits_at_most)))
        out.print(table)
    out.print()
    table = columns("NODE", "ZONE", "GPUS", "CPU", "MEMORY", "STATE", right=("GPUS", "CPU", "MEMORY"))
    for node in sorted(nodes, key=lambda n: (n.gpus_used - n.gpus, n.name))[:shown]:
        kept = f" +{node.gpus_kept} kept" if node.gpus_kept else ""
        table.add_row(
            node.name,
            node.zone,
            f"{node.gpus_used}/{node.gpus}{kept}",
            f"{node.cpu_used / 1_000:g}/{node.cpu / 1_000:g}",
            f"{node.memory_used / GIB:.0f}/{node.memory / GIB:.0f}Gi",
            "NotReady" if not node.ready else "Cordoned" if node.cordoned else "Open",
        )
    out.print(table)
    if len(nodes) > shown:
        out.print(f"... and {len(nodes) - shown} more: -o wide")
