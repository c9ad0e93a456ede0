"""`helm install` on real kubelets, with no process of ours outside: images, pods, ServiceAccounts, Pod Security `restricted`, Services and
a GPU device plugin are all there, as in a cluster of somebody's.

The tests are one story, in order: installed, served, moved, scaled, rolled out, upgraded, killed, uninstalled. Slow: `make e2e-node`.
Costs 10 minutes on two cores, 8 GB of disk.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from helm_python.config import Config

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.bucket import Bucket, bucket
from berth_e2e.cluster import Cluster
from berth_e2e.objects import GPU, pod, priority_class, replica_set
from berth_e2e.real_node.complete import complete, complete_nodes
from berth_e2e.real_node.image import IMAGE
from berth_e2e.real_node.node import CGROUPS
from berth_e2e.real_node.nodes import wait_real_node
from berth_e2e.real_node.packages import COMMANDS, FOR_SERVICES, RealNodesError, require_packages
from berth_e2e.real_node.release_images import PACKAGES_CLAIM, PACKAGES_FOLDER, load_release, packages_claim
from berth_e2e.state import ROOT
from berth_e2e.tiny_service import OF_TINY, PACKAGES, SERVICES, ask, condition, serving_pods, wait_until
from berth_e2e.waiting import wait_for

CHART = ROOT / "charts" / "berth"
DEFINITIONS = ("llmservices.berth.dev", "packingplans.berth.dev", "packingpolicies.berth.dev")
PLANS = "/apis/berth.dev/v1alpha1/packingplans"
GPUS = 4
READY_SECONDS = 120.0
HEAL_SECONDS = 60.0
LONG = 1_500
"""Tokens of a stream that is under way when its replica is told to leave."""
SAVE = """
import sys
from berth_engine.models import load
loaded = load("tiny-mixtral", device="cpu")
loaded.model.save_pretrained(sys.argv[1])
loaded.tokenizer.save_pretrained(sys.argv[1])
"""
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 65532,
    "seccompProfile": {"type": "RuntimeDefault"},
}
SLEEPS = {"command": ["bash", "-c", "trap exit TERM; sleep infinity & wait"], "securityContext": RESTRICTED}
# asks again and again, and prints a line a request: a number of tokens, or what went wrong
ASKING = """
import json, sys, time, urllib.error, urllib.request
body = json.dumps({"model": "tiny", "prompt": "Once upon", "max_tokens": 4, "ignore_eos": True, "priority": 1}).encode()
while True:
    asked = urllib.request.Request(sys.argv[1] + "/v1/completions", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            print(json.loads(answer.read())["usage"]["completion_tokens"], flush=True)
    except urllib.error.HTTPError as error:
        print("failed", error.code, error.read()[:300], flush=True)
    except Exception as error:
        print("failed", type(error).__name__, error, flush=True)
    time.sleep(0.1)
"""


def missing() -> str | None:
    """What this machine lacks for real nodes, in a sentence."""
    if os.geteuid() != 0:
        return "real nodes need root: they make namespaces, mounts and a bridge"
    if PACKAGES is None:
        return "the engine's environment is missing: make engine"
    if not os.access(CGROUPS, os.W_OK) or not any(CGROUPS.iterdir()):
        return f"real nodes need control groups that can be written to: {CGROUPS} holds none"
    try:
        require_packages(COMMANDS | FOR_SERVICES)
    except RealNodesError as error:
        return f"what real nodes need is missing and cannot be installed: {error}"
    return None


pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def real(binaries: Path) -> Iterator[Cluster]:
    """Two nodes with GPUs and Services, the release's images, and namespaces that enforce `restricted`; nothing of Berth."""
    if lacks := missing():
        pytest.skip(lacks)
    with Cluster.start(f"chart-{os.getpid()}", real=2, gpus=0) as cluster:
        page = (ROOT / "docs" / "install.md").read_text().replace("\\\n", " ")
        for command in re.findall(r"^kubectl ((?:label|annotate) crd .*)$", page, re.MULTILINE):
            cluster.kubectl(*command.split())  # the harness has applied them: they are given to Helm as the page says
        cluster.kubectl(
            "label", "namespace", SYSTEM_NAMESPACE, "default", "pod-security.kubernetes.io/enforce=restricted"
        )
        complete_nodes(cluster, GPUS)
        assert PACKAGES is not None
        cluster.create(*packages_claim(PACKAGES, "default"))
        cluster.kubectl("wait", "--for=jsonpath={.status.phase}=Bound", "pvc", PACKAGES_CLAIM, "--timeout=60s")
        began = time.monotonic()
        archives = load_release(cluster)
        said(f"images on both nodes after {time.monotonic() - began:.0f} s")
        for name, archive in archives.items():
            said(f"{name}: {archive.stat().st_size / 1e6:.0f} MB as an archive")
        yield cluster


@pytest.fixture(scope="module")
def models(real: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    """An S3 server on the nodes' bridge, where nobody else comes."""
    with bucket(tmp_path_factory.mktemp("bucket"), real.real["real-1"].network.host) as models:
        yield models


@pytest.fixture(scope="module")
def digest(models: Bucket, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the model at s3://models/tiny."""
    folder = tmp_path_factory.mktemp("model")
    engine = ROOT / ".venv-engine" / "bin" / "python"
    subprocess.run([str(engine), "-c", SAVE, str(folder)], check=True, capture_output=True, timeout=120)
    return models.push(folder, "tiny")


@pytest.fixture(scope="module")
def helm(real: Cluster) -> Iterator[Config]:
    with Config(kubeconfig_path=real.kubeconfig, namespace=SYSTEM_NAMESPACE) as helm:
        yield helm


def said(line: str) -> None:
    print(f"[e2e-node] {line}", flush=True)


def service(digest: str) -> dict[str, Any]:
    """The tiny model from the bucket, on a GPU, with the release's own images. `--device cpu`: the GPU exists on paper."""
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "LLMService",
        "metadata": {"name": "tiny", "namespace": "default"},
        "spec": {
            "model": {
                "uri": "s3://models/tiny", "name": "tiny", "digest": digest, "credentialsSecretRef": {"name": "bucket"},
            },
            "resources": {"gpus": 1},
            "drainSeconds": 20,
            "engine": {"args": ["--device", "cpu", "--kv-blocks", "400"]},
            "podTemplate": {
                "spec": {
                    "containers": [
                        {
                            "name": "engine",
                            "volumeMounts": [{"name": "packages", "mountPath": PACKAGES_FOLDER, "readOnly": True}],
                        }
                    ],
                    "volumes": [
                        {"name": "packages", "persistentVolumeClaim": {"claimName": PACKAGES_CLAIM, "readOnly": True}}
                    ],
                }
            },
        },
    }  # fmt: skip


def is_ready(cluster: Cluster) -> bool:
    """Of the newest generation, and nothing under way."""
    found = cluster.api.get(f"{SERVICES}/tiny")
    of_it = found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
    return of_it and condition(cluster)[0] == "True" and condition(cluster, "Progressing")[1] == "Done"


def ours(cluster: Cluster) -> list[dict[str, Any]]:
    """Berth's own pods, in both namespaces; not those of `helm test`."""
    return cluster.api.items(
        "/api/v1/pods", labelSelector="app.kubernetes.io/name=berth,app.kubernetes.io/component!=doctor"
    )


def all_ready(cluster: Cluster, count: int) -> bool:
    """So many pods of ours, each with all containers ready, and none that goes."""
    pods = ours(cluster)
    return len(pods) == count and all(
        "deletionTimestamp" not in p["metadata"]
        and any(c["type"] == "Ready" and c["status"] == "True" for c in p["status"].get("conditions", []))
        for p in pods
    )


def start_seconds(found: dict[str, Any]) -> float:
    """From its last container's start to its being ready, to the second: probes every 2 and 5 s are in it."""
    started = max(one["state"]["running"]["startedAt"] for one in found["status"]["containerStatuses"])
    ready = next(c["lastTransitionTime"] for c in found["status"]["conditions"] if c["type"] == "Ready")
    return (datetime.fromisoformat(ready) - datetime.fromisoformat(started)).total_seconds()


def wait_berth(cluster: Cluster, count: int, seconds: float = READY_SECONDS) -> None:
    def seen() -> str:
        told = cluster.kubectl("get", "pods", "-A", "-o", "wide", check=False)
        for found in ours(cluster):
            name, space = found["metadata"]["name"], found["metadata"]["namespace"]
            told += cluster.kubectl("logs", "-n", space, name, "--all-containers", "--tail=15", "--prefix", check=False)
        return told + "\n".join(e.get("message", "") for e in cluster.events(namespace=SYSTEM_NAMESPACE)[-12:])

    wait_for(f"{count} pods of ours ready", lambda: all_ready(cluster, count), seconds, seen=seen)


def moves(cluster: Cluster) -> list[dict[str, Any]]:
    """Plans that move something and have begun."""
    return [
        plan
        for plan in cluster.api.items(PLANS)
        if "status" in plan and plan["spec"]["certificate"]["disruption"]["moves"]
    ]


def answers(address: str) -> bool:
    try:
        return bool(ask(address, max_tokens=1)["choices"])
    except OSError:
        return False


def test_helm_installs_it_with_default_values(real: Cluster, helm: Config) -> None:
    began = time.monotonic()
    helm.install(CHART, "berth", namespace=SYSTEM_NAMESPACE, timeout=60)
    wait_berth(real, 4)
    said(f"helm install to four pods ready: {time.monotonic() - began:.1f} s")
    for found in ours(real):
        assert (
            found["spec"]["serviceAccountName"] == f"berth-{found['metadata']['labels']['app.kubernetes.io/component']}"
        )
        for container in found["status"]["containerStatuses"]:
            assert container["restartCount"] == 0, found["metadata"]["name"]
        said(f"{found['metadata']['name']}: ready {start_seconds(found):.0f} s after its last container's start")
    assert is_spread(real)
    assert {"berth-scheduler", "berth-operator"} <= {
        lease["metadata"]["name"]
        for lease in real.api.items(f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/leases")
    }


def is_spread(cluster: Cluster) -> bool:
    """No two pods of a component share a node, though these nodes have no zones."""
    places = [(p["metadata"]["labels"]["app.kubernetes.io/component"], p["spec"]["nodeName"]) for p in ours(cluster)]
    return len(places) == len(set(places))


def test_helm_test_passes(real: Cluster, helm: Config) -> None:
    """It raises when a test of the chart fails. No logs: the chart has its pods deleted when they have ended."""
    began = time.monotonic()
    helm.test("berth", timeout=120)
    said(f"helm test: {time.monotonic() - began:.1f} s")


def test_weights_are_fetched_and_verified_and_it_answers(real: Cluster, models: Bucket, digest: str) -> None:
    real.create(models.secret("bucket", "default"))
    began = time.monotonic()
    real.create(service(digest))
    wait_until(real, "ready", lambda: is_ready(real))
    said(f"LLMService applied to Ready: {time.monotonic() - began:.1f} s")
    assert condition(real, "ModelResolved") == ("True", "Verified", digest)
    (name,), (address,) = zip(*serving_pods(real).items(), strict=True)
    assert ask(address, priority=5, temperature=0)["choices"][0]["text"]
    (found,) = real.running(OF_TINY)
    assert found["spec"]["schedulerName"] == "berth"
    assert digest in real.kubectl("logs", name, "-c", "berth-fetch")
    given = real.kubectl(
        "exec", name, "-c", "engine", "--", "sh", "-c", "echo $NVIDIA_VISIBLE_DEVICES; ls /dev/nvidia*"
    )
    assert re.fullmatch(r"GPU-fake-(\d)\n/dev/nvidia\1\n", given), "the device plugin gave it one GPU"


def test_a_plan_moves_it_and_a_stream_goes_on(real: Cluster) -> None:
    """A pod wants all GPUs of a node and nobody has them: the operator moves the service to the other node, the new replica first."""
    before = serving_pods(real)
    (address,) = before.values()
    (found,) = real.running(OF_TINY)
    other = next(name for name in real.real if name != found["spec"]["nodeName"])
    real.create(priority_class("urgent", 1000))
    # one GPU stays free there: enough for the service, too little for who comes
    stays = {"image": IMAGE, "container": SLEEPS, "nodeSelector": {"kubernetes.io/hostname": other}}
    real.create(replica_set("stays", 1, gpus=GPUS - 1, scheduler="berth", **stays))
    real.wait_running("app=stays", 1, timeout=60)
    told: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: told.append(ask(address, max_tokens=LONG, ignore_eos=True)), daemon=True)
    wide = replica_set("wide", 1, gpus=GPUS, scheduler="berth", priority_class="urgent", image=IMAGE, container=SLEEPS)
    real.create(wide)
    refused, end = 0, time.monotonic() + READY_SECONDS
    while set(serving_pods(real)) & set(before) or not serving_pods(real):
        assert time.monotonic() < end, (real.api.items(PLANS), real.told())
        answering = [one for one in serving_pods(real).values() if answers(one)]
        refused += not answering
        if len(answering) == 2 and asking.ident is None:
            asking.start()  # the old one is about to be told to leave
    assert not refused, "at every moment somebody took new requests"
    assert asking.is_alive(), "the stream ran when the old replica was told to leave"
    asking.join(READY_SECONDS)
    assert told
    assert told[0]["usage"]["completion_tokens"] == LONG, "what had begun was finished"
    (moved,) = real.running(OF_TINY)
    assert moved["spec"]["nodeName"] == other
    (placed,) = real.wait_running("app=wide", 1, timeout=90)
    assert placed["spec"]["nodeName"] == found["spec"]["nodeName"]
    wait_for("the plan's end", lambda: [p["status"]["phase"] for p in moves(real)] == ["Completed"], 60.0)
    wait_until(real, "ready", lambda: is_ready(real))
    assert not stumbles(real)
    for name in ("wide", "stays"):
        real.api.delete(f"/apis/apps/v1/namespaces/default/replicasets/{name}")
    wait_for("room again", lambda: not real.pods("app in (wide, stays)"), 60.0)


def test_it_scales_up_and_down(real: Cluster) -> None:
    for replicas in (2, 1):
        real.kubectl("scale", "llmservice/tiny", f"--replicas={replicas}")
        wait_until(
            real,
            f"{replicas} replicas",
            lambda replicas=replicas: is_ready(real) and len(serving_pods(real)) == replicas,
        )
        assert all(answers(address) for address in serving_pods(real).values())


@pytest.fixture(scope="module")
def clients(real: Cluster, helm: Config) -> Iterator[Callable[[], list[str]]]:
    """`helm upgrade` brings the gateway; a pod asks through its Service all the while. Calling it gives the lines since the last call."""
    helm.upgrade(
        CHART, "berth", {"gateway": {"enabled": True, "namespace": "default"}}, namespace=SYSTEM_NAMESPACE, timeout=60
    )
    wait_berth(real, 6)
    found = real.api.get("/api/v1/namespaces/default/services/berth-gateway")["spec"]
    url = f"http://{found['clusterIP']}:{found['ports'][0]['port']}"
    asking = {"command": ["python3", "-c", ASKING, url], "securityContext": RESTRICTED}
    real.create(pod("clients", image=IMAGE, container=asking))
    lines = 0

    def since() -> list[str]:
        nonlocal lines
        told = real.kubectl("logs", "clients").splitlines()
        fresh, lines = told[lines:], len(told)
        return fresh

    wait_for("answers through the Service", lambda: "4" in real.kubectl("logs", "clients", check=False), 60.0)
    said(f"first lines of the clients: {since()[:3]}")
    yield since
    real.api.delete("/api/v1/namespaces/default/pods/clients", grace_seconds=0)


def lost(lines: list[str]) -> list[str]:
    assert len(lines) > 10, "somebody asked all the while"
    return [line for line in lines if line != "4"]


def test_a_rollout_loses_no_request(real: Cluster, clients: Callable[[], list[str]]) -> None:
    clients()
    before = set(serving_pods(real))
    real.api.merge(f"{SERVICES}/tiny", {"spec": {"engine": {"maxBatch": 8}}})
    wait_until(real, "the new generation", lambda: is_ready(real) and not before & set(serving_pods(real)))
    assert not lost(clients())


def test_helm_upgrade_interrupts_nobody(real: Cluster, helm: Config, clients: Callable[[], list[str]]) -> None:
    """A value of every component changes, so that every pod of ours is replaced; the serving pod is not."""
    clients()
    before, serving = {p["metadata"]["name"] for p in ours(real)}, serving_pods(real)
    values = {
        "gateway": {"enabled": True, "namespace": "default", "logLevel": "debug", "drainSeconds": 10},
        "operator": {"logLevel": "debug"},
        "extender": {"logLevel": "debug"},
    }
    began = time.monotonic()
    helm.upgrade(CHART, "berth", values, namespace=SYSTEM_NAMESPACE, timeout=60)
    wait_for(
        "every pod another",
        lambda: all_ready(real, 6) and not before & {p["metadata"]["name"] for p in ours(real)},
        180.0,
        seen=lambda: real.kubectl("get", "pods", "-A", "-o", "wide", check=False),
    )
    said(f"helm upgrade that replaces all six pods: {time.monotonic() - began:.1f} s")
    assert is_spread(real)
    assert not lost(clients())
    assert serving_pods(real) == serving
    wait_until(real, "ready", lambda: is_ready(real))


@pytest.mark.parametrize("container", ["kube-scheduler", "extender", "operator", "gateway"])
def test_a_killed_container_heals(real: Cluster, clients: Callable[[], list[str]], container: str) -> None:
    """All replicas of it at once, by SIGKILL."""
    clients()
    began = time.monotonic()
    killed = [kill(real, found, container) for found in ours(real) if container in names(found)]
    assert len(killed) == 2
    wait_for("the kubelet has seen it", lambda: all(restarted(real, *one) for one in killed), HEAL_SECONDS)
    wait_berth(real, 6, HEAL_SECONDS)
    taken = time.monotonic() - began
    said(f"both {container}s killed: all ready after {taken:.1f} s")
    assert taken < HEAL_SECONDS
    # it works again: a pod is scheduled, and the service is looked after
    real.create(pod("after", image=IMAGE, scheduler="berth", container=SLEEPS, labels={"app": "after"}))
    real.wait_running("app=after", 1, timeout=HEAL_SECONDS)
    real.api.delete("/api/v1/namespaces/default/pods/after", grace_seconds=0)
    wait_for("gone", lambda: not real.pods("app=after"), 30.0)
    assert is_ready(real)
    if container != "gateway":
        assert not lost(clients())


def test_a_killed_engine_heals_and_ready_tells_the_truth(real: Cluster) -> None:
    (found,) = real.running(OF_TINY)
    began = time.monotonic()
    kill(real, found, "engine")
    wait_until(real, "not ready", lambda: condition(real)[0] == "False")
    seen = time.monotonic() - began
    wait_until(real, "ready again", lambda: is_ready(real))
    taken = time.monotonic() - began
    said(f"engine killed: Ready False after {seen:.1f} s, True after {taken:.1f} s")
    assert taken < HEAL_SECONDS
    assert all(answers(address) for address in serving_pods(real).values())


def names(found: dict[str, Any]) -> list[str]:
    return [container["name"] for container in found["spec"]["containers"]]


def status_of(found: dict[str, Any], container: str) -> dict[str, Any]:
    (status,) = [one for one in found["status"]["containerStatuses"] if one["name"] == container]
    return status  # type: ignore[no-any-return]


def kill(cluster: Cluster, found: dict[str, Any], container: str) -> tuple[str, str, str, int]:
    """Its first process, by its own containerd. Returns what `restarted` needs."""
    status = status_of(found, container)
    node = cluster.real[found["spec"]["nodeName"]]
    node.ctr("tasks", "kill", "--signal", "SIGKILL", status["containerID"].removeprefix("containerd://"))
    return found["metadata"]["namespace"], found["metadata"]["name"], container, status["restartCount"]


def restarted(cluster: Cluster, space: str, name: str, container: str, before: int) -> bool:
    found = cluster.api.get(f"/api/v1/namespaces/{space}/pods/{name}")
    return int(status_of(found, container)["restartCount"]) > before


def test_nothing_of_ours_has_stumbled_over_being_killed(real: Cluster) -> None:
    assert not stumbles(real)


def stumbles(cluster: Cluster) -> list[str]:
    """Errors in the logs of our own processes, for all that has happened: what is begun again quietly would else go unseen."""
    found: list[str] = []
    for one in ours(cluster):
        for container in set(names(one)) - {"kube-scheduler"}:
            log = cluster.kubectl("logs", "-n", one["metadata"]["namespace"], one["metadata"]["name"], "-c", container)
            assert log, (one["metadata"]["name"], container)
            bad = (" ERROR ", "Traceback", "Forbidden")
            said_so = (line for line in log.splitlines() if any(word in line for word in bad))
            found += (f"{one['metadata']['name']}: {line}" for line in said_so)
    return found


def test_the_leaders_node_is_lost_and_the_others_take_over(real: Cluster) -> None:
    """Power is cut where both leaders run, and the service does not; later the node is back."""
    (serving,) = real.running(OF_TINY)
    kept = serving["spec"]["nodeName"]
    lost_node = next(node for name, node in real.real.items() if name != kept)
    for lease in ("berth-operator", "berth-scheduler"):  # leaders leave where the service is, and the others follow
        leader = leader_of(real, lease)
        if node_of(real, leader) == kept:
            real.api.delete(f"/api/v1/namespaces/{SYSTEM_NAMESPACE}/pods/{leader}")
            wait_for(
                f"a leader of {lease} elsewhere",
                lambda lease=lease: node_of(real, leader_of(real, lease)) == lost_node.name,
                HEAL_SECONDS,
            )
    wait_berth(real, 6)
    assert is_spread(real)
    before = [leader_of(real, lease) for lease in ("berth-operator", "berth-scheduler")]
    began = time.monotonic()
    lost_node.kill()
    try:
        there = {"kubernetes.io/hostname": kept}  # for 40 s nobody knows that the other one is lost
        real.create(
            pod("after", image=IMAGE, scheduler="berth", container=SLEEPS, labels={"app": "after"}, nodeSelector=there)
        )
        real.kubectl("scale", "llmservice/tiny", "--replicas=2")
        wait_until(real, "two answer", lambda: len(serving_pods(real)) == 2 and is_ready(real))
        real.wait_running("app=after", 1, timeout=HEAL_SECONDS)
        said(f"the node of both leaders lost: a pod placed and a service scaled after {time.monotonic() - began:.1f} s")
        after = [leader_of(real, lease) for lease in ("berth-operator", "berth-scheduler")]
        assert not set(before) & set(after)
    finally:
        lost_node.start()
        wait_real_node(real.api, lost_node)
        complete(real, [lost_node], GPUS)
    wait_berth(real, 6)
    real.api.delete("/api/v1/namespaces/default/pods/after", grace_seconds=0)
    real.kubectl("scale", "llmservice/tiny", "--replicas=1")
    wait_until(real, "one", lambda: len(serving_pods(real)) == 1 and is_ready(real))


def leader_of(cluster: Cluster, lease: str) -> str:
    """The pod. kube-scheduler puts a random part behind its host's name."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/leases/{lease}"
    return str(cluster.api.get(path)["spec"].get("holderIdentity") or "").partition("_")[0]


def node_of(cluster: Cluster, name: str) -> str:
    return next((str(p["spec"].get("nodeName")) for p in ours(cluster) if p["metadata"]["name"] == name), "")


def test_uninstalling_leaves_kinds_and_objects_and_what_serves(real: Cluster, helm: Config) -> None:
    serving = serving_pods(real)
    assert serving
    # Helm takes the roles away before the pods have ended: an extender cannot delete its Lease then
    real.meant.append(
        "berth-scheduler: delete /apis/coordination.k8s.io/v1/namespaces/berth-system/leases/berth-extender-"
    )
    helm.uninstall("berth", timeout=60)
    wait_for("no pods of ours", lambda: not ours(real), 90.0)
    for name in DEFINITIONS:
        real.kubectl("get", "crd", name)
    assert real.api.exists(f"{SERVICES}/tiny")
    assert serving_pods(real) == serving
    assert all(answers(address) for address in serving.values())
    # what is left needs nobody of ours to go
    real.api.delete(f"{SERVICES}/tiny")
    wait_for("its pods go with it", lambda: not real.pods(OF_TINY), 90.0)


def test_gpus_that_fall_ill_are_no_room(real: Cluster) -> None:
    """The plugin's word reaches the node's status as a real one's would."""
    node = real.real["real-1"]

    def room() -> str:
        return str(real.api.get(f"/api/v1/nodes/{node.name}")["status"]["allocatable"][GPU])

    (node.folder / "ill-gpus").write_text("GPU-fake-0 GPU-fake-3")
    wait_for("two GPUs less", lambda: room() == str(GPUS - 2), 30.0, seen=room)
    (node.folder / "ill-gpus").unlink()
    wait_for("all again", lambda: room() == str(GPUS), 30.0, seen=room)
