"""How long filter and prioritize take, beside an echo server on the same stack in the same run.

    python -m benchmarks.extender_latency --seed 1

Both servers are pinned to one core, the client to another. Calls alternate between them, so that whatever else the machine
does meets both alike. The extender is the real one (wire, verbs, decisions) over a cluster that lives: each call is about a
pod that has just arrived, and after each pair of calls that pod is bound, as the watch would tell. With `--plan` an active
plan keeps room on a tenth of the nodes.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop

from benchmarks.record import Machine, this_machine
from berth_cluster.snapshot import Node, Pod, PodSpec, WorkloadKey
from berth_extender.asked_pods import AskedPods
from berth_extender.garbage import Garbage
from berth_extender.metrics import Metrics
from berth_extender.server import Application, Server, health_application, take_port
from berth_extender.verbs import Verbs
from berth_scheduling.scheduler import Scheduler
from berth_scheduling.settings import Settings

SIZES = (1_000, 5_000)
CALLS = 1_000
WARM_UP_CALLS = 50
PODS_A_NODE = 3
SHAPES = 20
SERVER_CORE, CLIENT_CORE = 0, 1
TARGET_P50, TARGET_P99 = 3.5, 4.0
POD_PADDING = 1_500
"""Bytes of a pod that the extender skips: service account volumes, tolerations, status; as real requests carry them."""

Message = MutableMapping[str, Any]


class Figures(msgspec.Struct, frozen=True):
    """One verb at one size: milliseconds, and how many times the echo's."""

    verb: str
    names: int
    calls: int
    p50: float
    p99: float
    echo_p50: float
    echo_p99: float

    @property
    def ratio_p50(self) -> float:
        return self.p50 / self.echo_p50

    @property
    def ratio_p99(self) -> float:
        return self.p99 / self.echo_p99


class LatencyReport(msgspec.Struct, frozen=True):
    seed: int
    narrow_to: int | None
    plan: bool
    machine: Machine
    figures: tuple[Figures, ...]


def main() -> int:
    chosen = _parser().parse_args()
    if chosen.serve:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(chosen))
        return 0
    machine = this_machine()
    figures: list[Figures] = []
    for nodes in chosen.sizes:
        figures += _measure(chosen, nodes)
    report = LatencyReport(chosen.seed, chosen.narrow_to or None, chosen.plan, machine, tuple(figures))
    print(_table(report))
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        path = chosen.out / "extender_latency.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        print(f"written to {path}", file=sys.stderr)
    return 0


# The client


def _measure(chosen: argparse.Namespace, nodes: int) -> list[Figures]:
    echo_port, port = _free_port(), _free_port()
    flags = [f"--seed={chosen.seed}", f"--serve={port}", f"--sizes={nodes}", f"--narrow-to={chosen.narrow_to}"]
    flags += ["--plan"] if chosen.plan else []
    servers = [
        _start("benchmarks.echo_extender", str(echo_port)),
        _start("benchmarks.extender_latency", *flags),
    ]
    try:
        os.sched_setaffinity(0, {CLIENT_CORE % (os.cpu_count() or 1)})
        echo, berth = _Caller(echo_port), _Caller(port)
        return _alternate(chosen, nodes, echo, berth)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def _alternate(chosen: argparse.Namespace, nodes: int, echo: _Caller, berth: _Caller) -> list[Figures]:
    rng = random.Random(chosen.seed)
    names = [_node_name(i) for i in range(nodes)]
    taken: dict[tuple[str, str], list[float]] = {}
    for call in range(chosen.calls + WARM_UP_CALLS):
        shape = rng.randrange(SHAPES)
        berth.call("/arrive", msgspec.json.encode([call, shape]))
        chunk = rng.randrange(nodes)  # kube-scheduler's order varies with its workers
        body = _body(call, names[chunk:] + names[:chunk])
        first = rng.random() < 0.5
        for verb in ("filter", "prioritize"):
            for server, name in ((echo, "echo"), (berth, "berth")) if first else ((berth, "berth"), (echo, "echo")):
                seconds = server.call(f"/{verb}", body)
                if call >= WARM_UP_CALLS:
                    taken.setdefault((name, verb), []).append(seconds * 1_000)
        berth.call("/bind", msgspec.json.encode([call, rng.randrange(nodes)]))
    pairs = {name: np.add(taken[name, "filter"], taken[name, "prioritize"]) for name in ("echo", "berth")}
    figures = [_figures(verb, nodes, taken["berth", verb], taken["echo", verb]) for verb in ("filter", "prioritize")]
    return [*figures, _figures("both", nodes, pairs["berth"], pairs["echo"])]


def _figures(verb: str, names: int, berth: Any, echo: Any) -> Figures:
    p50, p99 = (float(np.percentile(berth, q)) for q in (50, 99))
    echo_p50, echo_p99 = (float(np.percentile(echo, q)) for q in (50, 99))
    return Figures(verb, names, len(berth), p50, p99, echo_p50, echo_p99)


class _Caller:
    """One kept-alive connection, as kube-scheduler keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for _ in range(600):
            try:
                self._connection.connect()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, path: str, body: bytes) -> float:
        """Seconds from the first byte sent to the last received."""
        started = time.perf_counter()
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        answer.read()
        took = time.perf_counter() - started
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return took


def _start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([sys.executable, "-m", module, *arguments])
    os.sched_setaffinity(server.pid, {SERVER_CORE})
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _body(call: int, names: list[str]) -> bytes:
    pod = {
        "metadata": {"name": f"pod-{call}", "namespace": "default", "uid": f"uid-{call}"},
        "spec": {"volumes": [{"name": "x" * POD_PADDING}], "containers": [{"name": "c"}]},
        "status": {"phase": "Pending"},
    }
    return msgspec.json.encode({"Pod": pod, "Nodes": None, "NodeNames": names})


# The extender's side


class _Cluster:
    """Pods and nodes as the watch cache would hold them, and the two events that the client asks for."""

    def __init__(self, scheduler: Scheduler, nodes: int, seed: int) -> None:
        self._scheduler = scheduler
        self._pods: dict[str, Pod] = {}
        rng = random.Random(seed)
        amounts = (("cpu", 64_000), ("memory", 512 * 2**30), ("nvidia.com/gpu", 8), ("pods", 110))
        for i in range(nodes):
            scheduler.node_changed(None, Node(_node_name(i), amounts))
        self._specs = [
            PodSpec((("cpu", 1_000 * rng.randint(1, 8)), ("memory", rng.randint(1, 32) * 2**30), ("nvidia.com/gpu", rng.randint(0, 2)), ("pods", 1)))
            for _ in range(SHAPES)
        ]  # fmt: skip
        for i in range(nodes * PODS_A_NODE):
            pod = self._pod(f"standing-{i}", rng.randrange(SHAPES), _node_name(rng.randrange(nodes)))
            scheduler.pod_changed(None, pod)

    def pod_by_uid(self, uid: str) -> Pod | None:
        return self._pods.get(uid)

    def read_pod(self, raw: bytes) -> Pod:
        raise LookupError(raw)

    def arrive(self, number: int, shape: int) -> None:
        pod = self._pod(f"{number}", shape, None)
        self._pods[pod.uid] = pod
        self._scheduler.pod_changed(None, pod)

    def bind(self, number: int, node: int) -> None:
        before = self._pods.pop(f"uid-{number}")
        self._scheduler.pod_changed(before, msgspec.structs.replace(before, node=_node_name(node), phase="Running"))

    def _pod(self, number: str, shape: int, node: str | None) -> Pod:
        workload = WorkloadKey("default", "Deployment", f"workload-{shape}", f"workload-uid-{shape}")
        phase: Any = "Pending" if node is None else "Running"
        uid = f"uid-{number}"
        return Pod("default", f"pod-{number}", uid, self._specs[shape], 0, workload, phase, node, scheduler="berth")


async def _serve(chosen: argparse.Namespace) -> None:
    (nodes,) = chosen.sizes
    scheduler = Scheduler(Settings(narrow_to=chosen.narrow_to or None))
    cluster = _Cluster(scheduler, nodes, chosen.seed)
    if chosen.plan:
        from benchmarks.extender_plan import active_plan

        scheduler.plan_changed(None, active_plan([_node_name(i) for i in range(0, nodes, 10)]))
    metrics, synced = Metrics(), asyncio.Event()
    synced.set()
    verbs = Application(Verbs(scheduler, AskedPods(cluster, metrics), metrics, synced), health_application(str))

    async def application(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["path"] not in ("/arrive", "/bind"):
            await verbs(scope, receive, send)
            return
        number, what = msgspec.json.decode((await receive())["body"])
        (cluster.arrive if scope["path"] == "/arrive" else cluster.bind)(number, what)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    Garbage(metrics).freeze()
    with take_port("127.0.0.1", chosen.serve) as listening:
        await Server(application, listening).run_until(asyncio.Event())


def _node_name(number: int) -> str:
    return f"gpu-pool-a-node-{number:05d}"


def _table(report: LatencyReport) -> str:
    lines = [
        f"seed {report.seed}, narrow to {report.narrow_to}, plan {report.plan}, load {report.machine.load_average:.1f}",
        f"{'verb':<11}{'names':>6}{'p50 ms':>9}{'p99 ms':>9}{'echo p50':>10}{'echo p99':>10}{'x p50':>7}{'x p99':>7}",
    ]
    for f in report.figures:
        met = f.ratio_p50 <= TARGET_P50 and f.ratio_p99 <= TARGET_P99
        lines.append(
            f"{f.verb:<11}{f.names:>6}{f.p50:>9.3f}{f.p99:>9.3f}{f.echo_p50:>10.3f}{f.echo_p99:>10.3f}"
            f"{f.ratio_p50:>7.2f}{f.ratio_p99:>7.2f}  {'met' if met else 'missed'}"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), metavar="NODES")
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--narrow-to", type=int, default=32, help="0: pass all")
    parser.add_argument("--plan", action="store_true", help="an active plan keeps room on a tenth of the nodes")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", type=int, default=0, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
