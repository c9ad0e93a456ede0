"""docs/reference/metrics.md: everything that our processes tell Prometheus, read from the registries of the processes themselves.

Extender, operator and gateway are wired as they are in a cluster, on a connection that asks nothing, and their registries are
walked. The engine answers for itself (`engine`).
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from prometheus_client import CollectorRegistry

from docs.tooling import engine
from docs.tooling.metric_table import table

NOWHERE = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""
"""A kubeconfig whose server nobody asks: processes are wired and not run."""


def page(before: str = "", *, ask_engine: bool = engine.IS_THERE) -> str:
    """`before`: see `engine.part`."""
    parts = [
        "# Metrics",
        "Names as Prometheus stores them; of a histogram there are `_bucket`, `_sum` and `_count`. The operator adds what its\n"
        "Prometheus client tells of any process (`process_*`, `python_*`). What to watch and what to\n"
        "alert on is told where the process is: [extender](../extender.md#metrics), [planning](../planning-loop.md),\n"
        "[plans](../plan-execution.md#what-to-watch), [hints](../hint-models.md#watching-it), [serving](../serving.md).",
    ]
    for title, where, rows in asyncio.run(_control_plane()):
        parts += [f"## {title}", where, rows]
    parts += ["## Engine", "`berth-engine serve`, port 8000, `/metrics`. The last four carry vLLM's names."]
    parts.append(engine.part("metrics", before, ask=ask_engine))
    return "\n\n".join(parts) + "\n"


async def _control_plane() -> list[tuple[str, str, str]]:
    from berth_cluster.connection import Connection
    from berth_extender.process import Extender
    from berth_extender.process import Options as ExtenderOptions
    from berth_gateway.holding import Holding
    from berth_gateway.replicas import Models
    from berth_gateway.server import Gateway
    from berth_operator.hint_model_settings import HintBackend, HintModelSettings, open_backend
    from berth_operator.metrics import Metrics
    from berth_operator.process import _Operator
    from berth_operator.settings import Settings
    from berth_ui.mounted import MountedDashboard

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        config.write_text(NOWHERE)
        connection = await Connection.open(config)
    extender = Extender(connection, ExtenderOptions())
    asked = HintModelSettings(HintBackend.OPENAI, "none", base_url="http://127.0.0.1:9/v1")
    operator = Metrics(CollectorRegistry())
    backend = open_backend(asked)
    _Operator(Settings(hint_model=asked), connection, operator, backend, MountedDashboard)

    async def wake(name: str, asleep: bool) -> None:
        """Nobody asks."""

    gateway = Gateway(Models(), wake, holding=Holding(1, 1.0), is_synced=lambda: True)
    found = [
        ("Extender", "`berth extender`, port 9556, `/metrics`.", table(extender.metrics.registry)),
        (
            "Operator",
            "`berth operator`, port 8080, `/metrics`. `berth_hint_model_*` only where a language model is asked about hints, `berth_history_*` only with `--ui`.",
            table(operator.registry),
        ),
        ("Gateway", "`berth gateway`, port 8080, `/metrics`.", table(gateway.metrics.registry)),
    ]
    await backend.close()
    await connection.close()
    return found
