"""`berth doctor`: what it says of an installation that works, and of one that does not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from .command import Here
from .live_cluster import API, LEASES, Json, LiveCluster, lease

DEPLOYMENTS = "/apis/apps/v1/namespaces/berth-system/deployments"
PODS = "/api/v1/namespaces/berth-system/pods"


def deployment(available: int, *, observed: int = 2) -> Json:
    status = {"type": "Available", "status": "True" if available else "False", "message": "too few"}
    return {
        "metadata": {"name": "d", "generation": 2},
        "status": {
            "observedGeneration": observed,
            "replicas": 2,
            "availableReplicas": available,
            "conditions": [status],
        },
    }


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    cluster = LiveCluster(tmp_path)
    kinds = ("LLMService", "PackingPlan", "PackingPolicy")
    cluster.answers[API] = {"kind": "APIResourceList", "resources": [{"kind": kind} for kind in kinds]}
    for name in ("berth-scheduler", "berth-operator"):
        cluster.answers[f"{DEPLOYMENTS}/{name}"] = deployment(2)
        cluster.answers[f"{LEASES}/{name}"] = lease(name)
    with cluster.serving() as serving:
        yield serving


@pytest.fixture
def door() -> Iterator[HTTPServer]:
    """A pod's health: /readyz answers 200 or, once `ready` is False, 503 with a word."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fine = self.path == "/readyz" and getattr(self.server, "ready", True)
            self.send_response(200 if fine else 503)
            self.end_headers()
            self.wfile.write(b"ok" if fine else b"cache not filled")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def pod(name: str, port: int, *, ip: str = "127.0.0.1", container: str = "operator") -> Json:
    ports = [{"name": "http", "containerPort": port}]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": container, "ports": ports}]},
        "status": {"podIP": ip},
    }


def test_all_is_well(here: Here, cluster: LiveCluster, door: HTTPServer) -> None:
    cluster.answers[PODS] = [pod("operator-a", door.server_port)]
    ended = here("doctor", "--kubeconfig", cluster.kubeconfig, "--ask-pods")
    assert ended.code == 0, ended.out + ended.err
    assert [line[:4] for line in ended.lines] == ["ok  "] * 6
    assert "operator in operator-a: ready" in ended.out


def test_each_thing_that_is_wrong_has_its_reason(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[API] = {"resources": [{"kind": "PackingPlan"}]}
    cluster.answers[f"{DEPLOYMENTS}/berth-scheduler"] = deployment(0)
    del cluster.answers[f"{DEPLOYMENTS}/berth-operator"]
    cluster.answers[f"{LEASES}/berth-scheduler"] = lease("berth-scheduler", holder="")
    cluster.answers[f"{LEASES}/berth-operator"] = lease("berth-operator", renewed_ago=100)
    ended = here("doctor", "--kubeconfig", cluster.kubeconfig, "-o", "json")
    assert ended.code == 1
    reasons = [check["reason"] for check in json.loads(ended.out)["checks"]]
    assert reasons == ["KindsNotServed", "DeploymentUnavailable", "NotInstalled", "NoScheduler", "NoLeader"]
    assert "not served: LLMService, PackingPolicy" in ended.out


def test_a_rollout_that_was_not_taken_up_yet_is_not_well(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{DEPLOYMENTS}/berth-operator"] = deployment(2, observed=1)
    assert here("doctor", "--kubeconfig", cluster.kubeconfig).code == 1


def test_a_pod_that_is_not_ready_is_named(here: Here, cluster: LiveCluster, door: HTTPServer) -> None:
    door.ready = False  # type: ignore[attr-defined]
    pods = [pod("a", door.server_port), pod("b", 1), pod("c", 8080, ip=""), pod("other", 8080, container="mine")]
    cluster.answers[PODS] = pods
    ended = here("doctor", "--kubeconfig", cluster.kubeconfig, "--ask-pods")
    assert ended.code == 1
    said = ended.lines[-3:]
    assert all("PodNotReady" in line for line in said)
    assert "operator in a: PodNotReady: answers 503: cache not filled" in said[0]
    assert "does not answer at http://127.0.0.1:1/readyz" in said[1]
    assert "has no address yet" in said[2]


def test_no_pod_at_all_is_not_well(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[PODS] = []
    assert here("doctor", "--kubeconfig", cluster.kubeconfig, "--ask-pods").code == 1


def test_it_waits_until_all_is_well(here: Here, cluster: LiveCluster) -> None:
    """A clock that is off counts as well: who renews is alive."""
    path = f"{LEASES}/berth-operator"
    cluster.answers[path] = lease("berth-operator", renewed_ago=3000)
    later = threading.Timer(1.0, lambda: cluster.answers.update({path: lease("berth-operator", renewed_ago=2990)}))
    later.start()
    ended = here("doctor", "--kubeconfig", cluster.kubeconfig, "--wait", "20s")
    assert ended.code == 0, ended.out


def test_a_cluster_that_does_not_answer_is_no_failed_check(here: Here, cluster: LiveCluster, tmp_path: Path) -> None:
    config = json.loads(cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:1"
    (tmp_path / "nobody").write_text(json.dumps(config))
    ended = here("doctor", "--kubeconfig", tmp_path / "nobody")
    assert ended.code == 3
    assert "FAIL" not in ended.out
