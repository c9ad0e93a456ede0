"""`berth operator`: the process that plans and carries plans out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  berth operator                              with the pod's service account, or the current kubeconfig context
  berth operator --kubeconfig F --port 8081   a second one on the same machine: it stands by

Exit codes: 0 ended by SIGTERM or Ctrl-C, 2 the port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


def operator(
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="kubeconfig file. Default: KUBECONFIG, else the service account."),
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="kubeconfig context.")] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where health and metrics listen; 0.0.0.0 in a pod.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0: a free one.")] = 8080,
    identity: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Unique among operators. Default: POD_NAME, else host and process."),
    ] = None,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where the Leases of Berth's processes lie.")
    ] = "berth-system",
    log_level: options.LogLevel = options.LoggedFrom.INFO,
) -> None:
    """Run the operator: it plans for pods that cannot be placed and carries plans out.

    Several may run; one leads (Lease berth-operator), the others watch and take over within seconds. Health and metrics:
    /healthz, /readyz, /metrics.
    """
    import asyncio
    import logging
    import sys

    from berth_cli.streams import outlive_callers
    from berth_cluster.connection import ApiError, ConfigurationError
    from berth_operator.process import run_operator
    from berth_operator.settings import Settings, default_identity

    outlive_callers()
    logging.basicConfig(
        level=log_level.value.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    settings = Settings(kubeconfig, context, host, port, identity or default_identity(), system_namespace)
    try:
        asyncio.run(run_operator(settings))
    except (ApiError, ConfigurationError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error}", hint="Another port: --port.") from error
