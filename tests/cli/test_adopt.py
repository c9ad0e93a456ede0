"""`kubectl berth adopt`: says what will happen before anything does, and refuses what could not work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .command import Here
from .live_cluster import LEASES, Json, LiveCluster, alive, lease, needs_kubectl

APPS = "/apis/apps/v1/namespaces/serving"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    with LiveCluster(tmp_path).serving() as serving:
        yield serving


def workload(scheduler: str = "default-scheduler", *, metadata: Json | None = None, **spec: Any) -> Json:
    template = {"metadata": {}, "spec": {"schedulerName": scheduler}}
    return {"metadata": {"uid": "u", **(metadata or {})}, "spec": {"replicas": 3, "template": template, **spec}}


@needs_kubectl
@pytest.mark.parametrize(
    ("target", "spec", "words"),
    [
        (
            "deployments/llama",
            {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}},
            "needs room beside the old ones",
        ),
        ("deployments/llama", {"strategy": {"type": "Recreate"}}, "the service is down meanwhile"),
        ("deployments/llama", {"paused": True}, "nothing happens before `kubectl rollout resume`"),
        ("deployments/llama", {}, "A rollout does not ask PodDisruptionBudgets"),
        ("statefulsets/llama", {"updateStrategy": {"type": "OnDelete"}}, "when somebody deletes them"),
        ("statefulsets/llama", {"updateStrategy": {"rollingUpdate": {"partition": 2}}}, "partition 2"),
        ("replicasets/llama", {}, "only pods that it creates from now on"),
        ("deployments/llama", {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}, "Helm manages it"),
    ],
)
def test_it_says_what_will_happen(here: Here, cluster: LiveCluster, target: str, spec: Json, words: str) -> None:
    cluster.answers[f"{APPS}/{target}"] = workload(**spec)
    ended = here("adopt", target, "--dry-run", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 0, ended.err
    assert "schedulerName default-scheduler -> berth" in ended.out
    assert words in ended.out
    assert ended.out.endswith("Nothing was changed (--dry-run).\n")


@needs_kubectl
def test_what_another_controller_owns_is_adopted_there(here: Here, cluster: LiveCluster) -> None:
    owner = {"kind": "Deployment", "name": "llama", "controller": True}
    cluster.answers[f"{APPS}/replicasets/llama-1"] = workload(metadata={"ownerReferences": [owner]})
    ended = here("adopt", "rs/llama-1", "--yes", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 2
    assert "kubectl berth adopt deployment/llama -n serving" in ended.err


@needs_kubectl
def test_pods_are_not_sent_to_a_scheduler_that_is_not_there(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{APPS}/deployments/llama"] = workload()
    cluster.answers[LEASES] = [lease("berth-scheduler", renewed_ago=90), *(x for x in alive() if "extender" in str(x))]
    ended = here("adopt", "deploy/llama", "--yes", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 2
    assert "NoScheduler" in ended.err
    assert "--force" in ended.err


@needs_kubectl
def test_a_job_is_refused_with_the_way_round(here: Here, cluster: LiveCluster) -> None:
    for target in ("job/train", "pod/train-0"):
        ended = here("adopt", target, "--kubeconfig", cluster.kubeconfig)
        assert ended.code == 2
        assert "set schedulerName: berth before creating it" in ended.err
