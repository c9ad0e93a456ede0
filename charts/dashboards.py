"""The Grafana dashboards of the chart, written down once as questions and queries: `make manifests` makes their JSON.

    placement   what waits and why, plans, moves, how quickly the extender and the planner answer
    serving     replicas, and what the engines behind them do: first tokens, queues, memory, preemption

They take the data source and the namespace as variables, and only metrics that our processes export (a test compares).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH = 24
HEIGHT = 8
SCHEMA = 39
"""Of Grafana 10 and 11; newer ones read it too."""


@dataclass(frozen=True)
class Panel:
    """`queries`: expression by legend."""

    title: str
    says: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"


def quantile(share: float, histogram: str, by: str, where: str = "") -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket{where}[$__rate_interval])))"


PLACEMENT = (
    Panel(
        "An operator leads",
        "1 while extenders see a leader.",
        {"leads": "max(berth_extender_leader_alive)"},
        kind="stat",
    ),
    Panel(
        "Pods that wait", "By what they were told.", {"{{reason}}": "max by (reason) (berth_waiting_pods)"}, kind="stat"
    ),
    Panel("Longest wait", "Of a pod that waits now.", {"longest": "max(berth_longest_wait_seconds)"}, "s", "stat"),
    Panel("Moves in the last hour", "Evictions of ours.", {"moves": "max(berth_moves_last_hour)"}, kind="stat"),
    Panel(
        "Pods that wait, by reason", "As berth.dev/why says.", {"{{reason}}": "max by (reason) (berth_waiting_pods)"}
    ),
    Panel(
        "Plans that ended",
        "By outcome, an hour.",
        {"{{outcome}}": "sum by (outcome) (increase(berth_plans_finished_total[1h]))"},
    ),
    Panel(
        "Plans written",
        "By what asked for them, an hour.",
        {"{{trigger}}": "sum by (trigger) (increase(berth_plans_written_total[1h]))"},
    ),
    Panel(
        "Evictions asked for",
        "By what the Eviction API said.",
        {"{{result}}": "sum by (result) (increase(berth_eviction_calls_total[1h]))"},
    ),
    Panel(
        "Planning",
        "From a snapshot to the solver's answer.",
        {
            "median": "histogram_quantile(0.5, sum by (le) (rate(berth_solve_seconds_bucket[$__rate_interval])))",
            "99 %": "histogram_quantile(0.99, sum by (le) (rate(berth_solve_seconds_bucket[$__rate_interval])))",
        },
        "s",
    ),
    Panel(
        "The extender's answers, 99 %",
        "Each pod that is scheduled pays for them.",
        {"{{verb}}": quantile(0.99, "berth_extender_request_seconds", "verb")},
        "s",
    ),
    Panel(
        "What the extender decided",
        "Answers a second.",
        {"{{verb}} {{outcome}}": "sum by (verb, outcome) (rate(berth_extender_decisions_total[$__rate_interval]))"},
        "reqps",
    ),
    Panel(
        "Left to kube-scheduler alone",
        "Answers without our say, and why.",
        {"{{reason}}": "sum by (reason) (rate(berth_extender_fallbacks_total[$__rate_interval]))"},
        "reqps",
    ),
)

_HERE = '{namespace=~"$namespace"}'
SERVING = (
    Panel("Replicas asked for", "Of all LLMServices.", {"asked": "max(berth_llm_service_replicas)"}, kind="stat"),
    Panel(
        "Replicas that answer", "Of all LLMServices.", {"answer": "max(berth_llm_service_ready_replicas)"}, kind="stat"
    ),
    Panel("Requests that run", "In all engines.", {"run": f"sum(berth_engine_running{_HERE})"}, kind="stat"),
    Panel("Requests that queue", "In all engines.", {"queue": f"sum(berth_engine_queue{_HERE})"}, kind="stat"),
    Panel(
        "LLMServices by their Ready condition",
        "And its reason.",
        {"{{ready}} {{reason}}": "max by (ready, reason) (berth_llm_services)"},
    ),
    Panel(
        "First token, 95 %",
        "By class of priority.",
        {"{{class}}": quantile(0.95, "berth_engine_ttft_seconds", "class", _HERE)},
        "s",
    ),
    Panel(
        "Time per further token, 95 %",
        "By class of priority.",
        {"{{class}}": quantile(0.95, "berth_engine_time_per_token_seconds", "class", _HERE)},
        "s",
    ),
    Panel("Queue", "Requests without a first slice.", {"{{class}}": f"sum by (class) (berth_engine_queue{_HERE})"}),
    Panel(
        "Tokens computed",
        "Prompts included, a second.",
        {"{{pod}}": f"sum by (pod) (rate(berth_engine_tokens_total{_HERE}[$__rate_interval]))"},
    ),
    Panel(
        "Preemption",
        "Passes interrupted between two layers, a second; and requests that pause.",
        {
            "interrupted": f"sum(rate(berth_engine_preemptions_total{_HERE}[$__rate_interval]))",
            "paused": f"sum(berth_engine_paused{_HERE})",
        },
    ),
    Panel(
        "KV cache in use",
        "Of the device's blocks, and of the host's.",
        {
            "{{pod}}": f"max by (pod) (berth_engine_kv_cache_usage{_HERE})",
            "{{pod}} host": f"max by (pod) (berth_engine_host_kv_usage{_HERE})",
        },
        "percentunit",
    ),
    Panel(
        "Gateway",
        "Requests a second, and those that wait for a service to wake.",
        {
            "{{status}}": f"sum by (status) (rate(berth_gateway_requests_total{_HERE}[$__rate_interval]))",
            "held": f"sum(berth_gateway_held{_HERE})",
        },
    ),
)


def dashboard(uid: str, title: str, panels: tuple[Panel, ...]) -> Json:
    """Four numbers in the first row, then two graphs a row."""
    drawn = []
    for i, panel in enumerate(panels):
        if panel.kind == "stat":
            place = {"h": 4, "w": WIDTH // 4, "x": WIDTH // 4 * i, "y": 0}
        else:
            place = {"h": HEIGHT, "w": WIDTH // 2, "x": WIDTH // 2 * (i % 2), "y": 4 + HEIGHT * ((i - 4) // 2)}
        targets = [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": query, "legendFormat": legend}
            for n, (legend, query) in enumerate(panel.queries.items())
        ]
        drawn.append(
            {
                "id": i + 1,
                "type": panel.kind,
                "title": panel.title,
                "description": panel.says,
                "datasource": SOURCE,
                "gridPos": place,
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": targets,
            }
        )
    variables = [
        {"name": "source", "label": "Data source", "type": "datasource", "query": "prometheus"},
        {
            "name": "namespace",
            "label": "Namespace",
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": "label_values(berth_engine_running, namespace)", "refId": "namespaces"},
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]
    return {
        "uid": uid,
        "title": title,
        "tags": ["berth"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": variables if any("$namespace" in str(p.queries) for p in panels) else variables[:1]},
        "panels": drawn,
    }


def dashboards() -> dict[str, str]:
    """JSON by the file's name."""
    made = {
        "placement.json": dashboard("berth-placement", "Berth: placement and planning", PLACEMENT),
        "serving.json": dashboard("berth-serving", "Berth: serving and engines", SERVING),
    }
    return {name: json.dumps(body, indent=1) + "\n" for name, body in made.items()}
