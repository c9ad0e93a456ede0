"""What `helm test` makes: a hardened pod with rights of its own that go when it succeeds, and that no install file has."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

from berth_cli import installation
from charts import render as charts

Json = dict[str, Any]
PAGE = charts.ROOT / "docs" / "install.md"


def made(values: Json | None = None) -> dict[str, Json]:
    bodies = charts.objects(charts.render(values), of_tests=True)
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in bodies}


@pytest.mark.parametrize("minor", ["1.30", "1.37"])
def test_schemas_accept_them_and_all_are_hooks_that_go(minor: str) -> None:
    bodies = made()
    assert bodies.keys() == {
        "ServiceAccount/berth-doctor",
        "Role/berth-doctor",
        "RoleBinding/berth-doctor",
        "NetworkPolicy/berth-doctor",
        "NetworkPolicy/berth-doctor-asks",
        "Pod/berth-doctor",
    }
    for body in bodies.values():
        kubernetes_validate.validate(body, minor, strict=True)
        notes = body["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "test"
        assert {"before-hook-creation", "hook-succeeded"} <= set(notes["helm.sh/hook-delete-policy"].split(","))
    weights = {k: int(b["metadata"]["annotations"].get("helm.sh/hook-weight", 0)) for k, b in bodies.items()}
    assert max(weights, key=lambda key: weights[key]) == "Pod/berth-doctor"  # rights first
    assert "berth-doctor" not in "".join((charts.ROOT / "manifests" / n).read_text() for n in charts.INSTALLS)


def test_its_rights_are_those_of_the_page_and_what_it_looks_at() -> None:
    rules = made()["Role/berth-doctor"]["rules"]
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert yaml.safe_load(block) == rules
    deployments, leases, _ = rules
    assert set(deployments["resourceNames"]) == set(installation.DEPLOYMENTS)
    assert set(leases["resourceNames"]) == set(installation.LEASES)


def test_it_is_hardened_and_may_reach_what_it_asks() -> None:
    bodies = made()
    pod = bodies["Pod/berth-doctor"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    deployments = [b for b in charts.objects(charts.render()) if b["kind"] == "Deployment"]
    health = {
        port["containerPort"]
        for body in deployments
        for c in body["spec"]["template"]["spec"]["containers"]
        for port in c["ports"]
        if installation.HEALTH_PORTS.get(c["name"]) == port["name"]
    }
    assert len(health) == 2
    out = bodies["NetworkPolicy/berth-doctor"]["spec"]["egress"][-1]
    (into,) = bodies["NetworkPolicy/berth-doctor-asks"]["spec"]["ingress"]
    assert {p["port"] for p in out["ports"]} == {p["port"] for p in into["ports"]} == health
    labels = bodies["Pod/berth-doctor"]["metadata"]["labels"].items()
    assert into["from"][0]["podSelector"]["matchLabels"].items() <= labels
    for body in deployments:
        theirs = body["spec"]["template"]["metadata"]["labels"].items()
        assert out["to"][0]["podSelector"]["matchLabels"].items() <= theirs
    assert not [kind for kind in made({"networkPolicies": {"enabled": False}}) if kind.startswith("NetworkPolicy")]
