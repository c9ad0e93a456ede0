"""An LLMService that serves our tiny model with our real engine on real nodes, and what asks it.

The node's image has Python alone; torch and the engine come from this checkout, mounted read-only.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from typing import Any

from berth_e2e.cluster import Cluster
from berth_e2e.real_node.image import IMAGE
from berth_e2e.real_node.node import LABEL
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for

PACKAGES = next((ROOT / ".venv-engine" / "lib").glob("python3*/site-packages"), None)
SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
OF_TINY = "berth.dev/llm-service=tiny"
SECONDS = 150.0
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1")
"""Which torch's wheel expects of the system."""


def tiny(name: str = "tiny", *, engine: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    mounts = {"packages": str(PACKAGES), "engine-code": str(ROOT / "engine")}
    paths = {"packages": "/opt/packages", "engine-code": "/opt/engine"}
    for number, library in enumerate(LIBRARIES):
        mounts[f"library-{number}"] = os.path.realpath(f"/usr/lib/x86_64-linux-gnu/{library}")
        paths[f"library-{number}"] = f"/opt/lib/{library}"
    asked = {
        "image": IMAGE,
        "command": ["python3", "-m", "berth_engine.main", "serve"],
        "args": ["--kv-blocks", "400"],
        "env": [
            {"name": "PYTHONPATH", "value": "/opt/engine:/opt/packages"},
            {"name": "LD_LIBRARY_PATH", "value": "/opt/lib"},
            {"name": "OMP_NUM_THREADS", "value": "1"},
        ],
        **(engine or {}),
    }
    template = {
        "spec": {
            "containers": [
                {
                    "name": "engine",
                    "imagePullPolicy": "IfNotPresent",
                    "volumeMounts": [{"name": n, "mountPath": paths[n], "readOnly": True} for n in mounts],
                }
            ],
            "volumes": [{"name": n, "hostPath": {"path": path}} for n, path in mounts.items()],
        }
    }
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "LLMService",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "model": {"uri": "path://tiny-mixtral", "name": "tiny"},
            "resources": {"gpus": 0},
            "placement": {"nodeSelector": {LABEL: "true"}, "tolerations": [{"key": LABEL, "operator": "Exists"}]},
            "drainSeconds": 20,
            "engine": asked,
            "podTemplate": template,
            **spec,
        },
    }


def condition(cluster: Cluster, type_: str = "Ready", name: str = "tiny") -> tuple[str, str, str]:
    for one in cluster.api.get(f"{SERVICES}/{name}").get("status", {}).get("conditions", []):
        if one["type"] == type_:
            return one["status"], one["reason"], one["message"]
    return "", "", ""


def wait_until(cluster: Cluster, what: str, holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    def seen() -> object:
        return cluster.api.get(f"{SERVICES}/tiny").get("status"), cluster.told("berth.dev/llm-service=tiny")

    wait_for(what, holds, seconds, seen=seen)


def serving_pods(cluster: Cluster) -> dict[str, str]:
    """Addresses of the pods that run, by name."""
    return {
        pod["metadata"]["name"]: pod["status"]["podIP"]
        for pod in cluster.running("berth.dev/llm-service=tiny")
        if pod["status"].get("podIP")
    }


def ask(address: str, **more: Any) -> dict[str, Any]:
    body = {"prompt": "Once upon", "max_tokens": 8, "model": "tiny", **more}
    request = urllib.request.Request(
        f"http://{address}:8000/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found
