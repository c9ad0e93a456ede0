"""Each rule of our custom resources, said by a real API server: what it takes, what it refuses and in which words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from berth_api.crds import DEFINITIONS
from berth_e2e.api_client import RequestError
from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for

PLANS = "/apis/berth.dev/v1alpha1/packingplans"
POLICIES = "/apis/berth.dev/v1alpha1/packingpolicies"
PATCH = "application/merge-patch+json"
MANY = 1_000

Json = dict[str, Any]


def policy(**spec: object) -> Json:
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "p"}, "spec": spec}


def plan(moves: int = 1) -> Json:
    owner = {"namespace": "default", "kind": "ReplicaSet", "name": "llama-7d9c6b5f4", "uid": "u" * 36}
    request = {"cpu": 4000, "memory": 34359738368, "nvidia.com/gpu": 2, "pods": 1}

    def step(i: int) -> Json:
        leaves = {"pod": f"default/llama-7d9c6b5f4-{i:05}", "uid": f"{i:036}", "workload": owner, "priority": 1000}
        goes = {"workload": owner, "priority": 1000, "node": f"gpu-pool-a100-{i:04}", "count": 1, "requests": request}
        leaves |= {"node": f"gpu-pool-a100-{i:04}", "target": f"gpu-pool-a100-{i + 1:04}", "requests": request}
        return {"evictions": [leaves], "placements": [goes]}

    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "PackingPlan",
        "metadata": {"name": "plan-rules"},
        "spec": {
            "trigger": "Person",
            "summary": "1 waiting pod placed by 1 move",
            "deadline": "2099-01-01T00:00:00Z",
            "certificate": {
                "tiers": [],
                "disruption": {"moves": 1, "evictions": 0, "value": 1, "bound": 1, "certificate": "Optimal"},
                "verified": True,
                "solveSeconds": 0.1,
            },
            "snapshot": {"taken": "2026-01-01T00:00:00Z"},
            "waves": [{"steps": [step(i)]} for i in range(moves)],
        },
    }


def refusal(cluster: Cluster, method: str, path: str, body: Json, content_type: str = "application/json") -> str:
    with pytest.raises(RequestError) as refused:
        cluster.api.request(method, path, body, content_type)
    assert refused.value.status == 422
    return str(refused.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"scope": {"minPriority": 5, "maxPriority": 3}}, "the scope holds no pod"),
        ({"budgets": {"movesPerPlan": 1_001}}, "less than or equal to 1000"),
        ({"budgets": {"quietHours": [{"from": "01:00", "to": "01:00"}]}}, "give them a length"),
        ({"budgets": {"quietHours": [{"from": "25:00", "to": "01:00"}]}}, "spec.budgets.quietHours[0].from"),
        ({"planDeadlineSeconds": 30, "timeBudgetSeconds": 100}, "must be longer than timeBudgetSeconds"),
        ({"mode": "Sometimes"}, '"Automatic", "Manual", "DryRun"'),
        ({"budgets": {"movesPerPlan": -1}}, "greater than or equal to 0"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_in_words(cluster: Cluster, spec: Json, words: str) -> None:
    assert words in refusal(cluster, "POST", POLICIES, policy(**spec))


def test_all_moves_can_be_stopped_with_one_change(cluster: Cluster) -> None:
    """The brake that somebody reaches for at night must not be refused for another field's default."""
    cluster.api.request("POST", POLICIES, policy())
    made = cluster.api.request("PATCH", f"{POLICIES}/p", {"spec": {"budgets": {"movesPerHour": 0}}}, PATCH)
    assert made["spec"]["budgets"] == {**made["spec"]["budgets"], "movesPerHour": 0, "movesPerPlan": 50}


def test_a_policy_shows_the_defaults_that_hold(cluster: Cluster) -> None:
    made = cluster.api.request("POST", POLICIES, policy(scope={"minPriority": 3, "maxPriority": 3}))
    assert made["spec"]["mode"] == "Automatic"
    assert made["spec"]["budgets"]["movesPerPlan"] == 50
    assert made["spec"]["scope"] == {"namespaces": [], "nodeSelector": {}, "minPriority": 3, "maxPriority": 3}


@pytest.mark.parametrize(
    "change",
    [
        {"waves": []},
        {"deadline": "2100-01-01T00:00:00Z"},
        {"summary": "another"},
        {"policy": "another"},
        {"trigger": "Period"},
        {"snapshot": {"fingerprint": "another"}},
        {"certificate": {"verified": False}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_was_proven_cannot_be_changed(cluster: Cluster, change: Json) -> None:
    cluster.api.request("POST", PLANS, plan())
    said = refusal(cluster, "PATCH", f"{PLANS}/plan-rules", {"spec": change}, PATCH)
    assert f"spec.{next(iter(change))} cannot change" in said


def test_a_plan_is_approved_and_cancelled_once_and_for_all(cluster: Cluster) -> None:
    cluster.api.request("POST", PLANS, plan())
    path = f"{PLANS}/plan-rules"
    assert cluster.api.request("PATCH", path, {"spec": {"approved": True}}, PATCH)["spec"]["approved"]
    said = refusal(cluster, "PATCH", path, {"spec": {"approved": False}}, PATCH)
    assert "set spec.cancelled: true instead" in said
    assert cluster.api.request("PATCH", path, {"spec": {"cancelled": True}}, PATCH)["spec"]["cancelled"]
    assert "make another plan" in refusal(cluster, "PATCH", path, {"spec": {"cancelled": False}}, PATCH)


@pytest.mark.slow
def test_a_plan_of_a_thousand_moves_fits(cluster: Cluster) -> None:
    cluster.api.request("POST", PLANS, plan(MANY))
    steps = [{"wave": i, "step": 0, "state": "Done", "evicted": 1, "placed": 1} for i in range(MANY)]
    records = [
        {"pod": f"default/llama-7d9c6b5f4-{i:05}", "uid": "u" * 36, "workload": "w" * 60, "at": "2026-01-01T00:00:00Z"}
        for i in range(MANY)
    ]
    status = {"status": {"steps": steps, "evictions": records}}
    stored = cluster.api.request("PATCH", f"{PLANS}/plan-rules/status", status, PATCH)
    assert len(stored["spec"]["waves"]) == len(stored["status"]["evictions"]) == MANY
    # comparing all of the old spec with the new one stays within what a rule may cost
    approved = cluster.api.request("PATCH", f"{PLANS}/plan-rules", {"spec": {"approved": True}}, PATCH)
    assert approved["spec"]["approved"]
    assert "waves cannot change" in refusal(cluster, "PATCH", f"{PLANS}/plan-rules", {"spec": {"waves": []}}, PATCH)


@pytest.mark.slow
def test_an_operator_that_takes_up_a_plan_of_a_thousand_moves_goes_on_leading(berth_cluster: Cluster) -> None:
    operator = berth_cluster.processes["operator-0"]
    lost = operator.log_text().count("leadership lost")
    berth_cluster.api.request("POST", PLANS, plan(MANY))
    berth_cluster.api.request("PATCH", f"{PLANS}/plan-rules", {"spec": {"approved": True}}, PATCH)

    def outcome() -> str:
        conditions = berth_cluster.api.get(f"{PLANS}/plan-rules").get("status", {}).get("conditions", [])
        return next((c["reason"] for c in conditions if c["type"] == "Finished"), "")

    assert wait_for("the end of a plan of pods that are not there", outcome, 20.0) == "Expired"
    assert operator.log_text().count("leadership lost") == lost


def test_one_more_is_refused(cluster: Cluster) -> None:
    body = copy.deepcopy(plan())
    body["spec"]["waves"] *= MANY + 1
    assert "must have at most 1000 items" in refusal(cluster, "POST", PLANS, body)


def test_the_server_takes_the_definitions_and_explains_them(cluster: Cluster) -> None:
    for of in DEFINITIONS:
        crd = cluster.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{of.plural}.berth.dev")
        conditions = {c["type"]: c["status"] for c in crd["status"]["conditions"]}
        assert conditions["Established"] == "True"
        assert "NonStructuralSchema" not in conditions
    assert "what is proven" in cluster.kubectl("explain", "packingplan.spec.certificate").lower()
