"""`berth operator`: the process that plans and carries plans out."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  berth operator                              with the pod's service account, or the current kubeconfig context
  berth operator --kubeconfig F --port 8081   a second one on the same machine: it stands by

Exit codes: 0 ended by SIGTERM or Ctrl-C, 2 the port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from berth_cluster.connection import Connection
    from berth_cluster.live import LiveCluster
    from berth_operator.mounting import Mount
    from berth_ui.mounted import MountedDashboard

IMAGES = "Images of LLMServices' pods, where the service names none"
HINT_MODEL = "Language model for hints (off by default)"


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
    prometheus_url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Prometheus with the engines' metrics, as KEDA reaches it. Scales LLMServices by KEDA."
        ),
    ] = "",
    ui: Annotated[
        bool,
        typer.Option("--ui", help="Serve the dashboard too: /ui and /api/v1, each request by its caller's own token."),
    ] = False,
    history: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where --ui keeps what happened over the last days. Default: in memory."),
    ] = None,
    engine_image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="Of berth engines. Default: this release's.", rich_help_panel=IMAGES),
    ] = None,
    vllm_image: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Of engines of kind vllm.", rich_help_panel=IMAGES)
    ] = None,
    fetch_image: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="Of berth-fetch, which brings the weights.", rich_help_panel=IMAGES),
    ] = None,
    hint_backend: Annotated[
        str | None,
        typer.Option(
            metavar="bedrock|openai",
            help="Ask a language model about hints that the parser leaves over. Default: nobody. See docs/hint-models.md.",
            rich_help_panel=HINT_MODEL,
        ),
    ] = None,
    hint_model: Annotated[
        str, typer.Option(metavar="NAME", help="Model, as the back end calls it.", rich_help_panel=HINT_MODEL)
    ] = "",
    hint_base_url: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Of an OpenAI-compatible server, with its version: .../v1", rich_help_panel=HINT_MODEL
        ),
    ] = "",
    hint_region: Annotated[
        str, typer.Option(metavar="REGION", help="Of Bedrock. Default: AWS's own.", rich_help_panel=HINT_MODEL)
    ] = "",
    hint_api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Mounted file with the API key.", rich_help_panel=HINT_MODEL)
    ] = None,
    hint_api_key_env: Annotated[
        str,
        typer.Option(metavar="NAME", help="Environment variable with the API key.", rich_help_panel=HINT_MODEL),
    ] = "",
    hint_daily_calls: Annotated[
        int, typer.Option(min=0, max=1_000_000, help="Most questions a day (UTC).", rich_help_panel=HINT_MODEL)
    ] = 500,
    hint_daily_tokens: Annotated[
        int,
        typer.Option(
            min=0, max=10_000_000_000, help="Most tokens a day, sent and received.", rich_help_panel=HINT_MODEL
        ),
    ] = 1_000_000,
    hint_timeout: Annotated[
        float,
        typer.Option(min=1, max=120, metavar="SECONDS", help="For one answer.", rich_help_panel=HINT_MODEL),
    ] = 20.0,
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
    from berth_intent.backends.backend import SetupError
    from berth_operator.hint_model_settings import HintBackend, HintModelSettings
    from berth_operator.process import run_operator
    from berth_operator.serving.pod_template import Images
    from berth_operator.settings import Settings, default_identity

    outlive_callers()
    logging.basicConfig(
        level=log_level.value.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    model = None
    if hint_backend is not None:
        if hint_backend not in tuple(HintBackend):
            raise CommandError(
                f"no back end {hint_backend!r}", hint=f"--hint-backend takes {' or '.join(HintBackend)}."
            )
        model = HintModelSettings(
            HintBackend(hint_backend),
            hint_model,
            base_url=hint_base_url,
            region=hint_region,
            api_key_file=hint_api_key_file,
            api_key_variable=hint_api_key_env,
            daily_calls=hint_daily_calls,
            daily_tokens=hint_daily_tokens,
            timeout_seconds=hint_timeout,
        )
    elif hint_model or hint_base_url or hint_region or hint_api_key_file or hint_api_key_env:
        raise CommandError("a language model is named, and no back end", hint="Add --hint-backend bedrock or openai.")
    if prometheus_url and not prometheus_url.startswith(("http://", "https://")):
        raise CommandError(f"{prometheus_url!r} is no URL", hint="Such as http://prometheus.monitoring:9090.")
    if history is not None and not ui:
        raise CommandError("--history means nothing without --ui", hint="Add --ui, or leave it out.")
    asked = {"engine": engine_image, "vllm": vllm_image, "fetch": fetch_image}
    settings = Settings(
        kubeconfig,
        context,
        host,
        port,
        identity or default_identity(),
        system_namespace,
        model,
        prometheus_url=prometheus_url,
        images=Images(**{k: v for k, v in asked.items() if v is not None}),
    )
    try:
        asyncio.run(run_operator(settings, mount=_dashboard(history) if ui else None))
    except (ApiError, ConfigurationError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    except SetupError as error:
        raise CommandError(f"the language model for hints: {error}", hint="See docs/hint-models.md.") from error
    except OSError as error:
        raise CommandError(f"cannot listen on {host}:{port}: {error}", hint="Another port: --port.") from error


def _dashboard(history: Path | None) -> Mount:
    def mount(connection: Connection, cluster: LiveCluster, registry: CollectorRegistry) -> MountedDashboard:
        from berth_ui.mounted import MountedDashboard

        try:
            return MountedDashboard(connection, cluster, registry, history)
        except sqlite3.Error as error:
            raise CommandError(
                f"{history} cannot keep the history: {error}", hint="Another file: --history."
            ) from error

    return mount
