"""`berth import`: other people's traces as dumps that every other command reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError

GROUP_HELP = "Make a dump from a published trace."

OPENB_EXAMPLES = """
Examples:
  berth import openb --nodes openb_node_list_all_node.csv --pods openb_pod_list_default.csv -o openb.json
  berth import openb --nodes N.csv --pods P.csv | berth plan --dump -

Exit codes: 0 fine, 2 a file is not such a CSV.
"""


def openb(
    nodes: Annotated[Path, typer.Option(metavar="FILE", help="openb_node_list_*.csv", rich_help_panel="Input")],
    pods: Annotated[Path, typer.Option(metavar="FILE", help="openb_pod_list_*.csv", rich_help_panel="Input")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Default: standard output.", rich_help_panel=options.OUTPUT),
    ] = None,
    priority_from_qos: Annotated[
        bool,
        typer.Option(
            "--priority-from-qos",
            help="One priority class a QoS; else all pods have priority 0.",
            rich_help_panel="Input",
        ),
    ] = False,
) -> None:
    """The Alibaba GPU trace (openb) as a dump.

    All pods wait, none is placed. A pod that asks for a share of a GPU counts as one whole GPU, and it is said how many do.
    The GPU model is the label nvidia.com/gpu.product of a node, and a selector of the pods that name models; arrival times
    are kept.
    """
    from berth_cli.files import check_writable, write_stdout, write_whole
    from berth_cluster.errors import DumpError
    from berth_cluster.openb import import_openb

    if out is not None:
        check_writable(out, keep=(nodes, pods))
    elif sys.stdout.isatty():
        raise CommandError("this would print megabytes of JSON here", hint="Name a file with -o, or pipe it on.")
    try:
        imported = import_openb(nodes, pods, priority_from_qos=priority_from_qos)
    except DumpError as error:
        raise CommandError(str(error)) from error
    if out is not None:
        write_whole(out, imported.body)
    else:
        write_stdout(imported.body)
    typer.echo(f"{imported.nodes:,} nodes, {imported.pods:,} pods" + (f" in {out}" if out else ""), err=True)
    for note in imported.notes:
        typer.echo(f"note: {note}", err=True)
