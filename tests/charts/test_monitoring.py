"""Alerts, their runbooks, and dashboards: they ask for metrics that there are, and each alert has a section that says what to do."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from charts import render as charts
from charts.dashboards import dashboards

from .exported_metrics import exported

Json = dict[str, Any]

MONITORING = "monitoring.coreos.com/v1"
GATEWAY: Json = {"gateway": {"enabled": True, "namespace": "chat"}}
RUNBOOKS = charts.ROOT / "docs" / "runbooks.md"
NAMES = re.compile(r"\b(?:berth_|vllm:)[a-z0-9_]+")


def made(values: Json, kind: str) -> list[Json]:
    return [body for body in charts.objects(charts.render(values, apis=[MONITORING])) if body["kind"] == kind]


def alerts(values: Json) -> dict[str, Json]:
    (rule,) = made(values, "PrometheusRule")
    return {alert["alert"]: alert for group in rule["spec"]["groups"] for alert in group["rules"]}


def queries() -> list[str]:
    asked = [alert["expr"] for alert in alerts(GATEWAY).values()]
    for text in dashboards().values():
        asked += [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
        asked += re.findall(r"label_values\((.*?),", text)
    return asked


def test_alerts_and_dashboards_ask_for_metrics_that_there_are() -> None:
    names = {name for query in queries() for name in NAMES.findall(query)}
    assert len(names) > 25
    assert names - exported() == set()


def test_what_is_exported_is_found_at_all() -> None:
    """Of each process and kind one, so that an empty list does not pass for agreement."""
    known = exported()
    assert {
        "berth_extender_request_seconds_bucket",
        "berth_extender_staleness_seconds",
        "berth_plans_finished_total",
        "berth_llm_services",
        "berth_gateway_requests_total",
        "berth_engine_ttft_seconds_bucket",
        "berth_engine_tokens_total",
        "vllm:num_requests_waiting",
    } <= known
    assert "berth_extender_decisions" not in known  # a counter's sample ends in _total


def test_every_alert_has_a_section_that_says_what_to_do() -> None:
    sections = re.split(r"^## ", RUNBOOKS.read_text(), flags=re.MULTILINE)[1:]
    by_name = {section.split("\n", 1)[0]: section for section in sections}
    known = alerts(GATEWAY)
    assert list(known) == list(by_name)
    for name, alert in known.items():
        assert alert["annotations"]["runbook_url"].endswith(f"/docs/runbooks.md#{name.lower()}")
        assert alert["labels"]["severity"] in ("warning", "critical")
        assert all(f"\n**{word}** " in by_name[name] for word in ("Means", "Look", "Do"))
    assert "BerthGatewayErrors" not in alerts({})


def test_dashboards_come_only_when_asked_for_with_the_sidecar_s_label() -> None:
    assert not [body for body in made({}, "ConfigMap") if "dashboard" in body["metadata"]["name"]]
    values = {"monitoring": {"dashboards": {"enabled": True, "namespace": "grafana"}}}
    boards = [body for body in made(values, "ConfigMap") if "dashboard" in body["metadata"]["name"]]
    assert {body["metadata"]["name"] for body in boards} == {"berth-dashboard-placement", "berth-dashboard-serving"}
    for body in boards:
        assert body["metadata"]["namespace"] == "grafana"
        assert body["metadata"]["labels"]["grafana_dashboard"] == "1"
        ((name, text),) = body["data"].items()
        assert text.rstrip() == dashboards()[name.removeprefix("berth-")].rstrip()


@pytest.mark.parametrize("name", dashboards())
def test_dashboards_are_up_to_date_and_their_panels_do_not_overlap(name: str) -> None:
    assert (charts.DASHBOARDS / name).read_text() == dashboards()[name], "run: make manifests"
    board = json.loads(dashboards()[name])
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
        assert panel["targets"]
        assert panel["description"]
    assert [p.name for p in charts.DASHBOARDS.glob("*.json") if p.name not in dashboards()] == []


def test_the_gateway_is_scraped_by_one_monitor() -> None:
    def monitors(values: Json) -> list[str]:
        bodies = made(values, "PodMonitor") + made(values, "ServiceMonitor")
        return [body["kind"] for body in bodies if body["metadata"]["name"] == "berth-gateway"]

    by_service = GATEWAY | {"monitoring": {"serviceMonitors": {"enabled": True}}}
    assert monitors(GATEWAY) == ["PodMonitor"]
    assert monitors(by_service) == ["ServiceMonitor"]
    (monitor,) = made(by_service, "ServiceMonitor")
    service = next(b for b in made(by_service, "Service") if b["metadata"]["name"] == "berth-gateway")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in [port["name"] for port in service["spec"]["ports"]]
