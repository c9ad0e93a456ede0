"""Secrets that are planted in tests and looked for everywhere they must not be: a leak is found whoever made it, and wherever.

`leaks(cluster)` looks in every log of a cluster, the arguments of its processes and of their children while they run, every
object of every kind but Secrets themselves, Events among them, the metrics of our processes, and the audit log; for the words and for
their base64. conftest calls it for every cluster of a run before it is taken down. Cost: 0.3 to 0.6 s a cluster, most of it for lists.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator

from berth_e2e.api_client import RequestError
from berth_e2e.cluster import Cluster
from berth_e2e.process import marked_pids
from berth_e2e.state import CLUSTERS

CANARIES = {
    "the S3 key": "canary-s3-Yw5kZq81",
    "the Hugging Face token": "hf_canaryRt3vQm72",
    "the hint model's key": "canary-hints-Jx9pLd46",
    "a signature of a URL": "canary-signature-Bn2tHs35",
}
ENCODED = {
    what: tuple({secret.encode(), *(base64.b64encode(b"x" * n + secret.encode())[n + 1 : -4] for n in range(3))})
    for what, secret in CANARIES.items()
}
"""Base64 at each of its three alignments, without the ends that neighbours change."""
LEFT_OUT = ("secrets",)
METRICS = ("extender-metrics-", "operator-")
LARGEST_LOG = 64 << 20


def planted(text: bytes) -> list[str]:
    """Which of them it holds."""
    return [what for what, forms in ENCODED.items() if any(form in text for form in forms)]


def leaks(cluster: Cluster) -> list[str]:
    """Where a secret stands that should not. Empty is good; what cannot be asked any more, as when a test killed it, is left out."""
    return [f"{what} stands in {where}" for where, text in _everything(cluster) for what in planted(text)]


def _everything(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    folder = cluster.state.folder
    for file in sorted((folder / "logs").glob("*")):
        yield f"logs/{file.name}", file.read_bytes()[-LARGEST_LOG:]
    for process in cluster.processes.values():
        yield f"the arguments of {process.name}", "\0".join(process.argv).encode()
    for file in sorted((cluster.state.kwok_folder / "logs").glob("*.log")):
        yield f"the control plane's {file.name}", file.read_bytes()[-LARGEST_LOG:]
    audit = folder / "audit.log"
    if audit.exists():
        yield "the audit log", audit.read_bytes()[-LARGEST_LOG:]
    for pid in marked_pids(CLUSTERS / cluster.name):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as told:
                yield f"the command line of process {pid}", told.read()
        except OSError:
            continue
    for use, port in cluster.state.ports.items():
        if use.startswith(METRICS):
            yield f"the metrics of {use}", _metrics(port)
    try:
        yield from _objects(cluster)
    except (OSError, RequestError, RecursionError):
        return  # a test has left it without an API server, or with what no client can read


def _metrics(port: int) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def _objects(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """Every kind that can be listed, by its group's newest version."""
    groups = [g["preferredVersion"]["groupVersion"] for g in cluster.api.get("/apis")["groups"]]
    for root in ("/api/v1", *(f"/apis/{group}" for group in groups)):
        try:
            resources = cluster.api.request("GET", root)["resources"]
        except RequestError:
            continue  # another server's, which a test has ended
        for resource in resources:
            if "list" in resource["verbs"] and resource["name"] not in LEFT_OUT and "/" not in resource["name"]:
                found = cluster.api.get(f"{root}/{resource['name']}")
                yield f"an object of {resource['name']}", json.dumps(found, ensure_ascii=False).encode()
