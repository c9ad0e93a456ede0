"""One copy a node on real kubelets: fetched ahead by root's DaemonSet, read by services of a `restricted` namespace, told on the node.

The node's image has Python alone; `berth-fetch` and what it imports come from this checkout, mounted read-only through claims.
Slow: `make test-all`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sysconfig
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.objects import namespace
from berth_e2e.real_node.image import IMAGE, built_image
from berth_e2e.real_node.network import NodeNetwork
from berth_e2e.real_node.node import LABEL
from berth_e2e.real_node.packages import SYSTEM_PATH
from berth_e2e.state import ROOT
from berth_e2e.waiting import wait_for
from berth_operator.residency.prefetch import CLAIM, Prefetch, build_claim, build_prefetch
from berth_operator.weights.progress import Progress
from berth_operator.weights.push import push
from berth_operator.weights.s3 import make_client

SECONDS = 120.0
FETCH_IMAGE = "localhost/berth-e2e-fetch:local"
FOLDER = "/var/lib/kubelet/berth-models"
"""There each of the machine's nodes has a folder of its own."""
SIZE = 3_000_000
TENANT = "tenant"
CODE = {"code": str(ROOT), "packages": sysconfig.get_path("purelib")}
ROOMS = ("api", "cluster", "intent", "operator", "planner", "scheduling", "solver")
PYTHON_PATH = ":".join((*(f"/opt/code/{room}" for room in ROOMS), "/opt/packages"))
ENGINE = """
import fcntl, hashlib, http.server, os
folder = os.environ["BERTH_MODEL_PATH"]
held = open(folder + "/.complete")
fcntl.flock(held, fcntl.LOCK_SH)
digest = hashlib.sha256(open(folder + "/weights.bin", "rb").read()).hexdigest()
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(digest.encode())
http.server.HTTPServer(("", 8000), Answers).serve_forever()
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
]


@pytest.fixture(scope="module")
def real(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"residency-{os.getpid()}", real=2, berth=Berth(pairs=1)) as cluster:
        with tempfile.TemporaryDirectory() as work:
            add_fetch_image(cluster, Path(work))
        yield cluster


def add_fetch_image(cluster: Cluster, work: Path) -> None:
    """The nodes' image once more, with `berth-fetch` as what it runs."""
    archive = work / "image.tar"
    buildah = ("buildah", "--storage-driver=vfs", f"--root={work / 'storage'}", f"--runroot={work / 'run'}")
    made = run(*buildah, "from", f"docker-archive:{built_image(print)}").split()[-1]
    run(*buildah, "config", "--cmd=", '--entrypoint=["python3", "-m", "berth_operator.weights.main"]', made)
    run(*buildah, "commit", "--quiet", made, f"docker-archive:{archive}:{FETCH_IMAGE}")
    for node in cluster.real.values():
        run(
            "ctr", f"--address={node.folder / 'run' / 'containerd.sock'}", "-n=k8s.io", "images", "import", str(archive)
        )


def run(*command: str) -> str:
    done = subprocess.run(
        command, env={**os.environ, "PATH": SYSTEM_PATH}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    given = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def volume(name: str, path: str) -> list[dict[str, Any]]:
    """A folder of this machine as a claim of the tenant's."""
    made = json.loads(json.dumps(build_claim(TENANT, path)).replace(CLAIM, name))
    found: list[dict[str, Any]] = made
    return found


def fetching(env: dict[str, str]) -> dict[str, Any]:
    """What a container needs to run this checkout's `berth-fetch`."""
    env = {**env, "PYTHONPATH": PYTHON_PATH, "PYTHONDONTWRITEBYTECODE": "1"}
    return {
        "image": FETCH_IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }


def prefetch(uri: str, digest: str, node: str, env: dict[str, str]) -> list[dict[str, Any]]:
    made = build_prefetch(
        Prefetch(uri, digest, IMAGE, folder=FOLDER, node_selector={"kubernetes.io/hostname": node, LABEL: "true"})
    )
    made = json.loads(json.dumps(made))
    spec = made[1]["spec"]["template"]["spec"]
    for container in (*spec["initContainers"], *spec["containers"]):
        container.update(fetching(env))
        container["volumeMounts"] += [{"name": n, "mountPath": f"/opt/{n}", "readOnly": True} for n in CODE]
    spec["volumes"] += [{"name": name, "hostPath": {"path": path}} for name, path in CODE.items()]
    return made


def service(name: str, uri: str, digest: str, env: dict[str, str]) -> dict[str, Any]:
    fetch = {
        "name": "berth-fetch",
        **fetching(env),
        "volumeMounts": [{"name": n, "mountPath": f"/opt/{n}", "readOnly": True} for n in CODE],
    }
    volumes = [{"name": n, "persistentVolumeClaim": {"claimName": n, "readOnly": True}} for n in CODE]
    engine = {"name": "engine", "imagePullPolicy": "IfNotPresent"}
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "LLMService",
        "metadata": {"name": name, "namespace": TENANT},
        "spec": {
            "model": {"uri": uri, "digest": digest, "cache": {"claimName": CLAIM}},
            "resources": {"gpus": 0},
            "drainSeconds": 1,
            "placement": {
                "hint": "prefer a node where the model is cached",
                "nodeSelector": {LABEL: "true"},
                "tolerations": [{"key": LABEL, "operator": "Exists"}],
            },
            "engine": {"kind": "custom", "image": IMAGE, "command": ["python3", "-c", ENGINE], "readyPath": "/"},
            "podTemplate": {"spec": {"initContainers": [fetch], "containers": [engine], "volumes": volumes}},
        },
    }


def models(cluster: Cluster) -> dict[str, dict[str, int]]:
    told = {n["metadata"]["name"]: n["metadata"]["annotations"] for n in cluster.api.items("/api/v1/nodes")}
    return {name: json.loads(said["berth.dev/models"]) for name, said in told.items() if "berth.dev/models" in said}


def answers(cluster: Cluster, name: str) -> bool:
    service = cluster.api.get(f"/apis/berth.dev/v1alpha1/namespaces/{TENANT}/llmservices/{name}")
    conditions = service.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def test_a_node_downloads_once_and_others_read(real: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    def seen() -> str:
        return real.kubectl("describe", "pods", "-A", check=False)[-6_000:]

    assert real.state.network is not None
    source = ThreadedMotoServer(ip_address=NodeNetwork(real.state.network).host, port=0, verbose=False)
    source.start()
    host, port = source.get_host_and_port()
    env = {**environment, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    weights = random.Random(1).randbytes(SIZE)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(weights)
    client = make_client(f"http://{host}:{port}")
    client.create_bucket(Bucket="models")
    digest = push(folder, "models", "m", client, Progress((tmp_path / "log").open("w"))).manifest.digest
    name, uri = digest.removeprefix("sha256:")[:40], "s3://models/m"

    made = prefetch(uri, digest, "real-2", env)
    real.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    wait_for("the node tells of it", lambda: models(real) == {"real-2": {name: SIZE}}, SECONDS, seen=seen)
    source.stop()  # from here on nobody can download anything

    tenant = namespace(TENANT)
    tenant["metadata"].setdefault("labels", {})["pod-security.kubernetes.io/enforce"] = "restricted"
    real.create(tenant)
    real.create(*build_claim(TENANT, FOLDER))
    for claim, path in CODE.items():
        real.create(*volume(claim, path))
    for one in ("first", "second"):
        real.create(service(one, uri, digest, env))
    for one in ("first", "second"):
        wait_for(f"{one} answers", lambda one=one: answers(real, one), SECONDS, seen=seen)
        (pod,) = real.pods(f"berth.dev/llm-service={one}", namespace=TENANT)
        assert pod["spec"]["nodeName"] == "real-2"
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8000/", timeout=10) as answer:
            assert answer.read().decode() == hashlib.sha256(weights).hexdigest()
        log = real.kubectl("logs", "-n", TENANT, pod["metadata"]["name"], "-c", "berth-fetch")
        assert "is in the cache" in log
        writes = "open('/var/cache/berth/mine', 'w')"
        refused = real.kubectl(
            "exec", "-n", TENANT, pod["metadata"]["name"], "--", "python3", "-c",
            f"import sys\ntry:\n {writes}\nexcept OSError as e:\n print(e.strerror)",
        )  # fmt: skip
        assert "Read-only" in refused or "denied" in refused

    real.api.delete(
        f"/apis/apps/v1/namespaces/{made[1]['metadata']['namespace']}/daemonsets/{made[1]['metadata']['name']}"
    )
    wait_for("the prefetch's end", lambda: not real.pods("", namespace="berth-prefetch"), SECONDS, seen=seen)
    assert models(real) == {"real-2": {name: SIZE}}, "the services keep it"
    for one in ("first", "second"):
        real.api.delete(f"/apis/berth.dev/v1alpha1/namespaces/{TENANT}/llmservices/{one}")
    wait_for("nobody keeps it any more", lambda: models(real) == {}, SECONDS, seen=seen)
