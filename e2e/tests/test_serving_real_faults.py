"""What befalls services that serve: rollouts under load, changes of mind, hung engines, lost nodes, dead operators. Everything
real: kubelets, the engine with a tiny model, the gateway, two operators. Slow: `make test-all`.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth, answers
from berth_e2e.cluster import Cluster
from berth_e2e.gateway import gateway
from berth_e2e.real_node.nodes import wait_real_node
from berth_e2e.tiny_service import OF_TINY, PACKAGES, SECONDS, SERVICES, condition, serving_pods, tiny, wait_until
from berth_e2e.waiting import wait_for

SPREAD = {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"berth.dev/llm-service": "tiny"}}}]}  # fmt: skip

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(500),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
    pytest.mark.skipif(PACKAGES is None, reason="the engine's environment is missing: make engine"),
]


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    berth = Berth(pairs=1, operators=2)
    with Cluster.start(f"serving-faults-{os.getpid()}", real=2, berth=berth) as cluster:
        yield cluster


@pytest.fixture
def real(standing: Cluster) -> Cluster:
    standing.clear(nodes=False)
    return standing


def spread(**spec: Any) -> dict[str, Any]:
    """Two replicas, one a node."""
    body = tiny(replicas=2, rollout="InPlace", **spec)
    body["spec"]["placement"] |= SPREAD
    return body


class Clients:
    """Ask the gateway again and again, streams and whole answers in turns, and keep what went wrong."""

    def __init__(self, url: str, count: int = 3, tokens: int = 60) -> None:
        self.url, self.tokens = url, tokens
        self.answered = 0
        self.failed: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(SECONDS)

    def _ask(self, number: int) -> None:
        asked = number
        while not self._stop.is_set():
            asked += 1
            try:
                told = completion(self.url, stream=asked % 2 == 0, max_tokens=self.tokens)
            except (OSError, urllib.error.URLError, ValueError, KeyError) as error:
                said = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
                self.failed.append(f"{type(error).__name__} {error} {said}")
                continue
            if told != self.tokens:
                self.failed.append(f"{told} tokens of {self.tokens}")
            self.answered += 1


def completion(url: str, *, stream: bool = False, max_tokens: int = 8) -> int:
    """Tokens that an answer has. Raises ValueError for a stream that ends with an error."""
    body = {"model": "tiny", "prompt": "Once upon", "max_tokens": max_tokens, "ignore_eos": True, "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    request = urllib.request.Request(
        f"{url}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        text = answer.read().decode()
    if not stream:
        return int(json.loads(text)["usage"]["completion_tokens"])
    events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    if events[-1] != "[DONE]":
        raise ValueError(f"the stream ends with {events[-1]}")
    return int(json.loads(events[-2])["usage"]["completion_tokens"])


def engines(cluster: Cluster) -> list[int]:
    """Processes of the engines on the cluster's nodes."""
    nodes = [node.cgroup for node in cluster.real.values()]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = any(node in (folder / "cgroup").read_text() for node in nodes)
            if ours and b"berth_engine.main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def is_ready(cluster: Cluster) -> bool:
    return condition(cluster)[0] == "True"


def is_done(cluster: Cluster) -> bool:
    """Of the newest generation: until somebody has looked at that, what is said is of the one before."""
    service = cluster.api.get(f"{SERVICES}/tiny")
    is_of_it = service.get("status", {}).get("observedGeneration") == service["metadata"]["generation"]
    return is_of_it and is_ready(cluster) and condition(cluster, "Progressing")[1] == "Done"


def change(cluster: Cluster, **engine: Any) -> None:
    cluster.api.merge(f"{SERVICES}/tiny", {"spec": {"engine": engine}})


def is_replaced(cluster: Cluster, before: set[str]) -> bool:
    return is_ready(cluster) and not before & set(serving_pods(cluster))


def test_rollouts_and_changes_of_mind_lose_no_request(real: Cluster, tmp_path: Path) -> None:
    real.create(spread())
    wait_until(real, "ready", lambda: is_ready(real))
    with gateway(real.gateway_kubeconfig(), tmp_path) as url, Clients(url) as clients:
        wait_for("answers", lambda: clients.answered >= 3, SECONDS, seen=lambda: clients.failed[-3:])
        before = set(serving_pods(real))
        change(real, maxBatch=8)
        wait_until(real, "the second generation", lambda: is_replaced(real, before))
        second = set(serving_pods(real))
        change(real, maxBatch=16)
        wait_until(real, "a rollout under way", lambda: set(serving_pods(real)) != second)
        change(real, maxBatch=8)  # back, while it is under way
        wait_until(real, "as it was", lambda: is_done(real))
        assert set(serving_pods(real)) & second, "the revert took no replica down that need not go"
    assert not clients.failed, clients.failed[:3]
    assert clients.answered > 10


def test_a_generation_that_never_gets_ready_takes_one_replica_and_no_more(real: Cluster, tmp_path: Path) -> None:
    real.create(spread())
    wait_until(real, "ready", lambda: is_ready(real))
    before = set(serving_pods(real))
    with gateway(real.gateway_kubeconfig(), tmp_path) as url, Clients(url, count=1) as clients:
        change(real, image="localhost/not-there:1")
        wait_until(real, "the reason", lambda: condition(real)[1] == "ImagePullFailed")
        assert condition(real, "Progressing")[1] == "Stalled"
        time.sleep(10.0)
        assert len(before & set(serving_pods(real))) == 1, "the other one goes on"
        change(real, image=tiny()["spec"]["engine"]["image"])
        wait_until(real, "ready again", lambda: is_ready(real) and len(serving_pods(real)) == 2)
        assert before & set(serving_pods(real))
    assert not clients.failed, clients.failed[:3]


def test_fewer_replicas_and_none_at_all_cut_no_stream(real: Cluster, tmp_path: Path) -> None:
    real.create(spread())
    wait_until(real, "ready", lambda: is_ready(real))
    addresses = serving_pods(real)
    told: dict[str, int] = {}

    def ask(name: str, address: str) -> None:
        told[name] = completion(f"http://{address}:8000", stream=True, max_tokens=1_200)

    asking = [threading.Thread(target=ask, args=pod, daemon=True) for pod in addresses.items()]
    for thread in asking:
        thread.start()
    time.sleep(1.0)
    real.api.merge(f"{SERVICES}/tiny/scale", {"spec": {"replicas": 1}})
    wait_until(real, "one", lambda: len(serving_pods(real)) <= 1 or condition(real, "Draining")[0] == "True")
    real.api.delete(f"{SERVICES}/tiny")
    for thread in asking:
        thread.join(SECONDS)
    assert told == dict.fromkeys(addresses, 1_200)
    wait_for("nothing left", lambda: not real.pods(OF_TINY), SECONDS)


def test_a_hung_engine_is_told_within_ten_seconds(real: Cluster) -> None:
    real.create(tiny())
    wait_until(real, "ready", lambda: is_ready(real))
    (engine,) = engines(real)
    os.kill(engine, signal.SIGSTOP)
    began = time.monotonic()
    try:
        wait_until(real, "the reason", lambda: condition(real)[1] == "NotAnswering")
        assert time.monotonic() - began < 15.0  # three probes of two seconds, and the last one's timeout
    finally:
        os.kill(engine, signal.SIGCONT)
    wait_until(real, "ready again", lambda: is_ready(real))


def test_a_lost_node_is_told_and_the_other_replica_answers_meanwhile(real: Cluster, tmp_path: Path) -> None:
    real.create(spread())
    wait_until(real, "ready", lambda: is_ready(real))
    with gateway(real.gateway_kubeconfig(), tmp_path) as url, Clients(url, count=2) as clients:
        wait_for("answers", lambda: clients.answered >= 3, SECONDS)
        real.real["real-2"].cut()
        try:
            wait_until(real, "the reason", lambda: condition(real)[1] == "NodeLost")
            assert "real-2" in condition(real)[2]
            clients.failed.clear()  # a request that the node had taken along is told, and not asked again
            before = clients.answered
            wait_for("answers", lambda: clients.answered > before + 5, SECONDS, seen=lambda: clients.failed[-3:])
            assert not clients.failed, clients.failed[:3]
        finally:
            real.real["real-2"].mend()
        wait_until(real, "both again", lambda: is_ready(real))


def test_a_node_that_was_switched_off_serves_again_when_it_is_back(real: Cluster) -> None:
    real.create(spread())
    wait_until(real, "ready", lambda: is_ready(real))
    node = real.real["real-1"]
    node.kill()
    node.start()
    wait_real_node(real.api, node)
    # for as long as nobody has missed the node, its pods stand as they stood before
    wait_until(real, "both answer", lambda: all(_says_something(a) for a in serving_pods(real).values()))
    wait_until(real, "ready", lambda: is_ready(real) and len(serving_pods(real)) == 2)
    assert all(_says_something(address) for address in serving_pods(real).values())


def _says_something(address: str) -> bool:
    try:
        return completion(f"http://{address}:8000") == 8
    except OSError:
        return False


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0, 3.0, 6.0])
def test_whenever_the_leader_dies_another_ends_what_it_began(real: Cluster, seconds: float) -> None:
    real.create(spread())
    if seconds < 1.0:  # while it is being made
        time.sleep(seconds)
    else:  # while it is being rolled out
        wait_until(real, "ready", lambda: is_ready(real))
        change(real, maxBatch=8)
        time.sleep(seconds - 1.0)
    leader = leader_of(real)
    real.processes[leader].kill()
    try:
        wait_until(real, "another leads", lambda: leader_of(real) != leader)
        wait_until(real, "the end of what was begun", lambda: is_done(real))
        assert len(serving_pods(real)) == 2
    finally:
        real.processes[leader].start()
        wait_for("it stands by", lambda: answers(real.state.ports[leader]), SECONDS)


def leader_of(cluster: Cluster) -> str:
    lease = cluster.api.get("/apis/coordination.k8s.io/v1/namespaces/berth-system/leases/berth-operator")
    return str(lease["spec"].get("holderIdentity"))
