"""Pods a second through a real kube-scheduler: alone and with the extender beside it, in the same run.

    PYTHONPATH=e2e python -m benchmarks.scheduler_throughput --nodes 1000 --pods 2000

One cluster (see e2e/) with fake nodes. For each way and round, all pods of one ReplicaSet are made first, while no scheduler
looks at them; then the scheduler starts, and what counts is from its first binding to its last. So neither the creation of
pods nor the start of processes is in the figure; API server, controllers and fake kubelets share the cores with it, the
same for all ways. The ways take turns, forwards and backwards.

    stock           as it comes: looks at 42 % of 1,000 nodes
    stock-all       percentageOfNodesToScore: 100
    berth           the bundled configuration and the extender as it comes (narrows to the best node)
    berth-all       the same without narrowing: all feasible nodes are scored
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.record import Machine, this_machine
from berth_cluster.connection import ApiError, Connection
from berth_e2e.cluster import Cluster
from berth_e2e.objects import replica_set
from berth_e2e.ports import claim_port, give_back
from berth_e2e.waiting import wait_for
from berth_extender.kube_scheduler import QUERIES_PER_SECOND, configuration

WAYS = ("stock", "stock-all", "berth", "berth-all")
NODES, PODS, ROUNDS = 1_000, 2_000, 2
SHAPES = ((0, "500m"), (1, "2"), (2, "4"), (1, "1"))
"""GPUs and cpu of the pods: a few templates, as a cluster has."""
WAY_SECONDS = 180.0
READY_SECONDS = 60.0
TARGETS = {"stock": 0.7, "stock-all": 0.9}
"""Of that way's pods a second, the least that `berth` must reach."""


class Run(msgspec.Struct, frozen=True):
    way: str
    round: int
    pods: int
    seconds: float
    scheduler_cpu: float
    """Seconds of CPU in that time; unlike pods/s hardly touched by what else the machine does."""
    extender_cpu: float

    @property
    def cpu_milliseconds(self) -> float:
        """A pod, scheduler and extender together."""
        return 1_000 * (self.scheduler_cpu + self.extender_cpu) / self.pods

    @property
    def rate(self) -> float:
        return (self.pods - 1) / self.seconds


class ThroughputReport(msgspec.Struct, frozen=True):
    nodes: int
    pods: int
    version: str
    machine: Machine
    runs: tuple[Run, ...]

    def rate(self, way: str) -> float:
        return statistics.median(run.rate for run in self.runs if run.way == way)


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""


class _Pod(msgspec.Struct, frozen=True):
    metadata: _Meta = _Meta()


class _Event(msgspec.Struct, frozen=True):
    type: str
    object: _Pod


def main() -> int:
    chosen = _parser().parse_args()
    machine = this_machine()
    runs: list[Run] = []
    with Cluster.start(chosen.name, nodes=chosen.nodes, gpus=8) as cluster:
        cluster.processes["kube-scheduler"].stop()  # only one scheduler at a time
        for number in range(chosen.rounds):
            for way in chosen.ways if number % 2 == 0 else chosen.ways[::-1]:
                runs.append(_run(cluster, way, number, chosen.pods))
                print(f"round {number + 1}: {way:<10} {runs[-1].rate:7.1f} pods/s", file=sys.stderr, flush=True)
    report = ThroughputReport(chosen.nodes, chosen.pods, cluster.state.version, machine, tuple(runs))
    print(_table(report))
    if chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        path = chosen.out / "scheduler_throughput.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
        print(f"written to {path}", file=sys.stderr)
    return 0


def _run(cluster: Cluster, way: str, number: int, pods: int) -> Run:
    scheduler = f"bench-{way}"
    groups = [f"load-{i}" for i in range(len(SHAPES))]
    each = pods // len(groups)
    for group, (gpus, cpu) in zip(groups, SHAPES, strict=True):
        cluster.create(replica_set(group, each, scheduler=scheduler, gpus=gpus, cpu=cpu))
    total = each * len(groups)
    wait_for(f"{total} pods made", lambda: _count(cluster) == total, WAY_SECONDS)
    ports = [claim_port(random.Random()) for _ in range(3)]
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        if way.startswith("berth"):
            started["extender"] = _start_extender(cluster, way, ports)
        before: dict[str, float] = {}

        def begin() -> None:
            started["scheduler"] = _start_scheduler(cluster, way, ports)

        def first_bound() -> None:
            before.update({name: _cpu_seconds(process.pid) for name, process in started.items()})

        seconds = asyncio.run(_watch(cluster, total, begin, first_bound))
        spent = {name: _cpu_seconds(process.pid) - before[name] for name, process in started.items()}
    finally:
        for process in reversed(started.values()):
            process.terminate()
            process.wait()
        give_back(ports)
        for group in groups:
            cluster.api.delete(f"/apis/apps/v1/namespaces/default/replicasets/{group}")
        cluster.api.delete("/api/v1/namespaces/default/pods", grace_seconds=0)
        wait_for("all pods gone", lambda: _count(cluster) == 0, WAY_SECONDS)
    return Run(way, number, total, seconds, spent["scheduler"], spent.get("extender", 0.0))


async def _watch(cluster: Cluster, total: int, start: Callable[[], None], first_bound: Callable[[], None]) -> float:
    """Seconds from the first binding to the last, seen by a watch on bound pods."""
    connection = await Connection.open(cluster.kubeconfig)
    bound: dict[str, float] = {}
    query = {"watch": "1", "fieldSelector": "spec.nodeName!=", "resourceVersion": "0"}
    try:
        async with asyncio.timeout(WAY_SECONDS):
            start()
            while len(bound) < total:
                try:
                    async for line in connection.stream("/api/v1/namespaces/default/pods", query):
                        event = msgspec.json.decode(line, type=_Event)
                        if event.type == "ADDED":
                            if not bound:
                                first_bound()
                            bound.setdefault(event.object.metadata.name, time.perf_counter())
                            if len(bound) == total:
                                break
                except ApiError as error:
                    print(f"the watch is begun anew: {error}", file=sys.stderr)
    except TimeoutError:
        logs = "".join(f"\n{log.name}:\n{log.read_text()[-2_000:]}" for log in cluster.state.folder.glob("*.log"))
        raise RuntimeError(f"only {len(bound)} of {total} pods were bound in {WAY_SECONDS:g} s{logs}") from None
    finally:
        await connection.close()
    return max(bound.values()) - min(bound.values())


def _start_scheduler(cluster: Cluster, way: str, ports: list[int]) -> subprocess.Popen[bytes]:
    path = cluster.state.folder / f"{way}.json"
    path.write_text(json.dumps(_configuration(cluster, way, ports[0])))
    kubeconfig = str(cluster.kubeconfig)
    command = [str(cluster.binaries / "kube-scheduler"), "--config", str(path), "--bind-address", "127.0.0.1"]
    command += ["--secure-port", str(ports[2]), "--cert-dir", str(cluster.state.folder / "scheduler-certificates")]
    command += ["--authentication-kubeconfig", kubeconfig, "--authorization-kubeconfig", kubeconfig]
    with (cluster.state.folder / f"{way}-scheduler.log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def _configuration(cluster: Cluster, way: str, port: int) -> dict[str, Any]:
    """Client limits are raised for all ways, so that they compare algorithms and not a limit of 50 requests a second."""
    name = f"bench-{way}"
    if way.startswith("berth"):
        url = f"http://127.0.0.1:{port}"
        return configuration(
            extender_url=url, kubeconfig=str(cluster.kubeconfig), leader_elect=False, scheduler_name=name
        )
    connection = {"kubeconfig": str(cluster.kubeconfig), "qps": QUERIES_PER_SECOND, "burst": 2 * QUERIES_PER_SECOND}
    stock: dict[str, Any] = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": connection,
        "leaderElection": {"leaderElect": False},
        "profiles": [{"schedulerName": name}],
    }
    return stock | ({"percentageOfNodesToScore": 100} if way == "stock-all" else {})


def _start_extender(cluster: Cluster, way: str, ports: list[int]) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "berth"), "extender", "--kubeconfig", str(cluster.kubeconfig)]
    command += ["--port", str(ports[0]), "--metrics-port", str(ports[1]), "--identity", "bench"]
    command += ["--narrow-to", "0"] if way == "berth-all" else []
    with (cluster.state.folder / f"{way}-extender.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{ports[1]}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_for("the extender is ready", ready, READY_SECONDS)
    return process


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _count(cluster: Cluster) -> int:
    """Pods of the namespace, counted by the server."""
    listed = cluster.api.get("/api/v1/namespaces/default/pods", limit="1")
    return len(listed["items"]) + int(listed["metadata"].get("remainingItemCount", 0))


def _table(report: ThroughputReport) -> str:
    lines = [
        f"{report.pods} pods on {report.nodes} nodes, Kubernetes {report.version}, load before {report.machine.load_average:.1f}",
        f"{'way':<12}{'pods/s':>8}{'of stock':>10}{'of stock-all':>14}{'cpu ms/pod':>12}   each round",
    ]
    for way in dict.fromkeys(run.way for run in report.runs):
        shares = [report.rate(way) / report.rate(of) if of in {r.way for r in report.runs} else 0.0 for of in TARGETS]
        each = " ".join(f"{run.rate:.0f}" for run in report.runs if run.way == way)
        cpu = statistics.median(run.cpu_milliseconds for run in report.runs if run.way == way)
        lines.append(f"{way:<12}{report.rate(way):>8.1f}{shares[0]:>10.2f}{shares[1]:>14.2f}{cpu:>12.2f}   {each}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--pods", type=int, default=PODS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--name", default="throughput", help="of the cluster")
    parser.add_argument("--out", type=Path)
    return parser


if __name__ == "__main__":
    sys.exit(main())
