"""Who may talk to whom, by the NetworkPolicies that the chart renders and the operator builds. Read here, and enforced nowhere in our
tests: that is a network plugin's work."""

from __future__ import annotations

from typing import Any

import pytest

from berth_api.llm_service import LLMService
from berth_operator.serving.children import build_network_policy
from charts import render as charts

from .network import End, passes

Json = dict[str, Any]
EVERY_PORT = (22, 53, 80, 443, 2379, 6443, 8000, 8080, 9090, 9555, 9556, 10250, 10259)
GATEWAY: Json = {"gateway": {"enabled": True, "namespace": "chat"}}
MONITORING: Json = {
    "networkPolicies": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]}
}

TENANT = End("shop", {"app": "web"}, {"name": "shop"})
PROMETHEUS = End("monitoring", {"app": "prometheus"}, {"name": "monitoring"})
STRAY = End("berth-system", {"app": "debug"})
ENGINE = End("chat", {"berth.dev/llm-service": "llama", "app": "x"})
ENGINE_ELSEWHERE = End("shop", {"berth.dev/llm-service": "llama"})
METADATA = End(address="169.254.169.254")
API_SERVER = End(address="10.0.0.1")


def policies(values: Json | None = None) -> list[Json]:
    made = charts.objects(charts.render(values))
    return [body for body in made if body["kind"] == "NetworkPolicy"]


def pod_of(component: str, values: Json | None = None) -> End:
    made = charts.objects(charts.render(values))
    name = f"berth-{component}"
    (found,) = [b for b in made if b["kind"] == "Deployment" and b["metadata"]["name"] == name]
    return End(found["metadata"]["namespace"], found["spec"]["template"]["metadata"]["labels"])


def open_ports(made: list[Json], source: End, target: End) -> set[int]:
    return {port for port in EVERY_PORT if passes(made, source, target, port)}


@pytest.mark.parametrize(("component", "ports"), [("scheduler", {9556, 10259}), ("operator", {8080})])
def test_only_health_and_metrics_are_reached(component: str, ports: set[int]) -> None:
    assert open_ports(policies(), TENANT, pod_of(component)) == ports
    assert not passes(policies(), TENANT, pod_of(component), 8080, "UDP")


@pytest.mark.parametrize(("component", "ports"), [("scheduler", {9556, 10259}), ("operator", {8080})])
def test_and_by_those_alone_who_are_named(component: str, ports: set[int]) -> None:
    assert open_ports(policies(MONITORING), PROMETHEUS, pod_of(component)) == ports
    assert open_ports(policies(MONITORING), TENANT, pod_of(component)) == set()


@pytest.mark.parametrize("component", ["scheduler", "operator"])
def test_they_reach_names_and_the_api_server_alone(component: str) -> None:
    for target in (API_SERVER, METADATA, ENGINE_ELSEWHERE):
        assert open_ports(policies(), pod_of(component), target) == {53, 443, 6443}
    assert passes(policies(), pod_of(component), API_SERVER, 53, "UDP")


def test_whatever_else_stands_in_the_namespace_reaches_nobody_and_is_reached_by_nobody() -> None:
    for other in (TENANT, PROMETHEUS, METADATA, pod_of("operator"), pod_of("scheduler")):
        assert open_ports(policies(), STRAY, other) == set()
        assert open_ports(policies(), other, STRAY) == set()


def test_the_gateway_reaches_engines_of_its_namespace_and_no_others() -> None:
    made, gateway = policies(GATEWAY), pod_of("gateway", GATEWAY)
    assert open_ports(made, gateway, ENGINE) == set(EVERY_PORT)
    assert open_ports(made, gateway, ENGINE_ELSEWHERE) == {53, 443, 6443}
    assert open_ports(made, gateway, METADATA) == {53, 443, 6443}
    assert open_ports(made, gateway, End("chat", {"app": "database"})) == {53, 443, 6443}
    assert open_ports(made, TENANT, gateway) == {8080}


def test_an_engine_is_reached_on_its_port_alone() -> None:
    given = {"model": {"uri": "path://tiny-mixtral"}}
    service = LLMService.model_validate({"metadata": {"name": "llama", "namespace": "chat"}, "spec": given})
    made = [build_network_policy(service, 8000)]
    labels = made[0]["spec"]["podSelector"]["matchLabels"]
    assert open_ports(made, TENANT, End("chat", labels)) == {8000}
    assert open_ports(made, End("chat", labels), METADATA) == set(EVERY_PORT), "the way out is the namespace's to close"


def test_without_policies_everything_is_open() -> None:
    made = policies({"networkPolicies": {"enabled": False}})
    assert made == []
    assert open_ports(made, TENANT, pod_of("operator")) == set(EVERY_PORT)


def test_the_extender_listens_for_the_container_beside_it_alone() -> None:
    """It authenticates nobody: not even a network without policies may lead to it."""
    made = charts.objects(charts.render())
    (found,) = [b for b in made if b["kind"] == "Deployment" and b["metadata"]["name"] == "berth-scheduler"]
    pod = found["spec"]["template"]["spec"]
    assert not pod.get("hostNetwork")
    (extender,) = [c for c in pod["containers"] if c["name"] == "extender"]
    assert {"--host=127.0.0.1", "--port=9555"} <= set(extender["args"])
    assert [port["containerPort"] for port in extender["ports"]] == [9556]
    config = next(b for b in made if b["kind"] == "ConfigMap")["data"]["scheduler.yaml"]
    assert "http://127.0.0.1:9555" in config
