"""charts/berth on a real API server, by Helm itself: installed, upgraded, uninstalled; and manifests/install.yaml by kubectl.

The namespace enforces Pod Security `restricted`; the pods are real objects on fake nodes. Images are not pulled: what runs under the
chart's accounts are the same processes on this machine.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python.config import Config

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster, KubectlError
from berth_e2e.objects import pod
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for
from berth_extender.kube_scheduler import configuration

CHART = ROOT / "charts" / "berth"
DEFINITIONS = ("llmservices.berth.dev", "packingplans.berth.dev", "packingpolicies.berth.dev")
OURS = "app.kubernetes.io/name=berth"
KINDS = (
    "deployments,replicasets,pods,services,configmaps,serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings,"
    "networkpolicies,poddisruptionbudgets,priorityclasses"
)
POLICY = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "kept"}, "spec": {}}


@pytest.fixture(scope="module")
def bare(binaries: Path) -> Iterator[Cluster]:
    """A cluster with nodes and a namespace that enforces `restricted`; the kinds, applied by hand, are given to Helm as the page says."""
    with Cluster.start(f"e2e-{os.getpid()}-chart", nodes=2, gpus=8) as cluster:
        page = (ROOT / "docs" / "install.md").read_text().replace("\\\n", " ")
        for command in re.findall(r"^kubectl ((?:label|annotate) crd .*)$", page, re.MULTILINE):
            cluster.kubectl(*command.split())
        cluster.kubectl("create", "namespace", "chat")
        cluster.kubectl("label", "namespace", SYSTEM_NAMESPACE, "chat", "pod-security.kubernetes.io/enforce=restricted")
        yield cluster


@pytest.fixture
def helm(bare: Cluster) -> Iterator[Config]:
    with Config(kubeconfig_path=bare.kubeconfig, namespace=SYSTEM_NAMESPACE) as helm:
        yield helm


def ours(cluster: Cluster) -> list[str]:
    return cluster.kubectl("get", KINDS, "-A", "-l", OURS, "-o", "name").split()


def running(cluster: Cluster) -> int:
    """Pods that were admitted under `restricted`, and run as far as fake kubelets run."""
    phases = cluster.kubectl("get", "pods", "-A", "-l", OURS, "-o", "jsonpath={.items[*].status.phase}")
    return phases.split().count("Running")


def token_config(cluster: Cluster, account: str, folder: Path) -> str:
    """A kubeconfig with which a process is this account."""
    config: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    for entry in config["clusters"]:
        authority = entry["cluster"].pop("certificate-authority", None)
        if authority is not None:
            entry["cluster"]["certificate-authority-data"] = base64.b64encode(Path(authority).read_bytes()).decode()
    token = cluster.kubectl("create", "token", account, "-n", SYSTEM_NAMESPACE).strip()
    for entry in config["users"]:
        entry["user"] = {"token": token}
    path = folder / f"{account}.kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


@pytest.mark.timeout(300)
def test_helm_installs_upgrades_and_leaves_only_kinds_and_objects_of_users(
    bare: Cluster, helm: Config, tmp_path: Path
) -> None:
    previous = yaml.safe_load((ROOT / "tests" / "charts" / "previous" / "values.yaml").read_text())
    helm.install(CHART, "berth", previous, namespace=SYSTEM_NAMESPACE, timeout=60)
    bare.kubectl("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{name}" for name in DEFINITIONS))
    wait_for("two pods of each", lambda: running(bare) == 4, 60.0)
    with pytest.raises(KubectlError, match="violates PodSecurity"):  # it is enforced
        bare.kubectl("run", "plain", "-n", SYSTEM_NAMESPACE, "--image=plain")
    image = bare.kubectl("get", "deployment", "berth-scheduler", "-n", SYSTEM_NAMESPACE, "-o", "jsonpath={..image}")
    assert f"kube-scheduler:v{bare.state.version}" in image
    bare.create(POLICY)

    _work_under_the_accounts(bare, tmp_path)
    _helm_test_looks_and_leaves_nothing(bare, helm, tmp_path)

    values = {"operator": {"logLevel": "debug", "replicas": 1}, "gateway": {"enabled": True, "namespace": "chat"}}
    helm.upgrade(CHART, "berth", values, namespace=SYSTEM_NAMESPACE, timeout=60)
    wait_for("an operator less, and two gateways", lambda: running(bare) == 5, 60.0)
    service = bare.kubectl("get", "service", "berth-gateway", "-n", "chat", "-o", "jsonpath={.spec.ports[0].port}")
    assert service == "80"

    helm.uninstall("berth", timeout=60)
    wait_for("nothing of ours", lambda: ours(bare) == [], 60.0)
    for name in DEFINITIONS:
        bare.kubectl("get", "crd", name)
    assert bare.kubectl("get", "packingpolicies", "-o", "name").split() == ["packingpolicy.berth.dev/kept"]

    # once more over the kinds that were kept, and where there are none
    helm.install(CHART, "berth", namespace=SYSTEM_NAMESPACE, timeout=60)
    helm.uninstall("berth", timeout=60)
    bare.kubectl("delete", "crd", *DEFINITIONS)
    helm.install(CHART, "berth", namespace=SYSTEM_NAMESPACE, timeout=60)
    bare.kubectl("wait", "--for=condition=Established", "--timeout=30s", *(f"crd/{name}" for name in DEFINITIONS))
    helm.uninstall("berth", timeout=60)


def _work_under_the_accounts(cluster: Cluster, folder: Path) -> None:
    """Extender, scheduler and operator as the chart's accounts: a pod is scheduled, and both Leases are held."""
    scheduler, operator = (token_config(cluster, name, folder) for name in ("berth-scheduler", "berth-operator"))
    flags = ("--kubeconfig", scheduler), ("--kubeconfig", operator)
    cluster.add_berth(Berth(pairs=1, extender_flags=flags[0], operator_flags=flags[1]))
    cluster.processes["scheduler-0"].stop()
    url = f"http://127.0.0.1:{cluster.state.ports['extender-0']}"
    cluster.add_scheduler("scheduler-own", configuration(extender_url=url, kubeconfig=scheduler))
    template = pod("of-berth", gpus=1, labels={"app": "of-berth"})
    template["spec"]["schedulerName"] = "berth"
    cluster.create(template)
    cluster.wait_running("app=of-berth", 1)
    held = cluster.kubectl("get", "leases", "-n", SYSTEM_NAMESPACE, "-o", "name")
    assert {"lease.coordination.k8s.io/berth-operator", "lease.coordination.k8s.io/berth-scheduler"} <= set(
        held.split()
    )
    _tell_what_alerts_and_dashboards_ask_for(cluster)
    cluster.remove_berth()


def _tell_what_alerts_and_dashboards_ask_for(cluster: Cluster) -> None:
    """The live processes' own metrics: a renamed or dropped one would leave an alert silent."""
    told = set()
    for port in ("extender-metrics-0", "operator-0"):
        with urllib.request.urlopen(f"http://127.0.0.1:{cluster.state.ports[port]}/metrics", timeout=10) as answer:
            told |= set(re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.MULTILINE))
    asked = (CHART / "templates" / "alerts.yaml").read_text()
    asked += "".join(path.read_text() for path in (CHART / "files" / "dashboards").glob("*.json"))
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bberth_\w+", asked)}
    others = {name for name in names if name.startswith(("berth_engine_", "berth_gateway_"))}
    assert names - others <= told


def _helm_test_looks_and_leaves_nothing(cluster: Cluster, helm: Config, folder: Path) -> None:
    """The hook's pod is admitted and stays; beside it the same command under its account. Then it is done, and all of it goes."""
    ended: list[object] = []
    testing = threading.Thread(target=lambda: ended.append(helm.test("berth", timeout=60)), daemon=True)
    testing.start()
    doctors = ("get", "pods,roles,rolebindings,serviceaccounts,networkpolicies", "-n", SYSTEM_NAMESPACE)
    wanted = (*doctors, "-l", "app.kubernetes.io/component=doctor", "-o", "name")
    wait_for("the hook", lambda: "pod/berth-doctor" in cluster.kubectl(*wanted).split(), 30.0)
    said = subprocess.run(
        [sys.executable, "-m", "berth_cli.main", "doctor", "--ask-pods"],
        env={**os.environ, "KUBECONFIG": token_config(cluster, "berth-doctor", folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # kinds and Deployments stand; nobody holds the Leases any more, and pods of fake nodes do not answer
    found = {line.split(": ")[0]: line for line in said.stdout.splitlines()}
    assert said.returncode == 1, said.stderr
    for fine in ("kinds", "Deployment berth-scheduler", "Deployment berth-operator"):
        assert f"ok   {fine}" in found, said.stdout
    not_ready = [line for who, line in found.items() if " in berth-" in who]
    assert len(not_ready) == 4
    assert all("PodNotReady" in line for line in not_ready)
    cluster.api.merge(
        f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/pods/berth-doctor/status", {"status": {"phase": "Succeeded"}}
    )
    testing.join(60)
    assert ended
    assert cluster.kubectl(*wanted).split() == []


@pytest.mark.timeout(180)
def test_services_are_looked_after_only_in_the_namespaces_listed(bare: Cluster, helm: Config, tmp_path: Path) -> None:
    values = {"operator": {"serviceNamespaces": ["chat"]}}
    helm.install(CHART, "berth", values, namespace=SYSTEM_NAMESPACE, timeout=60)
    account = f"--as=system:serviceaccount:{SYSTEM_NAMESPACE}:berth-operator"

    def may(verb: str, kind: str, namespace: str) -> bool:
        return bare.kubectl("auth", "can-i", verb, kind, "-n", namespace, account, check=False).strip() == "yes"

    for kind in ("deployments", "services", "networkpolicies", "horizontalpodautoscalers"):
        assert may("create", kind, "chat"), kind
        assert not may("create", kind, "default"), kind
    assert may("list", "services", "default")  # reading stays cluster-wide

    config = token_config(bare, "berth-operator", tmp_path)
    bare.add_berth(Berth(pairs=1, operator_flags=("--kubeconfig", config)))
    for path in ("/api/v1", "/apis/apps/v1", "/apis/policy/v1", "/apis/networking.k8s.io/v1"):
        bare.meant.append(f"berth-operator: patch {path}/namespaces/default/")
    try:
        for namespace in ("chat", "default"):
            bare.kubectl("apply", "-n", namespace, "-f", str(ROOT / "manifests" / "samples" / "llmservice.yaml"))
        wait_for("its Deployment", lambda: bare.kubectl("get", "deployments", "-n", "chat", "-o", "name").split(), 60.0)
        ready = ("get", "llmsvc", "chat", "-n", "default", "-o", "jsonpath={.status.conditions[?(@.type=='Ready')]}")
        said = wait_for("a word", lambda: t if "AdmissionRefused" in (t := bare.kubectl(*ready)) else None, 60.0)
        assert "is forbidden" in said
        assert bare.kubectl("get", "deployments", "-n", "default", "-o", "name") == ""
    finally:
        bare.remove_berth()
        bare.kubectl("delete", "llmsvc", "--all", "-A", "--wait=false")
        helm.uninstall("berth", timeout=60)


@pytest.mark.timeout(120)
def test_kubectl_applies_the_install_file(bare: Cluster) -> None:
    file = str(ROOT / "manifests" / "install.yaml")
    bare.kubectl("delete", "crd", "--ignore-not-found", *DEFINITIONS)
    bare.kubectl("apply", "--validate=strict", "-f", file)
    wait_for("two pods of each", lambda: running(bare) == 4, 60.0)
    assert "unchanged" in bare.kubectl("apply", "-f", file)
    bare.kubectl("delete", KINDS, "-A", "-l", OURS, "--wait=false")
    wait_for("nothing of ours", lambda: ours(bare) == [], 60.0)
