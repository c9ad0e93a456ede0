"""An API server's JSON over loopback, made beforehand, for `watch_cache`: lists in pages, and a burst of watch events.

    python -m benchmarks.watch_cache_server --pods 10000 --nodes 1000 --events 20000 --seed 7

prints its port when all is made. Pods are as a real API server sends them, managedFields and all: about 7 KB each. A watch
of pods says nothing until `POST /burst`, then sends every event as fast as the reader takes them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from typing import Any

from aiohttp import web

PODS_A_TEMPLATE = 60
NAMESPACES = 20
CHUNK = 64
"""Events that are written at once."""

Json = dict[str, Any]


def node(n: int) -> Json:
    name = f"node-{n:05d}"
    amounts = {
        "cpu": "96",
        "ephemeral-storage": "1843269236Ki",
        "memory": "1056270740Ki",
        "nvidia.com/gpu": "8",
        "pods": "110",
    }
    conditions = [
        {
            "lastHeartbeatTime": "2026-01-01T00:00:00Z",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "message": "kubelet says so",
            "reason": r,
            "status": str(r == "Ready"),
            "type": r,
        }
        for r in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    ]
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "p4d.24xlarge",
        "nvidia.com/gpu.product": ("A100", "H100", "L40S")[n % 3],
        "nvidia.com/gpu.count": "8",
        "nvidia.com/gpu.memory": "81920",
        "topology.kubernetes.io/rack": f"rack-{n // 16}",
        "topology.kubernetes.io/region": "eu-1",
        "topology.kubernetes.io/zone": f"zone-{n % 3}",
    }
    return {
        "metadata": {"labels": labels, "name": name, "uid": f"00000000-0000-4000-8000-{n:012d}", "resourceVersion": str(n + 1), "managedFields": _managed("kubelet")},
        "spec": {"taints": [{"effect": "NoSchedule", "key": "nvidia.com/gpu", "value": "present"}], "podCIDR": "10.0.0.0/24"},
        "status": {"allocatable": amounts, "capacity": amounts, "conditions": conditions,
                   "images": [{"names": [f"registry/image-{i}@sha256:{'0' * 64}"], "sizeBytes": 10**8} for i in range(40)]},
    }  # fmt: skip


def pod(n: int, version: int, node_name: str | None, started: str = "2026-01-01T00:00:00Z") -> Json:
    template = n // PODS_A_TEMPLATE
    app = f"model-{template:04d}"
    amounts = {"cpu": "8", "memory": "64Gi", "nvidia.com/gpu": "1"}
    resources = {"limits": amounts, "requests": amounts}
    probe = {"failureThreshold": 3, "httpGet": {"path": "/health", "port": 8000, "scheme": "HTTP"}, "periodSeconds": 10}
    token = f"kube-api-access-{n:05x}"
    container = {
        "args": ["--model", f"model-{template}", "--port", "8000", "--max-model-len", "32768"],
        "env": [{"name": f"SETTING_{i}", "value": f"a value that someone chose, number {i}"} for i in range(12)],
        "image": f"registry/serving:v{template}", "imagePullPolicy": "IfNotPresent", "livenessProbe": probe,
        "name": "server", "ports": [{"containerPort": 8000, "name": "http", "protocol": "TCP"}], "readinessProbe": probe,
        "resources": resources, "terminationMessagePath": "/dev/termination-log",
        "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": token, "readOnly": True}, {"mountPath": "/models", "name": "models"}],
    }  # fmt: skip
    term = {"labelSelector": {"matchLabels": {"app.kubernetes.io/name": app}}, "topologyKey": "kubernetes.io/hostname"}
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    running = node_name is not None
    spec: Json = {
        "affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": term, "weight": 100}]}},
        "containers": [container], "dnsPolicy": "ClusterFirst", "enableServiceLinks": True,
        "nodeSelector": {"nvidia.com/gpu.product": ("A100", "H100", "L40S")[template % 3]},
        "preemptionPolicy": "PreemptLowerPriority", "priority": (template % 4) * 1000, "restartPolicy": "Always",
        "schedulerName": "berth", "securityContext": {}, "serviceAccountName": "default",
        "tolerations": [
            {"effect": "NoSchedule", "key": "nvidia.com/gpu", "operator": "Exists"},
            {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
            {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300},
        ],
        "volumes": [{"emptyDir": {}, "name": "models"}, {"name": token, "projected": {"defaultMode": 420}}],
    }  # fmt: skip
    if node_name is not None:
        spec["nodeName"] = node_name
    return {
        "metadata": {
            "annotations": {"berth.dev/allocation-hint": "prefer H100 in zone-1", "prometheus.io/scrape": "true"},
            "creationTimestamp": "2026-01-01T00:00:00Z", "generateName": f"{app}-7d9c5b8f6c-",
            "labels": {"app.kubernetes.io/name": app, "app.kubernetes.io/part-of": "serving", "pod-template-hash": "7d9c5b8f6c"},
            "managedFields": _managed("kube-controller-manager"), "name": f"{app}-7d9c5b8f6c-{n:06x}",
            "namespace": f"team-{template % NAMESPACES}",
            "ownerReferences": [{"apiVersion": "apps/v1", "blockOwnerDeletion": True, "controller": True, "kind": "ReplicaSet", "name": f"{app}-7d9c5b8f6c", "uid": f"rs-{template}"}],
            "resourceVersion": str(version), "uid": f"10000000-0000-4000-8000-{n:012d}",
        },
        "spec": spec,
        "status": {
            "conditions": [{"lastProbeTime": None, "lastTransitionTime": started, "status": "True", "type": c} for c in conditions] if running else [],
            "containerStatuses": [{
                "allocatedResources": amounts, "containerID": f"containerd://{n:064x}", "image": f"registry/serving:v{template}",
                "imageID": f"registry/serving@sha256:{template:064x}", "name": "server", "ready": True, "resources": resources,
                "restartCount": 0, "started": True, "state": {"running": {"startedAt": started}},
            }] if running else [],
            "phase": "Running" if running else "Pending", "podIP": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}", "qosClass": "Guaranteed",
        },
    }  # fmt: skip


def replica_set(template: int) -> Json:
    app = f"model-{template:04d}"
    owner = {"apiVersion": "apps/v1", "controller": True, "kind": "Deployment", "name": app, "uid": f"d-{template}"}
    metadata = {"name": f"{app}-7d9c5b8f6c", "namespace": f"team-{template % NAMESPACES}", "uid": f"rs-{template}"}
    return {"metadata": {**metadata, "resourceVersion": "1", "ownerReferences": [owner]}}


def _managed(manager: str) -> list[Json]:
    fields: Json = {f"f:field{i}": {"f:part": {}, "f:other": {f'k:{{"type":"T{i}"}}': {".": {}}}} for i in range(18)}
    entry = {"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": fields, "f:spec": fields}, "manager": manager, "operation": "Update", "time": "2026-01-01T00:00:00Z"}  # fmt: skip
    return [entry]


def events(pods: int, nodes: int, count: int, first: int, rng: random.Random) -> list[bytes]:
    """What a busy cluster sends: of ten events six are statuses, two creations, one a binding, one a deletion."""
    lines = []
    waiting: list[int] = []
    fresh = pods
    for i in range(count):
        draw = rng.random()
        if draw < 0.2 or (draw < 0.4 and not waiting):
            waiting.append(fresh)
            type_, body = "ADDED", pod(fresh, first + i, None)
            fresh += 1
        elif draw < 0.3:
            type_, body = "MODIFIED", pod(waiting.pop(0), first + i, f"node-{rng.randrange(nodes):05d}")
        elif draw < 0.4:
            type_, body = "DELETED", pod(waiting.pop(), first + i, None)
        else:
            n = rng.randrange(pods)
            started = f"2026-01-01T00:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z"
            type_, body = "MODIFIED", pod(n, first + i, f"node-{n % nodes:05d}", started)
        lines.append(_json({"type": type_, "object": body}) + b"\n")
    return lines


def _json(body: Json) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


class Server:
    def __init__(self, pods: int, nodes: int, count: int, seed: int) -> None:
        self.version = 10**6
        templates = (pods + PODS_A_TEMPLATE - 1) // PODS_A_TEMPLATE
        self._items: dict[str, list[bytes]] = {
            "pods": [_json(pod(n, n + 1, f"node-{n % nodes:05d}")) for n in range(pods)],
            "nodes": [_json(node(n)) for n in range(nodes)],
            "replicasets": [_json(replica_set(t)) for t in range(templates)],
            "namespaces": [_json({"metadata": {"name": f"team-{i}"}}) for i in range(NAMESPACES)],
        }
        lines = events(pods, nodes, count, self.version + 1, random.Random(seed))
        self._chunks = [b"".join(lines[i : i + CHUNK]) for i in range(0, len(lines), CHUNK)]
        self._burst = asyncio.Event()

    async def get(self, request: web.Request) -> web.StreamResponse:
        kind = request.path.rsplit("/", 1)[1]
        if request.query.get("watch"):
            return await self._watch(request, kind)
        items = self._items.get(kind, [])
        start = int(request.query.get("continue") or 0)
        end = start + int(request.query.get("limit") or len(items))
        token = f',"continue":"{end}"' if end < len(items) else ""
        head = f'{{"kind":"List","metadata":{{"resourceVersion":"{self.version}"{token}}},"items":['.encode()
        return web.Response(body=head + b",".join(items[start:end]) + b"]}", content_type="application/json")

    async def _watch(self, request: web.Request, kind: str) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        if kind == "pods":
            await self._burst.wait()
            for chunk in self._chunks:
                await answer.write(chunk)
        await asyncio.Event().wait()
        return answer

    async def burst(self, _: web.Request) -> web.Response:
        self._burst.set()
        return web.json_response({"bytes": sum(map(len, self._chunks))})


async def serve(pods: int, nodes: int, count: int, seed: int) -> None:
    server = Server(pods, nodes, count, seed)
    app = web.Application()
    app.router.add_post("/burst", server.burst)
    app.router.add_get("/{path:.*}", server.get)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("pods", 10_000), ("nodes", 1_000), ("events", 20_000), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    try:
        import uvloop

        uvloop.run(serve(given.pods, given.nodes, given.events, given.seed))
    except KeyboardInterrupt:
        pass
