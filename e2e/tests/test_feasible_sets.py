"""The simulated stock scheduler's filters against the real one's: the same nodes for the same pod in the same cluster.

The real scheduler says what it finds feasible to an extender: one that passes every node and writes down what it was offered.
Cases stand side by side in one cluster (`random_clusters`), so that 200 of them take a minute and not an hour.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.objects import FAKE_NODE
from berth_e2e.waiting import wait_for
from berth_extender.kube_scheduler import configuration
from berth_planner.stock_scheduler import feasible

CASES = 200
QUICK_CASES = 50
AT_ONCE = 50
SEED = 4
SCHEDULER = "recorded"
SETTLED_WITHIN = 120.0


def _generator() -> ModuleType:
    file = Path(__file__).parents[2] / "tests" / "planner" / "random_clusters.py"
    spec = importlib.util.spec_from_file_location("random_clusters", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def recorder() -> Iterator[tuple[str, dict[str, set[str]]]]:
    """URL of an extender that passes everything; pod name to the nodes it was offered."""
    offered: dict[str, set[str]] = {}

    class Recorder(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            offered[asked["Pod"]["metadata"]["name"]] = set(asked["NodeNames"])
            answer = json.dumps({"NodeNames": asked["NodeNames"], "FailedNodes": {}, "Error": ""}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it so)
            """Not onto stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", offered
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [QUICK_CASES, pytest.param(CASES, marks=pytest.mark.slow)])
def test_the_simulated_feasible_nodes_are_the_real_schedulers(cluster: Cluster, count: int) -> None:
    clusters = _generator()
    draw = random.Random(SEED)
    with recorder() as (url, offered):
        settings = configuration(
            extender_url=url,
            kubeconfig=str(cluster.scheduler_kubeconfig()),
            leader_elect=False,
            scheduler_name=SCHEDULER,
        )
        for verb in ("prioritizeVerb", "preemptVerb", "weight"):
            del settings["extenders"][0][verb]
        settings["extenders"][0]["ignorable"] = False
        cluster.add_scheduler("recorded-scheduler", settings)
        differing = []
        feasible_nodes = 0
        try:
            for begin in range(0, count, AT_ONCE):
                cases = [clusters.random_case(draw, f"{begin + i}", SCHEDULER) for i in range(AT_ONCE)]
                _stand(cluster, cases)
                cluster.create(*(case.pod for case in cases))
                _settled(cluster, {case.pod["metadata"]["name"] for case in cases})
                for case in cases:
                    expected = feasible(*clusters.snapshot_of(case))
                    found = offered.get(case.pod["metadata"]["name"], set())
                    feasible_nodes += len(found)
                    if found != expected:
                        differing.append((case.suffix, f"real {sorted(found)}, simulated {sorted(expected)}", case.pod))
                cluster.clear()
        finally:
            cluster.remove_scheduler("recorded-scheduler")
    assert not differing
    assert feasible_nodes > count  # the cases are no empty ones


def _stand(cluster: Cluster, cases: list) -> None:  # type: ignore[type-arg]
    """Nodes ready and untainted but by their case, pods bound to them."""
    names = set()
    for case in cases:
        for node in case.nodes:
            node["metadata"]["annotations"] = {FAKE_NODE: "fake", "node.alpha.kubernetes.io/ttl": "0"}
            names.add(node["metadata"]["name"])
    cluster.create(*(node for case in cases for node in case.nodes))
    wait_for("all nodes ready", lambda: names <= set(cluster.ready_nodes()), SETTLED_WITHIN)

    def untainted() -> bool:
        taints = (t for n in cluster.api.items("/api/v1/nodes") for t in n["spec"].get("taints") or [])
        return not any(t["key"] == "node.kubernetes.io/not-ready" for t in taints)

    wait_for("no node tainted as not ready", untainted, SETTLED_WITHIN)
    cluster.create(*(pod for case in cases for pod in case.pods))


def _settled(cluster: Cluster, names: set[str]) -> None:
    """Each of the pods is bound or was found unschedulable."""

    def settled() -> bool:
        pods = [p for p in cluster.api.items("/api/v1/pods") if p["metadata"]["name"] in names]
        conditions = (c for p in pods for c in p["status"].get("conditions") or [])
        return sum(c["type"] == "PodScheduled" for c in conditions) == len(names)

    wait_for("every case's pod scheduled or found unschedulable", settled, SETTLED_WITHIN)
