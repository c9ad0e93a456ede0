"""The roles of docs/rbac.md are enough for every process, and hardly more than they use: the API server's audit log says so."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.accounts import kubeconfig
from berth_e2e.audit import log_of, refused, requests
from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.custom_metrics import custom_metrics
from berth_e2e.gateway import gateway
from berth_e2e.objects import pod, replica_set
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for
from berth_extender.kube_scheduler import configuration
from berth_operator.plan_writing import PLANS_PATH
from berth_operator.policy_status import POLICIES_PATH

PAGE = ROOT / "docs" / "rbac.md"
GROUP = "rbac.authorization.k8s.io"
ACCOUNTS = ("berth-extender", "berth-operator", "berth-scheduler")
OF_SCHEDULERS = ("system:kube-scheduler", "system:volume-scheduler")
GATEWAY, GATEWAY_NAMESPACE = "berth-gateway", "chat"
NOT_THERE = (
    "leaderworkerset.x-k8s.io/leaderworkersets",
    "scheduling.k8s.io/podgroups",
    "scheduling.x-k8s.io/podgroups",
    "scheduling.volcano.sh/podgroups",
    "scheduling.run.ai/podgroups",
    "monitoring.coreos.com/podmonitors",
    "keda.sh/scaledobjects",
    "inference.networking.k8s.io/inferencepools",
)
"""Kinds that this control plane does not serve: they are asked for, and cannot be watched."""
APPLIED = (
    "services",
    "serviceaccounts",
    "apps/deployments",
    "policy/poddisruptionbudgets",
    "networking.k8s.io/networkpolicies",
    "autoscaling/horizontalpodautoscalers",
)
NOT_USED_HERE = {
    ("berth-extender", "create", "coordination.k8s.io/leases"),  # by server-side apply: one request, logged as a patch
    ("berth-operator", "get", "events"),  # the same event after ten minutes
    ("berth-operator", "patch", "events"),
    ("berth-operator", "delete", "berth.dev/packingplans"),  # finished ones, by count and age
    *((account, "watch", kind) for account in ("berth-extender", "berth-operator") for kind in NOT_THERE[:-3]),
    *(("berth-operator", verb, kind) for verb in ("watch", "create", "get", "patch") for kind in NOT_THERE[-3:]),
    *(("berth-operator", "delete", kind) for kind in NOT_THERE[-2:]),
    ("berth-operator", "update", "berth.dev/llmservices/finalizers"),  # on clusters that guard blockOwnerDeletion
    *(("berth-operator", "create", kind) for kind in APPLIED),  # by server-side apply, as above
}
"""As the page says."""
Json = dict[str, Any]
Right = tuple[str, str, str]
"""Account, verb, group and resource."""


def roles() -> list[Json]:
    blocks = [block.split("```", 1)[0] for block in PAGE.read_text().split("```yaml\n")[1:]]
    return [role for block in blocks for role in yaml.safe_load_all(block) if isinstance(role, dict)]


def granted() -> set[Right]:
    return {
        (role["metadata"]["name"], verb, f"{group}/{resource}".lstrip("/"))
        for role in roles()
        for rule in role["rules"]
        for verb in rule["verbs"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def with_model(cluster: Cluster, node: str) -> None:
    """A pod there that has fetched a model into a folder of the node."""
    body = pod("fetched", labels={"berth.dev/model": "ab" * 20, "app": "fetched"})
    body["spec"]["nodeName"] = node
    body["spec"]["volumes"] = [{"name": "cache", "hostPath": {"path": "/models"}}]
    body["spec"]["initContainers"] = [{"name": "berth-fetch", "image": "fetch"}]
    cluster.create(body)
    cluster.wait_running("app=fetched", 1)
    word = json.dumps({"code": "Fetched", "digest": f"sha256:{'ab' * 32}", "bytes": 1})
    status = {"name": "berth-fetch", "image": "fetch", "imageID": "", "ready": True, "restartCount": 0}
    ended = {"terminated": {"exitCode": 0, "message": word}}
    path = "/api/v1/namespaces/default/pods/fetched/status"
    cluster.api.merge(path, {"status": {"initContainerStatuses": [{**status, "state": ended}]}})


@pytest.fixture
def audited(binaries: Path) -> Iterator[Cluster]:
    """A control plane of its own: its audit log holds what this test does, and no more."""
    with Cluster.start(f"e2e-{os.getpid()}-rbac") as cluster:
        yield cluster


def binding(
    kind: str, role_kind: str, role: str, account: str, namespace: str | None = None, home: str = SYSTEM_NAMESPACE
) -> Json:
    """home: the account's namespace."""
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": {"name": f"{account}-{role}".replace(":", "-")} | ({"namespace": namespace} if namespace else {}),
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": home}],
    }


def objects() -> list[Json]:
    """The page's roles, accounts that have them, and for the scheduler those that every scheduler has."""
    made: list[Json] = roles()
    for name in ACCOUNTS:
        made.append(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE}}
        )
        made.append(binding("RoleBinding", "Role", name, name, SYSTEM_NAMESPACE))
    made += [binding("ClusterRoleBinding", "ClusterRole", name, name) for name in ACCOUNTS[:2]]
    made += [binding("ClusterRoleBinding", "ClusterRole", role, "berth-scheduler") for role in OF_SCHEDULERS]
    account = {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE}
    made.append({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account})
    made.append(binding("RoleBinding", "Role", GATEWAY, GATEWAY, GATEWAY_NAMESPACE, GATEWAY_NAMESPACE))
    reader = "extension-apiserver-authentication-reader"
    return [*made, binding("RoleBinding", "Role", reader, "berth-scheduler", "kube-system")]


def kubeconfig_of(cluster: Cluster, account: str, namespace: str = SYSTEM_NAMESPACE) -> str:
    return str(kubeconfig(cluster.api, cluster.state, account, namespace=namespace))


def right(event: Json) -> Right | None:
    """None for what is no object: discovery."""
    told = event.get("objectRef")
    if told is None or "resource" not in told:
        return None
    resource = "/".join(part for part in (told.get("apiGroup"), told["resource"], told.get("subresource")) if part)
    return event["user"]["username"].rsplit(":", 1)[-1], event["verb"], resource


@pytest.mark.timeout(180)
def test_each_process_does_all_its_work_under_its_own_roles(audited: Cluster, tmp_path: Path) -> None:
    cluster = audited
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GATEWAY_NAMESPACE}})
    cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(objects()))
    extender, operator, scheduler = (kubeconfig_of(cluster, account) for account in ACCOUNTS)
    with custom_metrics(cluster, lambda pod, metric: 0.0):
        _do_all_work(cluster, extender, operator, scheduler)
        _meet_objects_of_others(cluster)
        _wake_one_through_the_gateway(cluster, kubeconfig_of(cluster, GATEWAY, GATEWAY_NAMESPACE), tmp_path)
    cluster.remove_berth()

    assert refused(log_of(cluster.state)) == []
    used = {found for event in requests(log_of(cluster.state)) if (found := right(event)) is not None}
    ours = {found for found in used if found[0] != "berth-scheduler"}
    assert ours <= granted()
    assert {g for g in granted() if g[0] != "berth-scheduler"} - ours == NOT_USED_HERE


def _do_all_work(cluster: Cluster, extender: str, operator: str, scheduler: str) -> None:
    """By processes under their own accounts' kubeconfigs."""
    cluster.add_berth(
        Berth(pairs=1, extender_flags=("--kubeconfig", extender), operator_flags=("--kubeconfig", operator))
    )
    cluster.processes["scheduler-0"].stop()
    url = f"http://127.0.0.1:{cluster.state.ports['extender-0']}"
    cluster.add_scheduler("scheduler-own", configuration(extender_url=url, kubeconfig=scheduler))
    wait_for("a warm solver", lambda: "solver is warm" in cluster.processes["operator-0"].log_text(), 60.0)

    # a plan with a move, approved by its policy: everything that the processes are for
    cluster.create(
        {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "all"}, "spec": {}}
    )
    cluster.add_nodes(2, gpus=8)
    for i, name in enumerate(("left", "right")):
        cluster.kubectl("cordon", f"node-{1 - i}")
        cluster.create(replica_set(name, 1, gpus=4, scheduler="berth"))
        cluster.wait_running(f"app={name}", 1)
        cluster.kubectl("uncordon", f"node-{1 - i}")
    cluster.create(replica_set("big", 1, gpus=8, scheduler="berth"))
    cluster.wait_running("app=big", 1)

    def ended() -> bool:
        plans = cluster.api.items(PLANS_PATH)
        return all(p.get("status", {}).get("phase") == "Completed" for p in plans)

    wait_for("the plan's end", ended, 20.0)
    cluster.create(
        {
            "apiVersion": "berth.dev/v1alpha1",
            "kind": "LLMService",
            "metadata": {"name": "llama", "namespace": "default"},
            "spec": {
                "model": {"uri": "path://tiny-mixtral"},
                "resources": {"gpus": 0},
                "autoscaling": {"max": 2},
            },
        }
    )

    def answers() -> bool:
        services = cluster.api.items("/apis/berth.dev/v1alpha1/llmservices")
        return bool(services[0].get("status", {}).get("readyReplicas"))

    wait_for("an LLMService that answers", answers, 30.0)
    autoscaler = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/llama"
    wait_for("its autoscaler", lambda: cluster.api.exists(autoscaler), 20.0)
    service = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices/llama"
    cluster.api.merge(service, {"spec": {"autoscaling": None}})
    wait_for("the autoscaler's end", lambda: not cluster.api.exists(autoscaler), 20.0)
    with_model(cluster, "node-0")

    def tells() -> bool:
        return "berth.dev/models" in cluster.api.get("/api/v1/nodes/node-0")["metadata"].get("annotations", {})

    wait_for("a node that tells of its model", tells, 30.0)
    wait_for("word about the policy", lambda: cluster.api.items(POLICIES_PATH)[0].get("status"), 20.0)
    wait_for("events", lambda: "PlanFinished" in {e["reason"] for e in cluster.events()}, 10.0)


def _meet_objects_of_others(cluster: Cluster) -> None:
    """A service whose names are all taken: the operator looks whose they are, and leaves them."""
    cluster.kubectl("create", "namespace", "taken")
    for kind in ("serviceaccount", "deployment --image=theirs", "poddisruptionbudget --selector=a=b --min-available=1"):
        name, *flags = kind.split()
        cluster.kubectl("create", name, "mine", "-n", "taken", *flags)
    for name in ("mine", "mine-pods"):
        cluster.kubectl("create", "service", "clusterip", name, "-n", "taken", "--tcp=1:1")
    cluster.kubectl("autoscale", "deployment", "mine", "-n", "taken", "--max=2", "--cpu=50%")
    spec: Json = {"podSelector": {"matchLabels": {"a": "b"}}}
    version, metadata = "networking.k8s.io/v1", {"name": "mine", "namespace": "taken"}
    cluster.create({"apiVersion": version, "kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
    spec = {"model": {"uri": "path://tiny-mixtral"}, "autoscaling": {"max": 2}, "resources": {"gpus": 0}}
    cluster.create({"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec})
    path = "/apis/berth.dev/v1alpha1/namespaces/taken/llmservices/mine"

    def told() -> bool:
        conditions = cluster.api.get(path).get("status", {}).get("conditions", [])
        return any((c["type"], c["reason"]) == ("Ready", "NameTaken") for c in conditions)

    wait_for("names that are taken", told, 20.0)
    for kind in ("serviceaccount", "deployment", "poddisruptionbudget", "service", "networkpolicy", "horizontalpodautoscaler"):  # fmt: skip
        found = json.loads(cluster.kubectl("get", kind, "mine", "-n", "taken", "-o", "json"))
        assert "ownerReferences" not in found["metadata"], kind


def _wake_one_through_the_gateway(cluster: Cluster, kubeconfig: str, folder: Path) -> None:
    spec = {"model": {"uri": "path://tiny-mixtral"}, "autoscaling": {"min": 0, "max": 1}, "resources": {"gpus": 0}}
    metadata = {"name": "sleeper", "namespace": GATEWAY_NAMESPACE}
    cluster.create({"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec})
    with gateway(kubeconfig, folder, "--namespace", GATEWAY_NAMESPACE, "--hold-seconds", "15") as url:
        body = json.dumps({"model": "sleeper", "prompt": "x"}).encode()
        asking = urllib.request.Request(f"{url}/v1/completions", body, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError):  # the fake pod's address answers nobody
            urllib.request.urlopen(asking, timeout=60)
    path = f"/apis/berth.dev/v1alpha1/namespaces/{GATEWAY_NAMESPACE}/llmservices/sleeper"
    assert "berth.dev/wake" in cluster.api.get(path)["metadata"]["annotations"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_dashboard_reviews_its_callers_under_its_further_rules(audited: Cluster) -> None:
    cluster = audited
    cluster.add_berth(Berth(pairs=0, operator_flags=("--ui",)))
    token = cluster.kubectl("create", "token", "default", "-n", "default").strip()
    port = cluster.state.ports["operator-0"]

    def answered() -> tuple[int, str]:
        asking = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/overview", headers={"Authorization": f"Bearer {token}"}
        )
        try:
            with urllib.request.urlopen(asking, timeout=20) as answer:
                return answer.status, ""
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())["reason"]

    assert answered() == (200, "")
    assert refused(log_of(cluster.state)) == []
    events = requests(log_of(cluster.state))
    used = {found for event in events if (found := right(event)) is not None and found[0] == "berth-operator"}
    assert used - granted() == {
        ("berth-operator", "create", "authentication.k8s.io/tokenreviews"),
        ("berth-operator", "create", "authorization.k8s.io/subjectaccessreviews"),
    }
    cluster.kubectl("delete", "clusterrolebinding", "berth-operator-ui")
    wait_for("the lack of rights", lambda: answered() == (503, "ReviewsForbidden"), 40.0)
    cluster.remove_berth()
