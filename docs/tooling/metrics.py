"""docs/reference/metrics.md: everything that our processes tell Prometheus, read from the registries of the processes themselves.

Extender, operator and gateway are wired as they are in a cluster, on a connection that asks nothing, and their registries are
walked. The engine lives in an environment of its own: there a small script walks its registry, with an idle
engine's gauges; without that environment its part of the page stays as it is. (An engine test holds the page against a server.)
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from docs.tooling.markdown import cell

ROOT = Path(__file__).parents[2]
ENGINE_PYTHON = ROOT / ".venv-engine/bin/python"
ENGINE_BEGIN, ENGINE_END = "<!-- engine -->", "<!-- /engine -->"

NOWHERE = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""
"""A kubeconfig whose server nobody asks: processes are wired and not run."""


class Row(NamedTuple):
    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def page(before: str = "", *, ask_engine: bool = ENGINE_PYTHON.exists()) -> str:
    """`before`: the page as it stands, for the engine's part where the engine is not asked (its environment loads torch)."""
    parts = [
        "# Metrics",
        "Names as Prometheus stores them; of a histogram there are `_bucket`, `_sum` and `_count`. The operator adds what its\n"
        "Prometheus client tells of any process (`process_*`, `python_*`). What to watch and what to\n"
        "alert on is told where the process is: [extender](../extender.md#metrics), [planning](../planning-loop.md),\n"
        "[plans](../plan-execution.md#what-to-watch), [hints](../hint-models.md#watching-it), [serving](../serving.md).",
    ]
    for title, where, rows in asyncio.run(_control_plane()):
        parts += [f"## {title}", where, _table(rows)]
    engine = f"{ENGINE_BEGIN}\n{_table(engine_rows())}\n{ENGINE_END}" if ask_engine else engine_part(before)
    parts += ["## Engine", "`berth-engine serve`, port 8000, `/metrics`. The last four carry vLLM's names.", engine]
    return "\n\n".join(parts) + "\n"


def engine_part(page_text: str) -> str:
    """As it stands between its marks. Raises ValueError where there is none."""
    begin, end = page_text.index(ENGINE_BEGIN), page_text.index(ENGINE_END) + len(ENGINE_END)
    return page_text[begin:end]


def rows_of(registry: CollectorRegistry) -> list[Row]:
    """All families, whether or not they have samples yet."""
    rows = []
    for collector in list(registry._collector_to_names):
        for family in collector.collect():
            named = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
            name = f"{family.name}_total" if family.type == "counter" else family.name
            rows.append(Row(name, family.type, tuple(named), family.documentation))
    return sorted(rows)


async def _control_plane() -> list[tuple[str, str, list[Row]]]:
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

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config")
        config.write_text(NOWHERE)
        connection = await Connection.open(config)
    extender = Extender(connection, ExtenderOptions())
    asked = HintModelSettings(HintBackend.OPENAI, "none", base_url="http://127.0.0.1:9/v1")
    operator = Metrics(CollectorRegistry())
    backend = open_backend(asked)
    _Operator(Settings(hint_model=asked), connection, operator, backend)

    async def wake(name: str, asleep: bool) -> None:
        """Nobody asks."""

    gateway = Gateway(Models(), wake, holding=Holding(1, 1.0), is_synced=lambda: True)
    found = [
        ("Extender", "`berth extender`, port 9556, `/metrics`.", rows_of(extender.metrics.registry)),
        (
            "Operator",
            "`berth operator`, port 8080, `/metrics`. `berth_hint_model_*` only where a language model is asked about hints.",
            rows_of(operator.registry),
        ),
        ("Gateway", "`berth gateway`, port 8080, `/metrics`.", rows_of(gateway.metrics.registry)),
    ]
    await backend.close()
    await connection.close()
    return found


def _table(rows: Iterable[Row]) -> str:
    lines = ["| name | type | labels | |", "| --- | --- | --- | --- |"]
    for row in rows:
        labels = ", ".join(f"`{label}`" for label in row.labels)
        lines.append(f"| `{row.name}` | {row.type} | {labels} | {cell(row.help)} |")
    return "\n".join(lines)


ENGINE_SCRIPT = """
import json, sys
from types import SimpleNamespace as S
from berth_engine.metrics import Metrics

metrics = Metrics("model")
metrics.weights = {"bfloat16": 1}
counts = S(preemptions=0, passes=0, slices=0, tokens=0)
gauges = S(waiting={}, running=0, paused=0, kv_use=0.0, host_use=0.0, counts=counts, spilled_blocks=0)
metrics.engine = S(gauges=lambda: gauges)
rows = []
for collector in list(metrics.registry._collector_to_names):
    for family in collector.collect():
        named = getattr(collector, "_labelnames", None) or getattr(family, "_labelnames", None) or ()
        name = family.name + "_total" if family.type == "counter" else family.name
        rows.append((name, family.type, list(named), family.documentation))
json.dump(sorted(rows), sys.stdout)
"""


def engine_rows() -> list[Row]:
    made = subprocess.run(  # noqa: S603
        [ENGINE_PYTHON, "-c", ENGINE_SCRIPT], cwd=ROOT / "engine", capture_output=True, check=True, timeout=100
    )
    found: list[Any] = json.loads(made.stdout)
    return [Row(name, type_, tuple(labels), about) for name, type_, labels, about in found]
