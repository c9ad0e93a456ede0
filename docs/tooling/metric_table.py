"""A Prometheus registry as Markdown. Imports nothing of Berth, so that the engine's environment can."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from docs.tooling.markdown import cell


def table(registry: CollectorRegistry) -> str:
    """All families, whether or not they have samples yet."""
    rows = []
    for collector in list(registry._collector_to_names):
        for family in collector.collect():
            named = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in named)
            rows.append(f"| `{name}` | {family.type} | {labels} | {cell(family.documentation)} |")
    return "\n".join(["| name | type | labels | |", "| --- | --- | --- | --- |", *sorted(rows)])
