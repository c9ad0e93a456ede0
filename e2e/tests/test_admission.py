"""The chart's admission policies on real API servers: what each refuses, what it lets through, and the opt-in of namespaces."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helm_python.config import Config

from berth_api.annotations import (
    ALLOCATION_HINT,
    DELETION_COST,
    HINT_ALIASES,
    MOVED_AT,
    RELIEVED_BY,
    SYSTEM_NAMESPACE,
    WHY,
)
from berth_api.reasons import Reason
from berth_e2e import tools
from berth_e2e.cluster import Cluster, KubectlError
from berth_e2e.objects import pod
from berth_e2e.plans import plan_of_one_step
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for
from berth_intent.understood import MAX_HINT, Code

CHART = ROOT / "charts" / "berth"
ON: dict[str, Any] = {"enabled": True}
VALUES: dict[str, Any] = {
    "crds": {"enabled": False},
    "scheduler": {"replicas": 0},
    "operator": {"replicas": 0},
    "admission": {"pods": {"enabled": True, "maxMoveCost": 10}, "operator": ON, "approval": ON, "optIn": ON},
}
OPERATOR = f"--as=system:serviceaccount:{SYSTEM_NAMESPACE}:berth-operator"


@pytest.fixture(scope="module", params=[tools.DEFAULT_VERSION, pytest.param("1.36.3", marks=pytest.mark.slow)])
def guarded(request: pytest.FixtureRequest, binaries: Path) -> Iterator[Cluster]:
    """A cluster with all policies in force."""
    with Cluster.start(
        f"e2e-{os.getpid()}-admission-{request.param[2:4]}", nodes=1, gpus=8, version=request.param
    ) as cluster:
        with Config(kubeconfig_path=cluster.kubeconfig, namespace=SYSTEM_NAMESPACE) as helm:
            helm.install(CHART, "berth", VALUES, namespace=SYSTEM_NAMESPACE, timeout=60)
        # kubectl reads before it writes; the policies have to hold whatever the roles say
        cluster.kubectl("create", "clusterrolebinding", "op", "--clusterrole=cluster-admin", f"--user={OPERATOR[5:]}")
        for name in ("plain", "pinned", "opted"):
            cluster.kubectl("create", "namespace", name)
        cluster.kubectl("label", "namespace", "pinned", "berth.dev/may-pin=true")
        cluster.kubectl("label", "namespace", "opted", "berth.dev/scheduler=enabled")
        wait_for("policies in force", lambda: refused(cluster, {WHY: "{}"}), 30.0)
        wait_for("the opt-in in force", lambda: opted_in(cluster), 30.0)
        yield cluster


Json = dict[str, Any]


def opted_in(cluster: Cluster) -> bool:
    return scheduler_of(cluster, pod("probe", namespace="opted")) == "berth"


def said(cluster: Cluster, *arguments: str, given: str | None = None) -> str:
    """What the API server says to it, empty when it takes it."""
    try:
        cluster.kubectl(*arguments, given=given)
    except KubectlError as error:
        return str(error)
    return ""


def refused(cluster: Cluster, annotations: dict[str, str], namespace: str = "plain", scheduler: str = "berth") -> str:
    """Of a pod with these annotations; nothing is stored."""
    body = pod("tried", namespace=namespace, annotations=annotations, scheduler=scheduler)
    return said(cluster, "create", "--dry-run=server", "-f", "-", given=json.dumps(body))


def scheduler_of(cluster: Cluster, body: Json) -> str:
    made = cluster.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", given=json.dumps(body))
    return str(json.loads(made)["spec"]["schedulerName"])


PINS = (
    {"berth.dev/do-not-move": "true"},
    {"berth.dev/do-not-move": ""},
    {"karpenter.sh/do-not-disrupt": "1h"},
    {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    {"berth.dev/move-cost": "11"},
    {"berth.dev/move-cost": "dear"},
    {"berth.dev/move-cost": "99999999999999999999"},
)


def test_pods_are_kept_from_being_moved_only_where_that_is_allowed(guarded: Cluster) -> None:
    for pin in PINS:
        assert "PinningRefused" in refused(guarded, pin), pin
        assert refused(guarded, pin, "pinned") == "", pin
        assert refused(guarded, pin, scheduler="default-scheduler") == "", pin
    fine = {
        "berth.dev/do-not-move": "false",
        "cluster-autoscaler.kubernetes.io/safe-to-evict": "true",
        "berth.dev/move-cost": "10",
        "team": "a",
    }
    assert refused(guarded, fine) == ""
    assert refused(guarded, {}) == ""


def test_hints_that_would_be_cut_are_refused(guarded: Cluster) -> None:
    for key in (ALLOCATION_HINT, *HINT_ALIASES):
        assert refused(guarded, {key: "ü" * MAX_HINT}) == ""
        assert "TooLong" in refused(guarded, {key: "ü" * (MAX_HINT + 1)})


def test_what_the_operator_writes_on_pods_nobody_else_writes(guarded: Cluster) -> None:
    for key in (WHY, MOVED_AT, RELIEVED_BY):
        assert "AnnotationRefused" in refused(guarded, {key: "{}"})
    guarded.create(pod("told", namespace="plain", scheduler="berth"))
    annotate = ("annotate", "pod", "told", "-n", "plain", "--overwrite")
    assert "AnnotationRefused" in said(guarded, *annotate, f"{WHY}=mine")
    assert said(guarded, *annotate, f"{WHY}=full", OPERATOR) == ""
    assert said(guarded, *annotate, "team=b") == ""  # what is there already stays
    assert "AnnotationRefused" in said(guarded, *annotate, f"{WHY}=mine")
    assert said(guarded, "label", "pod", "told", "-n", "plain", "team=b") == ""


def test_the_operator_writes_annotations_and_nothing_else(guarded: Cluster) -> None:
    guarded.create(pod("held", namespace="plain", scheduler="berth"))
    of = ("held", "-n", "plain", OPERATOR)
    assert said(guarded, "annotate", "pod", *of, f"{MOVED_AT}=now", f"{DELETION_COST}=-1") == ""
    assert "PatchRefused" in said(guarded, "label", "pod", *of, "app=other")
    image = [{"op": "replace", "path": "/spec/containers/0/image", "value": "mine"}]
    assert "PatchRefused" in said(guarded, "patch", "pod", *of, "--type=json", f"--patch={json.dumps(image)}")
    ends = {"metadata": {"finalizers": ["a.b/c"]}}
    assert "PatchRefused" in said(guarded, "patch", "pod", *of, "--type=merge", f"--patch={json.dumps(ends)}")
    assert said(guarded, "label", "pod", "held", "-n", "plain", "app=other") == ""  # others are not held to it
    (node,) = guarded.ready_nodes()
    assert said(guarded, "annotate", "node", node, OPERATOR, "berth.dev/models=[]") == ""
    assert said(guarded, "annotate", "node", node, OPERATOR, "berth.dev/models-") == ""
    assert "PatchRefused" in said(guarded, "annotate", "node", node, OPERATOR, "other=x")
    assert "PatchRefused" in said(guarded, "label", "node", node, OPERATOR, "zone=x")
    cordon = '--patch={"spec":{"unschedulable":true}}'
    assert "PatchRefused" in said(guarded, "patch", "node", node, OPERATOR, cordon)
    assert said(guarded, "annotate", "node", node, "other=x") == ""
    assert "PatchRefused" in said(guarded, "annotate", "node", node, OPERATOR, "other-")


def test_approving_a_plan_needs_a_verb_of_its_own(guarded: Cluster) -> None:
    rule = ("--resource=packingplans.berth.dev",)
    guarded.kubectl("create", "clusterrole", "plans", "--verb=create,get,patch", *rule)
    guarded.kubectl("create", "clusterrole", "approver", "--verb=approve", *rule)
    guarded.kubectl("create", "clusterrolebinding", "plans", "--clusterrole=plans", "--user=eve", "--user=ada")
    guarded.kubectl("create", "clusterrolebinding", "approver", "--clusterrole=approver", "--user=ada")
    proposed = plan_of_one_step("proposed")
    proposed["spec"]["approved"] = False
    guarded.create(proposed)
    approve = ("patch", "packingplan", "proposed", "--type=merge", '--patch={"spec":{"approved":true}}')
    assert "ApprovalRefused" in said(guarded, *approve, "--as=eve")
    assert "ApprovalRefused" in said(
        guarded, "create", "-f", "-", "--as=eve", given=json.dumps(plan_of_one_step("own") | _approved(proposed))
    )
    assert said(guarded, *approve, "--as=ada") == ""
    cancel = ("patch", "packingplan", "proposed", "--type=merge", '--patch={"spec":{"cancelled":true}}')
    assert said(guarded, *cancel, "--as=eve") == ""  # stopping one needs no such right
    own = json.dumps({**proposed, "metadata": {"name": "automatic"}} | _approved(proposed))
    assert said(guarded, "create", "-f", "-", OPERATOR, given=own) == ""


def _approved(plan: Json) -> Json:
    return {"spec": {**plan["spec"], "approved": True}}


def test_a_namespace_opts_in(guarded: Cluster) -> None:
    plain = pod("web", namespace="opted")
    assert scheduler_of(guarded, plain) == "berth"
    elsewhere = {**plain, "metadata": {"name": "web", "namespace": "plain"}}
    assert scheduler_of(guarded, elsewhere) == "default-scheduler"
    assert scheduler_of(guarded, pod("web", namespace="opted", scheduler="other")) == "other"
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u", "controller": True}
    daemon = {**plain, "metadata": {"name": "web", "namespace": "opted", "ownerReferences": [owner]}}
    assert scheduler_of(guarded, daemon) == "default-scheduler"
    placed = {**plain, "spec": {**plain["spec"], "nodeName": "node-0"}}
    assert scheduler_of(guarded, placed) == "default-scheduler"


def test_policies_are_compiled_without_a_complaint_and_go_with_the_release(guarded: Cluster) -> None:
    """Last: it uninstalls. The controller's type checks find misspelt fields, which fail open at run time."""
    policies = json.loads(guarded.kubectl("get", "validatingadmissionpolicies", "-o", "json"))["items"]
    assert {p["metadata"]["name"] for p in policies} >= {"berth-pods", "berth-operator-patches", "berth-approval"}
    for policy in policies:
        warnings = policy.get("status", {}).get("typeChecking", {}).get("expressionWarnings", [])
        assert warnings == [], policy["metadata"]["name"]
    codes = set(Reason)
    for policy in policies:
        for rule in policy["spec"]["validations"]:
            assert rule["message"].split(":")[0] in codes | {Code.TOO_LONG.value}
    with Config(kubeconfig_path=guarded.kubeconfig, namespace=SYSTEM_NAMESPACE) as helm:
        helm.uninstall("berth", timeout=60)
    kinds = "validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingadmissionpolicies,mutatingadmissionpolicybindings"
    assert guarded.kubectl("get", kinds, "-l", "app.kubernetes.io/name=berth", "-o", "name") == ""
