"""`berth gateway`: one OpenAI-compatible door to all LLMServices of a namespace."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  berth gateway --namespace chat              to all LLMServices of the namespace chat, on 127.0.0.1:8080
  curl localhost:8080/v1/chat/completions -d '{"model": "llama", "messages": [{"role": "user", "content": "Hi"}]}'

Exit codes: 0 ended by SIGTERM or Ctrl-C, 2 the port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


def gateway(
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", metavar="NAME", help="Default: POD_NAMESPACE, else default.")
    ] = os.environ.get("POD_NAMESPACE", "default"),
    kubeconfig: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="kubeconfig file. Default: KUBECONFIG, else the service account."),
    ] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="kubeconfig context.")] = None,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where it listens; 0.0.0.0 in a pod.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0: a free one.")] = 8080,
    held: Annotated[
        int,
        typer.Option(
            min=0, max=100_000, metavar="COUNT", help="Requests that may wait while a service wakes, each model."
        ),
    ] = 256,
    hold_seconds: Annotated[
        float, typer.Option(min=0, max=3600, metavar="SECONDS", help="How long a request waits at most.")
    ] = 600.0,
    drain_seconds: Annotated[
        float, typer.Option(min=0, max=3600, metavar="SECONDS", help="What runs gets after SIGTERM.")
    ] = 60.0,
    log_level: options.LogLevel = options.LoggedFrom.INFO,
) -> None:
    """Run the gateway: one OpenAI-compatible address for all LLMServices of a namespace, by model name.

    It picks the replica with most room, holds requests while a service wakes, and goes on with a stream elsewhere when its
    replica must leave. There is no authentication: put it behind what you have. /healthz, /readyz, /metrics.
    """
    import asyncio
    import logging
    import sys

    from berth_cli.streams import outlive_callers
    from berth_cluster.connection import ApiError, ConfigurationError
    from berth_gateway.process import Options, run

    outlive_callers()
    logging.basicConfig(
        level=log_level.value.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    chosen = Options(namespace, kubeconfig, context, host, port, held, hold_seconds, drain_seconds)
    try:
        asyncio.run(run(chosen))
    except (ApiError, ConfigurationError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error}", hint="Another port: --port.") from error
