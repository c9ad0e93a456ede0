"""Reading a large cluster: `python tests/cluster/bench_dump.py [pods]` prints size, seconds and memory.

Pods are as kubectl prints them (four spaces, about 12 KB each, 6 without the spaces), from one template in sixty, with
the names, tokens and statuses that differ from pod to pod on a real cluster.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

NODES = 5_000
PODS_A_TEMPLATE = 60


def node(n: int) -> dict[str, object]:
    name = f"node-{n:05d}"
    amounts = {
        "cpu": "96",
        "ephemeral-storage": "1843269236Ki",
        "memory": "1056270740Ki",
        "nvidia.com/gpu": "8",
        "pods": "110",
    }
    reasons = ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "labels": {
                "kubernetes.io/hostname": name,
                "topology.kubernetes.io/zone": f"zone-{n % 3}",
                "topology.kubernetes.io/rack": f"rack-{n // 16}",
                "nvidia.com/gpu.product": ("A100", "H100", "L40S")[n % 3],
            },
            "name": name,
            "uid": f"node-uid-{n}",
        },
        "spec": {"taints": [{"effect": "NoSchedule", "key": "nvidia.com/gpu", "value": "present"}]},
        "status": {
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [
                {
                    "lastHeartbeatTime": "2026-01-01T00:00:00Z",
                    "message": "kubelet says so",
                    "reason": r,
                    "status": str(r == "Ready"),
                    "type": r,
                }
                for r in reasons
            ],
            "images": [{"names": [f"registry/image-{i}@sha256:{'0' * 64}"], "sizeBytes": 10**8} for i in range(40)],
        },
    }


def pod(n: int) -> dict[str, object]:
    template, replica = divmod(n, PODS_A_TEMPLATE)
    name = f"model-{template:04d}-7d9c5b8f6c-{replica:05x}"
    labels = {
        "app.kubernetes.io/name": f"model-{template:04d}",
        "app.kubernetes.io/part-of": "serving",
        "pod-template-hash": "7d9c5b8f6c",
    }
    amounts = {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "1"}
    resources = {"limits": amounts, "requests": amounts}
    probe = {"failureThreshold": 3, "httpGet": {"path": "/health", "port": 8000, "scheme": "HTTP"}, "periodSeconds": 10}
    token = {
        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        "name": f"kube-api-access-{n:05x}",
        "readOnly": True,
    }
    env = [{"name": f"SETTING_{i}", "value": f"a value that someone chose, number {i}"} for i in range(12)]
    container = {
        "args": ["--model", f"model-{template}", "--port", "8000", "--max-model-len", "32768"],
        "env": env,
        "image": f"registry/serving:v{template}",
        "imagePullPolicy": "IfNotPresent",
        "livenessProbe": probe,
        "name": "server",
        "ports": [{"containerPort": 8000, "name": "http", "protocol": "TCP"}],
        "readinessProbe": probe,
        "resources": resources,
        "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [token, {"mountPath": "/models", "name": "models"}],
    }
    term = {
        "labelSelector": {"matchLabels": {"app.kubernetes.io/name": f"model-{template:04d}"}},
        "topologyKey": "kubernetes.io/hostname",
    }
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {"berth.dev/allocation-hint": "prefer H100 in zone-1", "prometheus.io/scrape": "true"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "generateName": f"model-{template:04d}-7d9c5b8f6c-",
            "labels": labels,
            "name": name,
            "namespace": f"team-{template % 20}",
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "blockOwnerDeletion": True,
                    "controller": True,
                    "kind": "ReplicaSet",
                    "name": f"model-{template:04d}-7d9c5b8f6c",
                    "uid": f"rs-{template}",
                }
            ],
            "resourceVersion": str(10**6 + n),
            "uid": f"pod-uid-{n}",
        },
        "spec": {
            "affinity": {
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term, "weight": 100}]
                }
            },
            "containers": [container],
            "nodeName": f"node-{n % NODES:05d}",
            "nodeSelector": {"nvidia.com/gpu.product": ("A100", "H100", "L40S")[template % 3]},
            "priority": (template % 4) * 1000,
            "restartPolicy": "Always",
            "schedulerName": "berth",
            "tolerations": [
                {"effect": "NoSchedule", "key": "nvidia.com/gpu", "operator": "Exists"},
                {
                    "effect": "NoExecute",
                    "key": "node.kubernetes.io/not-ready",
                    "operator": "Exists",
                    "tolerationSeconds": 300,
                },
                {
                    "effect": "NoExecute",
                    "key": "node.kubernetes.io/unreachable",
                    "operator": "Exists",
                    "tolerationSeconds": 300,
                },
            ],
            "volumes": [
                {"emptyDir": {}, "name": "models"},
                {"name": f"kube-api-access-{n:05x}", "projected": {"defaultMode": 420}},
            ],
        },
        "status": {
            "conditions": [
                {"lastProbeTime": None, "lastTransitionTime": "2026-01-01T00:00:00Z", "status": "True", "type": c}
                for c in conditions
            ],
            "containerStatuses": [
                {
                    "allocatedResources": amounts,
                    "containerID": f"containerd://{n:064x}",
                    "image": f"registry/serving:v{template}",
                    "imageID": f"registry/serving@sha256:{template:064x}",
                    "name": "server",
                    "ready": True,
                    "resources": resources,
                    "restartCount": 0,
                    "started": True,
                    "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
                }
            ],
            "hostIP": "10.0.0.1",
            "phase": "Running",
            "podIP": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
            "qosClass": "Guaranteed",
        },
    }


def write(path: Path, pods: int) -> None:
    """One List, written item by item as kubectl would."""
    with path.open("w") as out:
        out.write('{\n    "apiVersion": "v1",\n    "items": [\n')
        for i in range(NODES):
            out.write(json.dumps(node(i), indent=4).replace("\n", "\n        ") + ",\n")
        for i in range(pods):
            out.write(json.dumps(pod(i), indent=4).replace("\n", "\n        ") + (",\n" if i < pods - 1 else "\n"))
        out.write('    ],\n    "kind": "List",\n    "metadata": {"resourceVersion": ""}\n}\n')


def measure(path: Path) -> None:
    from berth_cluster.dump import read_dumps

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    snapshot = read_dumps([path])
    seconds = time.perf_counter() - begin
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    specs = len({id(p.spec) for p in snapshot.pods})
    size = path.stat().st_size
    print(
        f"{len(snapshot.nodes)} nodes, {len(snapshot.pods)} pods, {specs} specs, {size / 1e6:.0f} MB: "
        f"{seconds:.2f} s, memory grew by {grown / 1024:.0f} MiB; {len(snapshot.warnings)} kinds of warning"
    )


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdecimal() else 30_000
    if sys.argv[2:]:
        measure(Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "dump.json"
            write(target, count)
            import subprocess

            subprocess.run([sys.executable, __file__, str(count), str(target)], check=True)
