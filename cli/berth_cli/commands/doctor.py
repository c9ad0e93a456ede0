"""`berth doctor`: whether an installation works. `helm test` runs it in a pod."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from berth_cli.installation import Check

EXAMPLES = """
Examples:
  berth doctor                         the current context's cluster
  berth doctor --wait 2m               after an install: until all is well, or two minutes
  helm test berth -n berth-system      the same from within the cluster, which also asks each pod

Exit codes: 0 all is well, 1 something is not, 3 cluster not reachable.
"""

PAUSE_SECONDS = 2.0


def doctor(
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where Berth is installed.")
    ] = "berth-system",
    ask_pods: Annotated[
        bool, typer.Option("--ask-pods", help="Ask each pod for its health, too: only from within the cluster.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            parser=options.parse_duration, metavar="TIME", show_default=False, help="Look again until then: 30s, 2m."
        ),
    ] = 0.0,
    output: options.Output = options.OutputFormat.TABLE,
) -> None:
    """Check an installation: kinds served, Deployments available, somebody leads; with --ask-pods each pod's health.

    Reads with the kubeconfig's credentials, or a pod's service account; changes nothing.
    """
    import asyncio

    from berth_cli.output import print_value
    from berth_cluster.connection import ApiError, ConfigurationError

    try:
        checks = asyncio.run(_until_well(kubeconfig, context, system_namespace, ask_pods, wait))
    except (ApiError, ConfigurationError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    if not print_value({"checks": checks}, output):
        for check in checks:
            typer.echo(f"{'ok  ' if check.fine else 'FAIL'} {check.what}: {_sentence(check)}")
    if not all(check.fine for check in checks):
        raise typer.Exit(int(Exit.NO))


def _sentence(check: Check) -> str:
    from berth_cli.printable import printable

    return printable(check.said if check.fine else f"{check.reason}: {check.said}")


async def _until_well(
    kubeconfig: Path | None, context: str | None, namespace: str, ask_pods: bool, wait: float
) -> tuple[Check, ...]:
    """The last look: all well, or time is up. What the API server refuses is tried again until then, too."""
    import asyncio
    import time
    from datetime import UTC, datetime

    from berth_cli.installation import look
    from berth_cluster.connection import ApiError, Connection

    end = time.monotonic() + wait
    renewals: dict[str, str] = {}
    cluster = await Connection.open(kubeconfig, context)
    try:
        while True:
            last = time.monotonic() >= end
            try:
                checks = await look(cluster, namespace, ask_pods=ask_pods, renewals=renewals, now=datetime.now(UTC))
                if last or all(check.fine for check in checks):
                    return checks
            except ApiError:
                if last:
                    raise
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await cluster.close()
