"""What a cluster answers to `kubectl get --raw`, path by path: enough for commands that look before they act."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
API = "/apis/berth.dev/v1alpha1"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases"

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


def moment(seconds_ago: float = 0.0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat().replace("+00:00", "Z")


def lease(name: str, *, renewed_ago: float = 1.0, holder: str = "one", plans: tuple[str, ...] = ()) -> Json:
    annotations = {"berth.dev/plans": json.dumps(plans)} if plans else {}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"holderIdentity": holder, "renewTime": moment(renewed_ago), "leaseDurationSeconds": 15},
    }


def plan(name: str, *, policy: str = "", trigger: str = "Unschedulable", phase: str = "", **spec: object) -> Json:
    conditions = []
    if phase:
        conditions = [{"type": "Finished", "status": "True", "reason": phase, "lastTransitionTime": moment()}]
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": moment(60)},
        "spec": {
            "policy": policy,
            "trigger": trigger,
            "summary": "1 waiting pod placed by 1 move",
            "deadline": moment(-600),
            "certificate": {
                "tiers": [],
                "disruption": {"moves": 1, "evictions": 0, "value": 1, "bound": 1, "certificate": "Optimal"},
                "verified": True,
                "solveSeconds": 0.1,
            },
            "snapshot": {"taken": moment()},
            "waves": [],
            **spec,
        },
        "status": {"phase": phase, "conditions": conditions},
    }


def policy(name: str, **spec: object) -> Json:
    return {"metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": moment(60)}, "spec": spec}


def alive() -> list[Json]:
    return [lease("berth-operator"), lease("berth-scheduler"), lease("berth-extender-a")]


class LiveCluster:
    """`answers`: path without query to what is answered; a list becomes a Kubernetes list. Everything else is not found."""

    def __init__(self, folder: Path) -> None:
        self.answers: dict[str, Json | list[Json]] = {
            API: {"kind": "APIResourceList"},
            f"{API}/packingplans": [],
            f"{API}/packingpolicies": [],
            "/api/v1/pods": [],
            LEASES: alive(),
        }
        self.forbidden: set[str] = set()
        self.kubeconfig = folder / "kubeconfig"

    @contextmanager
    def serving(self) -> Iterator[LiveCluster]:
        answers, forbidden = self.answers, self.forbidden

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                found = answers.get(path)
                code = 200 if found is not None else 404
                if isinstance(found, list):
                    found = {"items": found}
                gone = {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "reason": "NotFound",
                    "message": "no such thing",
                    "code": 404,
                }
                if path in forbidden:
                    code, found = 403, {**gone, "reason": "Forbidden", "message": f"{path} is forbidden", "code": 403}
                data = json.dumps(found if found is not None else gone).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's word)
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u", "namespace": "serving"}}],
                    "current-context": "test",
                }
            )
        )
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
