"""`berth status`: what Berth is doing in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import Exit

if TYPE_CHECKING:
    from berth_cli.cluster_status import ClusterStatus, PlanStatus, Process
    from berth_cli.terminal import Terminal

EXAMPLES = """
Examples:
  berth status                     the current context's cluster
  berth status -o json | jq .waiting
  kubectl get pplan -o wide        the plans themselves

Exit codes: 0 an operator leads and an extender serves, 1 one of them is missing, 3 cluster not reachable.
"""

RECENT = 5
"""Finished plans listed; -o wide and -o json have all that are kept."""


def status(
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where the Leases of Berth's processes lie.")
    ] = "berth-system",
    output: options.Output = options.OutputFormat.TABLE,
    no_color: options.NoColor = False,
) -> None:
    """What Berth is doing in a cluster: who leads, which policy holds, which plan runs, who waits and why.

    Reads Leases, PackingPlans, PackingPolicies and pending pods through kubectl; changes nothing.
    """
    from datetime import UTC, datetime

    from berth_cli.cluster_status import read_status
    from berth_cli.live_objects import LiveObjects, not_installed
    from berth_cli.output import print_value
    from berth_cli.terminal import open_terminal

    terminal = open_terminal(no_color=no_color)
    cluster = LiveObjects(context, kubeconfig)
    with terminal.progress("asking the cluster"):
        if not cluster.has_resources():
            raise not_installed()
        found = read_status(cluster, system_namespace, datetime.now(UTC))
    if not print_value(found, output):
        _print(found, terminal, RECENT if output is options.OutputFormat.TABLE else len(found.recent))
    if found.leader is None or not found.leader.alive or not any(e.alive for e in found.extenders):
        raise typer.Exit(int(Exit.NO))


def _print(found: ClusterStatus, terminal: Terminal, recent: int) -> None:
    from berth_cli.terminal import columns

    out = terminal.out
    out.print(
        f"Operator    {_alive(found.leader, 'none leads: nothing is planned, and pods are preempted for as the stock scheduler does')}"
    )
    out.print(f"Scheduler   {_alive(found.scheduler, 'none leads: no pod of scheduler berth is placed')}")
    if not found.extenders:
        out.print("Extenders   none: the scheduler goes on without Berth")
    for i, extender in enumerate(found.extenders):
        keeps = f", keeps room for {', '.join(extender.keeps_plans)}" if extender.keeps_plans else ""
        out.print(f"{'Extenders' if i == 0 else '':<12}{_alive(extender, '')}{keeps}")
    for i, policy in enumerate(found.policies):
        name = policy.name or "built-in defaults (no PackingPolicy)"
        limits = f"at most {policy.moves_per_plan} moves a plan, {policy.moves_per_hour} an hour"
        conflict = f"; CONFLICT: {policy.conflict}" if policy.conflict else ""
        out.print(f"{'Policy' if i == 0 else '':<12}{name}: {policy.mode}, {limits}{conflict}")
    out.print(f"Moves       {found.moves_last_hour} in the last hour")
    plans = (*found.active, *found.recent[:recent])
    if plans:
        out.print()
        table = columns("PLAN", "PHASE", "TRIGGER", "PROGRESS", "WHAT")
        for plan in plans:
            table.add_row(plan.name, plan.phase, plan.trigger, plan.progress, _what(plan))
        out.print(table)
    out.print()
    if not found.waiting:
        out.print("No pod of scheduler berth waits.")
        return
    table = columns("WAITING", "PODS", "EXAMPLE", "WHY", right=("PODS",))
    for reason in found.waiting:
        table.add_row(reason.code, str(reason.pods), reason.example, reason.message)
    out.print(table)


def _alive(process: Process | None, absent: str) -> str:
    if process is None or not process.name:
        return absent
    ago = process.renewed_seconds_ago
    when = "never" if ago is None else f"{max(ago, 0):.0f} s ago"
    return f"{process.name} (last sign {when})" if process.alive else f"{process.name} is gone (last sign {when})"


def _what(plan: PlanStatus) -> str:
    return f"{plan.summary} ({plan.message})" if plan.message and plan.message not in plan.summary else plan.summary
