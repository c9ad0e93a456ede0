"""`berth extender`: the process beside kube-scheduler."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  berth extender                                   with the pod's service account, or the current kubeconfig context
  berth extender --kubeconfig F --port 9555        what kube-scheduler's urlPrefix http://127.0.0.1:9555 reaches

Exit codes: 0 ended by SIGTERM or Ctrl-C, 2 a port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 (asked about, not listened on)


def extender(
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="kubeconfig file. Default: KUBECONFIG, else the service account."),
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="kubeconfig context.")] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where the verbs listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0: a free one.")] = 9555,
    metrics_host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where metrics and health listen; 0.0.0.0 in a pod.")
    ] = "127.0.0.1",
    metrics_port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0: a free one.")] = 9556,
    identity: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Unique among extenders. Default: POD_NAME, else the host's name."),
    ] = None,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where the Leases of Berth's processes lie.")
    ] = "berth-system",
    narrow_to: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="NODES",
            help="Pass only the best NODES where a pod prefers none of its own accord; 0 passes all that are feasible.",
        ),
    ] = None,
    log_level: options.LogLevel = options.LoggedFrom.INFO,
) -> None:
    """Run the scheduler extender.

    It answers kube-scheduler's filter, prioritize and preempt calls from its own view of the cluster: keeps the room of
    active plans, and packs. It plans nothing itself (that is `berth operator`), and when it is gone, kube-scheduler goes on
    alone.

    In a pod, POD_NAME and POD_UID (from the downward API) make its Lease go when the pod is deleted.
    """
    import logging

    from berth_cli.streams import outlive_callers
    from berth_cluster.connection import ApiError, ConfigurationError
    from berth_extender.process import Options, main
    from berth_scheduling.settings import Settings

    if port == metrics_port != 0 and (host == metrics_host or EVERY_ADDRESS in (host, metrics_host)):
        raise CommandError(
            f"--port and --metrics-port are both {port}", hint="They are two servers: give them two ports."
        )
    outlive_callers()
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    told = Options(
        identity=identity or os.environ.get("POD_NAME") or socket.gethostname(),
        pod_uid=os.environ.get("POD_UID", "") if identity is None else "",
        kubeconfig=kubeconfig,
        context=context,
        host=host,
        port=port,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        system_namespace=system_namespace,
        settings=Settings() if narrow_to is None else Settings(narrow_to=narrow_to or None),
    )
    try:
        main(told)
    except (ApiError, ConfigurationError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    except OSError as error:
        raise CommandError(error.strerror or str(error), hint="Other ports: --port, --metrics-port.") from error
