"""Replicas by load with KEDA's own operator and metrics server, and the real HorizontalPodAutoscaler controller; only what Prometheus
answers is the test's own. Slow, and only where KEDA has been built (five minutes), of which BERTH_KEDA names the folder:

    go mod download -json github.com/kedacore/keda/v2@v2.18.1      # tells the folder; in a copy of it:
    go build -o $BERTH_KEDA/keda-operator ./cmd/operator
    go build -o $BERTH_KEDA/keda-adapter ./cmd/adapter
    cp -r config/crd/bases $BERTH_KEDA/crds
"""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.custom_metrics import registration
from berth_e2e.ports import claim_port, give_back
from berth_e2e.process import LocalProcess
from berth_e2e.scaled_service import (
    AUTOSCALERS,
    LLAMA,
    SCALED_OBJECTS,
    answering,
    ask_at_gateway,
    condition,
    llm_service,
    replicas_seen,
    wait_until,
)

BUILT = Path(os.environ.get("BERTH_KEDA", "/nowhere"))
PORTS = ("metrics", "health", "grpc", "adapter", "adapter-metrics")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (BUILT / "keda-operator").exists(), reason="KEDA has not been built: BERTH_KEDA"),
]


class Prometheus:
    """Answers every query with `value`; None: with nothing, as when it has lost the pods."""

    def __init__(self) -> None:
        self.value: float | None = 0.0
        self.queries: set[str] = set()
        told = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                told.queries.add(parse_qs(urlsplit(self.path).query)["query"][0])
                result = [] if told.value is None else [{"metric": {}, "value": [time.time(), str(told.value)]}]
                body = {"status": "success", "data": {"resultType": "vector", "result": result}}
                data = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


def keda(cluster: Cluster, ports: dict[str, int]) -> list[LocalProcess]:
    """Its operator and its metrics server, not started; they end with the cluster at the latest."""
    state = cluster.state.folder
    certificates = state / "keda-certificates"
    certificates.mkdir()
    for of, name in (("admin.crt", "tls.crt"), ("admin.key", "tls.key"), ("ca.crt", "ca.crt")):
        shutil.copy(cluster.state.kwok_folder / "pki" / of, certificates / name)
    config = str(cluster.kubeconfig)
    env = {
        "POD_NAMESPACE": "keda",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda",
        "WATCH_NAMESPACE": "",
        "KUBECONFIG": config,
    }

    def process(name: str, *flags: str) -> LocalProcess:
        argv = [str(BUILT / name), f"--kubeconfig={config}", f"--cert-dir={certificates}", *flags]
        return LocalProcess(name, argv, state, state / "logs" / f"{name}.log", state / "pids" / name, env)

    local = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    return [
        process(
            "keda-operator",
            f"--metrics-bind-address={local['metrics']}",
            f"--health-probe-bind-address={local['health']}",
            f"--metrics-service-bind-address={local['grpc']}",
            "--enable-webhook-patching=false",
        ),
        process(
            "keda-adapter",
            *(f"--{use}-kubeconfig={config}" for use in ("authentication", "authorization", "lister")),
            "--bind-address=127.0.0.1",
            f"--secure-port={ports['adapter']}",
            f"--port={ports['adapter-metrics']}",
            f"--metrics-service-address=localhost:{ports['grpc']}",
            f"--tls-cert-file={certificates}/tls.crt",
            f"--tls-private-key-file={certificates}/tls.key",
        ),
    ]


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    made = Prometheus()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def with_keda(binaries: Path, prometheus: Prometheus) -> Iterator[Cluster]:
    chance = random.Random()
    ports = {name: claim_port(chance) for name in PORTS}
    with Cluster.start(f"keda-{os.getpid()}", nodes=2) as cluster:
        controllers = cluster.processes["kube-controller-manager"]
        controllers.argv += ["--horizontal-pod-autoscaler-sync-period=2s"]
        controllers.restart()
        files = [argument for path in sorted((BUILT / "crds").glob("*.yaml")) for argument in ("-f", str(path))]
        cluster.kubectl("apply", "--server-side", *files)
        cluster.kubectl("create", "namespace", "keda")
        processes = keda(cluster, ports)
        for process in processes:
            process.start()
        api = registration("keda", "external.metrics.k8s.io", "v1beta1", ports["adapter"])
        cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(api))
        cluster.add_berth(Berth(pairs=1, operator_flags=("--prometheus-url", prometheus.url)))
        yield cluster
        for process in processes:
            process.stop()
    give_back(list(ports.values()))


def test_keda_scales_above_one_and_the_operator_alone_below(with_keda: Cluster, prometheus: Prometheus) -> None:
    cluster = with_keda
    cluster.api.create(llm_service({"target": 4}))
    wait_until(cluster, "by load", lambda: condition(cluster)[:2] == ("True", "ScalingByLoad"))
    prometheus.value = 12
    wait_until(cluster, "three answer", answering(cluster, 3))
    with replicas_seen(cluster) as seen:
        prometheus.value = None
        wait_until(cluster, "told", lambda: condition(cluster)[:2] == ("False", "MetricUnavailable"))
        time.sleep(10)
    assert seen == [3], "a Prometheus that lost the pods takes none away"
    prometheus.value = 0
    wait_until(cluster, "one answers", answering(cluster, 1))

    sleeps = {"min": 0, "max": 4, "target": 4, "stabilizationSeconds": {"down": 6}}
    cluster.api.merge(LLAMA, {"spec": {"autoscaling": sleeps}})
    wait_until(cluster, "asleep", lambda: condition(cluster, "Ready")[1] == "ScaledToZero")
    prometheus.value = 12
    with replicas_seen(cluster) as seen:
        time.sleep(25)  # longer than KEDA's polling interval
    assert seen == [0], "KEDA wakes nobody"
    ask_at_gateway(cluster)
    wait_until(cluster, "three answer", answering(cluster, 3))
    prometheus.value = 0
    wait_until(cluster, "asleep", lambda: condition(cluster, "Ready")[1] == "ScaledToZero")

    cluster.api.merge(LLAMA, {"spec": {"autoscaling": None, "replicas": 3}})
    wait_until(cluster, "three answer", answering(cluster, 3))
    wait_until(cluster, "gone", lambda: not cluster.api.exists(f"{SCALED_OBJECTS}/llama"))
    wait_until(cluster, "with its autoscaler", lambda: not cluster.api.items(AUTOSCALERS))
    prometheus.value = 12
    with replicas_seen(cluster) as seen:
        cluster.api.merge(LLAMA, {"spec": {"replicas": None, "autoscaling": {"max": 4}}})
        wait_until(cluster, "by load", lambda: condition(cluster)[:2] == ("True", "ScalingByLoad"))
        cluster.api.merge(LLAMA, {"spec": {"engine": {"maxBatch": 8}}})
        wait_until(cluster, "the new template", lambda: condition(cluster, "Progressing")[0] == "True")
        wait_until(cluster, "three answer again", lambda: condition(cluster, "Progressing")[1] == "Done")
    assert seen == [3]
    assert prometheus.queries == {
        'sum(vllm:num_requests_waiting{namespace="default",pod=~"llama-[a-z0-9]+-[a-z0-9]+"})'
    }
