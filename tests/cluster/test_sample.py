"""A small cluster with its objects whole, as the API reference describes them: every field read, every other passed over."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth_api.reasons import Reason
from berth_cluster.dump import read_dumps
from berth_cluster.matching import node_matches, selector_matches
from berth_cluster.snapshot import (
    HostPort,
    LabelSelector,
    NodeTerm,
    Operator,
    Pod,
    PodTerm,
    PreferredNodeTerm,
    Requirement,
    Snapshot,
    SpreadTerm,
    WorkloadKey,
)

ZONE = "topology.kubernetes.io/zone"
APP_IS_CHAT = Requirement("app", Operator.IN, ("chat",))


@pytest.fixture(scope="module")
def sample() -> Snapshot:
    return read_dumps([Path(__file__).parent / "samples" / "cluster.json"])


def named(sample: Snapshot, start: str) -> Pod:
    return next(p for p in sample.pods if p.name.startswith(start))


def test_nothing_in_it_is_odd(sample: Snapshot) -> None:
    assert sample.warnings == ()
    assert [n.name for n in sample.nodes] == ["cpu-b-0", "gpu-a-0"]
    assert [p.namespace for p in sample.pods] == ["kube-system", "llm", "research"]
    assert sample.priority_classes == {"serving": 100000}


def test_the_nodes(sample: Snapshot) -> None:
    lost, gpu = sample.nodes
    assert gpu.amounts == {
        "cpu": 95690,
        "ephemeral-storage": 1768714264729,
        "hugepages-1Gi": 0,
        "hugepages-2Mi": 0,
        "memory": 1390587652 * 1024,
        "nvidia.com/gpu": 8,
        "pods": 110,
    }
    assert (gpu.ready, gpu.unschedulable) == (True, False)
    assert (lost.ready, lost.unschedulable, len(lost.taints)) == (False, True, 3)


def test_the_serving_pod(sample: Snapshot) -> None:
    chat = named(sample, "chat")
    assert chat.workload == WorkloadKey("llm", "LLMService", "chat", "11111111-0000-4000-8000-000000000003")
    assert dict(chat.spec.requests) == {
        "cpu": 26_000 + 50 + 100,  # being resized from 26 to 24 cores, with its sidecar
        "memory": 300 * 2**30 + 128 * 2**20,  # fetching the weights needs the most, beside the sidecar
        "nvidia.com/gpu": 4,
        "pods": 1,
    }
    assert (chat.priority, chat.priority_class, chat.scheduler, chat.node) == (100000, "serving", "berth", "gpu-a-0")
    assert chat.is_movable
    assert chat.hint.startswith("close to")
    products = Requirement("nvidia.com/gpu.product", Operator.IN, ("NVIDIA-A100-SXM4-80GB", "NVIDIA-H100-80GB-HBM3"))
    assert chat.spec.node_affinity == (NodeTerm((products,)),)
    not_there = NodeTerm((Requirement(ZONE, Operator.NOT_IN, ("eu-1b",)),))
    assert chat.spec.preferred_nodes == (PreferredNodeTerm(50, not_there),)
    apart = PodTerm(LabelSelector((APP_IS_CHAT,)), "kubernetes.io/hostname", frozenset({"llm"}))
    assert chat.spec.anti_affinity == (apart,)
    same_revision = Requirement("pod-template-hash", Operator.IN, ("6c9fbd8b7d",))
    assert chat.spec.spread == (SpreadTerm(1, ZONE, LabelSelector((APP_IS_CHAT, same_revision))),)
    assert chat.spec.ports == (HostPort(9400),)
    assert chat.spec.volume_nodes == ((NodeTerm((Requirement(ZONE, Operator.IN, ("eu-1a",)),)),),)
    assert chat.spec.unmodelled == ()


def test_the_training_pod(sample: Snapshot) -> None:
    training = named(sample, "finetune")
    assert (training.gated, training.is_pending, training.is_movable) == (True, False, True)
    assert training.preemption_policy == "Never"
    assert training.workload.kind == "Job"
    assert dict(training.spec.requests) == {
        "cpu": 16_250,
        "memory": 200 * 10**9 + 120 * 2**20,
        "nvidia.com/gpu": 8,
        "pods": 1,
    }


def test_the_mirror_pod(sample: Snapshot) -> None:
    proxy = named(sample, "kube-proxy")
    assert proxy.immovable == (Reason.MIRROR_POD,)
    assert proxy.workload.kind == "Pod"
    assert proxy.spec.ports == (HostPort(10256),)


def test_the_budget(sample: Snapshot) -> None:
    (budget,) = sample.budgets
    assert budget.disruptions_allowed == 1
    assert selector_matches(budget.selector, dict(named(sample, "chat").spec.labels))


def test_who_fits_where(sample: Snapshot) -> None:
    lost, gpu = sample.nodes
    assert node_matches(named(sample, "chat").spec, gpu) is None
    assert node_matches(named(sample, "chat").spec, lost) is Reason.NODE_NOT_READY
    assert node_matches(named(sample, "finetune").spec, gpu) is Reason.UNTOLERATED_TAINT
