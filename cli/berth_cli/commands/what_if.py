"""`berth what-if`: the same cluster with nodes added, cordoned or gone, pods added, priorities changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

CHANGES = "Changes (made together, in this order)"

EXAMPLES = """
Examples:
  berth what-if --remove gpu-07                              can I drain it, and where would its pods go?
  berth what-if --dump dump.json --add-nodes 2 --like gpu-01 what would two more such nodes bring?
  berth what-if --add llm.yaml -n llm                        would this fit? (exit code 1 if not)
  berth what-if --priority deploy/chat=1000                  who would give way?
  berth what-if --cordon gpu-01 --cordon gpu-02 -o json

Exit codes: 0 fine; 1 a pod of --add, or of a removed node, has no place; 2 bad input; 3 cluster not reachable.
"""


def what_if(
    remove: Annotated[
        list[str] | None,
        typer.Option(metavar="NODE", help="Without this node; its pods wait again.", rich_help_panel=CHANGES),
    ] = None,
    cordon: Annotated[
        list[str] | None, typer.Option(metavar="NODE", help="No new pods on this node.", rich_help_panel=CHANGES)
    ] = None,
    uncordon: Annotated[
        list[str] | None, typer.Option(metavar="NODE", help="New pods on this node again.", rich_help_panel=CHANGES)
    ] = None,
    add_nodes: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="N more nodes like the one of --like.", rich_help_panel=CHANGES),
    ] = None,
    like: Annotated[
        str | None, typer.Option(metavar="NODE", help="The node that --add-nodes copies.", rich_help_panel=CHANGES)
    ] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=N", help="Another priority for deploy/x, or for a class: pc/x.", rich_help_panel=CHANGES
        ),
    ] = None,
    add: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Pods of a manifest, YAML or JSON; -: standard input.", rich_help_panel=CHANGES
        ),
    ] = None,
    dump: options.Dump = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    budget: options.Budget = 1.0,
    movable: options.MovableOption = None,
    pending_only: options.PendingOnly = False,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    output: options.Output = options.OutputFormat.TABLE,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the plan of the changed cluster.", rich_help_panel=options.OUTPUT),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="Of names, and of objects of --add without one.",
            rich_help_panel=options.INPUT,
        ),
    ] = None,
    no_color: options.NoColor = False,
) -> None:
    """The same cluster with other nodes, pods or priorities.

    Plans twice, for the cluster as it is and as it would be, and says what the change is worth: pods placed per tier,
    pods left waiting, moves. Nothing is changed.
    """
    from berth_cli.ask_planner import ask_for_plan
    from berth_cli.changes import Changes, apply_changes
    from berth_cli.files import check_writable
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_planner.options import PlanOptions

    if html is not None:
        check_writable(html, keep=(*(dump or ()), *(add or ())))
    changes = Changes(
        remove=tuple(remove or ()),
        cordon=tuple(cordon or ()),
        uncordon=tuple(uncordon or ()),
        add_nodes=add_nodes,
        like=like,
        priorities=tuple(priority or ()),
        manifests=tuple(add or ()),
        namespace=namespace,
    )
    if not changes:
        raise CommandError(
            "what if what? No change was given", hint="For example --add-nodes 2 --like NODE; see --help."
        )
    terminal = open_terminal(no_color=no_color)
    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    changed = apply_changes(snapshot, changes)
    asked = PlanOptions(
        movable=(movable or options.Movable.ALL).value,
        budget=budget,
        seed=seed,
        threads=threads,
        pending_only=pending_only,
    )
    before = ask_for_plan(snapshot, asked, terminal, " the cluster as it is")
    after = ask_for_plan(changed.snapshot, asked, terminal, " the changed cluster")

    from berth_cli.output import print_value
    from berth_cli.what_if_text import document_of, print_what_if

    document = document_of(changed, before, after)
    if html is not None:
        from berth_cli.commands.plan import write_page

        write_page(html, changed.snapshot, after, title="Berth what-if", terminal=terminal)
    if not print_value(document, output):
        print_what_if(terminal.out, document, wide=output is options.OutputFormat.WIDE)
    if document.without_place:
        raise typer.Exit(Exit.NO)
