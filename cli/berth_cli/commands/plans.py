"""`berth plans`: the PackingPlans of a cluster, or one of them in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options

if TYPE_CHECKING:
    from berth_cli.terminal import Terminal
    from berth_ui.wire import PlanDetail, PlanView

EXAMPLES = """
Examples:
  berth plans                        newest first
  berth plans --watch 2              how they get on
  berth plans plan-x7k2p             its proof, and wave by wave how far it is
  berth plans -o json | jq '.items[] | select(.phase == "Proposed").name'

Exit codes: 0 answered, 2 no such plan, 3 cluster not reachable.
"""


def plans(
    name: Annotated[str | None, typer.Argument(metavar="PLAN", help="One plan, in full.")] = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    output: options.Output = options.OutputFormat.TABLE,
    no_color: options.NoColor = False,
) -> None:
    """The plans of a cluster: what they would move, what is proven, how far they are and how they ended.

    Approve one with `berth plan --approve`, stop one with `berth plan --cancel`.
    """
    from berth_api.packing_plan import PackingPlan
    from berth_cli.live_objects import API, LiveObjects, not_installed
    from berth_cli.output import print_value
    from berth_cli.plan_actions import read_plan
    from berth_cli.terminal import open_terminal
    from berth_ui.plan_views import newest_first, plan_detail, plan_view
    from berth_ui.wire import Plans

    terminal = open_terminal(no_color=no_color)
    cluster = LiveObjects(context, kubeconfig)
    if name is not None:
        with terminal.progress("asking the cluster"):
            detail = plan_detail(read_plan(cluster, name), may_act=True)
        if not print_value(detail, output):
            _print_one(detail, terminal)
        return
    with terminal.progress("asking the cluster"):
        if not cluster.has_resources():
            raise not_installed()
        found = newest_first(PackingPlan.model_validate(item) for item in cluster.items(f"{API}/packingplans"))
    views = Plans(items=[plan_view(plan) for plan in found], next="")
    if not print_value(views, output):
        _print(views.items, terminal)


def _print(found: list[PlanView], terminal: Terminal) -> None:
    from berth_cli.terminal import columns

    if not found:
        terminal.out.print("No plan: nothing waits that moves would help, or nobody has looked yet.")
        return
    table = columns(
        "PLAN",
        "PHASE",
        "MOVES",
        "EVICTIONS",
        "GAINS",
        "WAVES",
        "CREATED",
        "WHAT",
        right=("MOVES", "EVICTIONS", "GAINS"),
    )
    for plan in found:
        numbers = (str(plan.moves), str(plan.evictions), f"{plan.gains:+d}", f"{plan.waves_done}/{plan.waves}")
        told = f"{plan.summary} ({plan.message})" if plan.message and plan.message not in plan.summary else plan.summary
        table.add_row(plan.name, plan.phase, *numbers, plan.created, told)
    terminal.out.print(table)


def _print_one(detail: PlanDetail, terminal: Terminal) -> None:
    from berth_cli.terminal import columns

    out, plan = terminal.out, detail.plan
    out.print(f"{plan.name}  {plan.phase}", style="bold")
    for said in (plan.summary, plan.message, *detail.proof):
        if said:
            out.print(f"  {said}")
    out.print()
    table = columns(
        "PRIORITY",
        "CLASS",
        "PODS",
        "BEFORE",
        "AFTER",
        "AT MOST",
        right=("PRIORITY", "PODS", "BEFORE", "AFTER", "AT MOST"),
    )
    for tier in detail.tiers:
        numbers = (tier.pods, tier.before, tier.after, tier.at_most)
        table.add_row(str(tier.priority), tier.priority_class, *map(str, numbers))
    out.print(table)
    for number, wave in enumerate(detail.waves, 1):
        out.print()
        out.print(f"Wave {number}{', done' if wave.done else ''}")
        for move in wave.moves:
            told = f"  ({move.message})" if move.message else ""
            out.print(f"  {move.state:<9} {move.pod}: {move.source} -> {move.target or 'no place'}{told}")
        for arrival in wave.arrivals:
            out.print(f"  {'arrives':<9} {arrival.workload} x{arrival.count} on {arrival.node}")
