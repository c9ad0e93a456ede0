"""`berth plan`: the best placement of a cluster's pods, what is proven about it, and the safe way to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options

if TYPE_CHECKING:
    from berth_cli.live_objects import LiveObjects
    from berth_cli.terminal import Terminal
    from berth_cli.under_policy import UnderPolicy
    from berth_cluster.snapshot import Snapshot
    from berth_planner.frontier import FrontierPoint
    from berth_planner.plan import Plan

ACTING = "Acting on the cluster"

EXAMPLES = """
Examples:
  berth plan                                              the current context's cluster
  berth plan --dump dump.json                             a cluster from files
  berth plan --dump nodes.json pods.json.gz --budget 10s  several files, more time to prove
  berth plan --dump dump.json --html report.html          a picture of before, after and each wave
  berth plan --dump dump.json --max-moves 10 --frontier   what 10 moves buy, and what fewer would
  kubectl get nodes,pods,pdb,rs -A -o json | berth plan --dump - -o json | jq .plan.disruption
  kubectl berth plan --apply                              plan, show, ask, and have the operator carry it out
  kubectl berth plan --approve plan-x7k2p                 let a plan of a Manual policy go ahead
  kubectl berth plan --cancel plan-x7k2p                  stop one: nothing more is evicted

Exit codes: 0 a plan (also an empty one), carried out if --apply was given, 1 not carried out, 2 bad input, 3 cluster not
reachable. docs/plan.md explains each line printed.
"""


def plan(
    dump: options.Dump = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    budget: options.Budget = 1.0,
    movable: options.MovableOption = None,
    max_moves: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="At most N running pods leave their node.", rich_help_panel=options.SOLVING
        ),
    ] = None,
    max_evictions: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="At most N running pods end without a node.", rich_help_panel=options.SOLVING
        ),
    ] = None,
    pending_only: options.PendingOnly = False,
    consolidate: Annotated[
        bool,
        typer.Option(
            "--consolidate", help="Empty as many nodes as possible, whatever it moves.", rich_help_panel=options.SOLVING
        ),
    ] = False,
    frontier: Annotated[
        bool,
        typer.Option(
            "--frontier", help="Also show pods placed against moves allowed.", rich_help_panel=options.SOLVING
        ),
    ] = False,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    output: options.Output = options.OutputFormat.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the plan as JSON to this file.", rich_help_panel=options.OUTPUT),
    ] = None,
    picture: Annotated[
        bool,
        typer.Option(
            "--picture", help="Also draw before and after here, for small GPU clusters.", rich_help_panel=options.OUTPUT
        ),
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write the picture, one self-contained page.", rich_help_panel=options.OUTPUT
        ),
    ] = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="After showing the plan, ask, and have the operator carry it out (pods of scheduler berth only).",
            rich_help_panel=ACTING,
        ),
    ] = False,
    approve: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Approve a PackingPlan that waits for it.", rich_help_panel=ACTING),
    ] = None,
    cancel: Annotated[
        str | None,
        typer.Option(metavar="PLAN", help="Cancel a PackingPlan.", rich_help_panel=ACTING),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --apply: the PackingPolicy to plan under. Default: that of the most important waiting pod.",
            rich_help_panel=ACTING,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.", rich_help_panel=ACTING)] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="Tell how the plan goes until it has ended.", rich_help_panel=ACTING),
    ] = True,
    namespace: options.Namespace = None,
    all_namespaces: options.AllNamespaces = False,
    no_color: options.NoColor = False,
) -> None:
    """The best placement of a cluster's pods, with proof and a safe order.

    Places as many pods as possible of the highest priority, then of the next, and so on; among all ways to do that it
    takes one that disturbs the fewest running pods. Each count comes with what is proven about it. Nothing is changed
    unless --apply, --approve or --cancel asks for it. The plan is always for the whole cluster; -n only narrows which
    moves are listed.
    """
    from datetime import UTC, datetime

    from berth_cli.exits import CommandError
    from berth_cli.files import check_writable
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_planner.options import PlanOptions
    from berth_planner.packing import Caps

    if out is not None:
        check_writable(out, keep=dump or ())
    if html is not None:
        check_writable(html, keep=(*(dump or ()), out))
    terminal = open_terminal(no_color=no_color)
    cluster = _acted_on(apply, approve, cancel, dump, movable, context, kubeconfig)
    if policy is not None and not apply:
        raise CommandError("--policy says under which policy --apply plans: it means nothing alone")
    if apply and output in (options.OutputFormat.JSON, options.OutputFormat.YAML):
        raise CommandError(
            f"--apply tells how it goes: it cannot be combined with -o {output.value}", hint="Use --out FILE."
        )
    if cluster is not None and (approve or cancel):
        _approve_or_cancel(cluster, approve, cancel, wait=wait, terminal=terminal)
        return
    if apply:
        movable = options.Movable.BERTH
    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    under: UnderPolicy | None = None
    if cluster is not None:
        from berth_cli.plan_actions import read_under_policy

        under = read_under_policy(cluster, snapshot, policy, datetime.now(UTC))
        snapshot = under.view
    asked = PlanOptions(
        movable=(movable or options.Movable.ALL).value,
        budget=budget,
        seed=seed,
        threads=threads,
        pending_only=pending_only,
        consolidate=consolidate,
        caps=Caps(max_moves=max_moves, max_evictions=max_evictions),
    )
    from berth_cli.ask_planner import ask_for_plan, asking

    if under is not None:
        asked = under.limited(asked)
    made = ask_for_plan(snapshot, asked, terminal)
    if under is not None:
        made = under.cut(made, consolidate=consolidate)
    points: tuple[FrontierPoint, ...] | None = None
    if frontier:
        with asking(terminal, "solving under one cap after the other"):
            from berth_planner.frontier import frontier as frontier_of

            points = frontier_of(snapshot, asked)

    from berth_cli.plan_file import FORMAT, PlanDocument, asked_of

    document = PlanDocument(FORMAT, asked_of(asked), made, snapshot.warnings, points)
    if out is not None:
        from berth_cli.files import write_whole
        from berth_cli.output import as_json

        write_whole(out, as_json(document))
    if html is not None:
        write_page(html, snapshot, made, title="Berth plan", terminal=terminal)

    from berth_cli.output import print_value

    if not print_value(document, output):
        from berth_cli.frontier_text import print_frontier
        from berth_cli.plan_text import Shown, print_plan, scope

        terminal.out.print(scope(snapshot, asked.movable, by_default=movable is None))
        if under is not None:
            terminal.out.print(under.sentence)
        terminal.out.print()
        if points:
            print_frontier(terminal.out, points)
            terminal.out.print()
        if picture:
            _draw(snapshot, made, terminal)
        within = None if all_namespaces else namespace
        print_plan(terminal.out, made, Shown(wide=output is options.OutputFormat.WIDE, namespace=within))
    if cluster is not None and under is not None:
        _carry_out(cluster, made, under, yes=yes, wait=wait, terminal=terminal)


def _acted_on(
    apply: bool,
    approve: str | None,
    cancel: str | None,
    dump: list[Path] | None,
    movable: options.Movable | None,
    context: str | None,
    kubeconfig: Path | None,
) -> LiveObjects | None:
    """The cluster that is to be changed; None when nothing is."""
    from berth_cli.exits import CommandError
    from berth_cli.live_objects import LiveObjects

    asked = [flag for flag, given in (("--apply", apply), ("--approve", approve), ("--cancel", cancel)) if given]
    if not asked:
        return None
    if len(asked) > 1:
        raise CommandError(f"{' and '.join(asked)} exclude each other: one at a time")
    if dump:
        raise CommandError(f"{asked[0]} acts on a live cluster: it cannot be combined with --dump")
    if apply and movable is options.Movable.ALL:
        raise CommandError(
            "--apply moves pods of the scheduler berth only: it cannot be combined with --movable all",
            hint="Bring a workload in with: kubectl berth adopt deploy/NAME",
        )
    return LiveObjects(context, kubeconfig)


def _approve_or_cancel(
    cluster: LiveObjects, approve: str | None, cancel: str | None, *, wait: bool, terminal: Terminal
) -> None:
    from berth_cli import plan_actions

    if approve is not None:
        plan_actions.approve(cluster, approve, terminal)
        if wait:
            plan_actions.follow(cluster, approve, terminal)
    elif cancel is not None:
        plan_actions.cancel(cluster, cancel, terminal)


def _carry_out(
    cluster: LiveObjects, made: Plan, under: UnderPolicy, *, yes: bool, wait: bool, terminal: Terminal
) -> None:
    from datetime import UTC, datetime

    from berth_cli import plan_actions
    from berth_cli.exits import Exit

    if made.is_empty:
        terminal.note("Nothing to carry out.")
        return
    if not yes and not typer.confirm("Carry this out?", default=False, err=True):
        raise typer.Exit(int(Exit.NO))
    name = plan_actions.write_plan(cluster, made, under, datetime.now(UTC))
    terminal.note(f"Wrote {name}, approved. Stop it with: kubectl berth plan --cancel {name}")
    if wait:
        plan_actions.follow(cluster, name, terminal)


def _draw(snapshot: Snapshot, plan: Plan, terminal: Terminal) -> None:
    from berth_cli.picture import can_draw, print_legend, print_picture

    if not can_draw(snapshot):
        terminal.warn("--picture draws clusters of a few nodes with devices; --html draws any")
        return
    print_picture(terminal.out, snapshot, plan, after=True)
    terminal.out.print()
    print_legend(terminal.out, snapshot)
    terminal.out.print()


def write_page(path: Path, snapshot: Snapshot, plan: Plan, *, title: str, terminal: Terminal) -> None:
    from datetime import UTC, datetime

    from berth_cli.report import write_report

    with terminal.progress("drawing"):
        write_report(path, snapshot, plan, title=title, generated=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
    terminal.note(f"wrote {path}")
