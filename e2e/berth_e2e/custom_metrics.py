"""An adapter for custom.metrics.k8s.io, as small as one can be: it tells a gauge of each pod, from wherever the test reads it.

The API server asks it as it asks any adapter (APIService, Service, TLS), and the real HorizontalPodAutoscaler controller asks the
API server. An ExternalName Service leads to this machine's loopback, where no proxy for cluster addresses is needed. It serves what
an autoscaler asks for and nothing else: discovery of v1beta2, and one metric of all pods of a namespace that a selector selects.

    with custom_metrics(cluster, lambda pod, metric: scraped(pod, metric)):
        ...
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for

GROUP, VERSION = "custom.metrics.k8s.io", "v1beta2"
ROOT_PATH = f"/apis/{GROUP}/{VERSION}"
NAME = "berth-e2e-metrics"
SECONDS = 30.0
_METRIC = re.compile(rf"{re.escape(ROOT_PATH)}/namespaces/([^/]+)/pods/\*/([^/]+)")

Gauge = Callable[[dict[str, Any], str], float | None]
"""Of a pod (the object) and a metric's name; None: the pod does not tell it."""


@contextmanager
def custom_metrics(cluster: Cluster, gauge: Gauge) -> Iterator[None]:
    """Registered and asked for by the API server on entry; gone on return."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cluster, gauge))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pki = cluster.state.kwok_folder / "pki"
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    given = yaml.safe_dump_all(registration(NAME, GROUP, VERSION, server.server_address[1]))
    try:
        cluster.kubectl("apply", "-f", "-", given=given)
        path = f"/apis/apiregistration.k8s.io/v1/apiservices/{VERSION}.{GROUP}"

        def available() -> bool:
            conditions = cluster.api.get(path).get("status", {}).get("conditions", [])
            return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)

        wait_for("the custom metrics API", available, SECONDS, seen=lambda: cluster.api.get(path).get("status"))
        yield
    finally:
        cluster.kubectl("delete", "--ignore-not-found", "-f", "-", given=given)
        server.shutdown()
        server.server_close()


def registration(name: str, group: str, version: str, port: int) -> list[dict[str, Any]]:
    """Of an API that a server on this machine's loopback answers for; name: of the Service that leads there."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"{version}.{group}"},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 200,
                "insecureSkipTLSVerify": True,
                "service": {"name": name, "namespace": "kube-system", "port": port},
            },
        },
    ]


def _handler(cluster: Cluster, gauge: Gauge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            found = _METRIC.fullmatch(asked.path.replace("%3A", ":").replace("%2A", "*"))
            if found is not None:
                selector = parse_qs(asked.query).get("labelSelector", [""])[0]
                self._answer(200, _values(cluster, gauge, found[1], selector, found[2]))
            elif asked.path.rstrip("/") == ROOT_PATH:
                self._answer(
                    200,
                    {
                        "kind": "APIResourceList",
                        "apiVersion": "v1",
                        "groupVersion": f"{GROUP}/{VERSION}",
                        "resources": [],
                    },
                )
            else:
                self._answer(
                    404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
                )

        def _answer(self, code: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
            """Nothing: tests say what they saw."""

    return Handler


def _values(cluster: Cluster, gauge: Gauge, namespace: str, selector: str, metric: str) -> dict[str, Any]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = [(pod, gauge(pod, metric)) for pod in cluster.pods(selector, namespace=namespace)]
    return {
        "kind": "MetricValueList",
        "apiVersion": f"{GROUP}/{VERSION}",
        "metadata": {},
        "items": [
            {
                "describedObject": {
                    "kind": "Pod",
                    "namespace": namespace,
                    "name": pod["metadata"]["name"],
                    "apiVersion": "/v1",
                },
                "metric": {"name": metric},
                "timestamp": now,
                "value": f"{round(value * 1_000)}m",
            }
            for pod, value in told
            if value is not None
        ],
    }
