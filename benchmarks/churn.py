"""Hours of a cluster's life in minutes: workloads come, grow, shrink and go at random, and at the end nothing is left over.

    PYTHONPATH=e2e python -m benchmarks.churn --nodes 200 --minutes 20 --seed 7

A real control plane with fake nodes of 8 GPUs (see e2e/), two pairs of scheduler and extender, one operator. ReplicaSets of
three priorities and 1 to 8 GPUs a pod arrive while demand is below `--usage`, are scaled and deleted, about two changes a second.
Then the changes stop, and when the cluster is quiet it is asked:

- does any pod wait that a fresh solve of the same cluster would place?
- are the extenders' ledgers and reservations empty, and is no plan left over?
- did the memory of our processes grow? (their medians over the last third of the time against the second third)

The exit code is 1 when any answer is wrong. `--out DIR` keeps the figures as JSON.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path

import msgspec

from benchmarks.record import Machine, this_machine
from berth_cluster.dump import read_dumps
from berth_e2e.cluster import Cluster
from berth_e2e.objects import priority_class, replica_set
from berth_e2e.process import marked_pids
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan
from berth_planner.planning import make_plan

GPUS = 8
SIZES, SIZE_WEIGHTS = (1, 2, 4, 8), (8, 6, 4, 1)
PRIORITIES = {"urgent": 1000, "standard": 100, "best-effort": 0}
CHANGE_SECONDS = 0.5
SAMPLE_SECONDS = 5.0
QUIET_SECONDS = 20.0
"""Nothing bound, planned or deleted for so long: quiet."""
SETTLE_SECONDS = 240.0
GROWTH_ALLOWED = 1.05
FRESH_SECONDS = 10.0
KINDS = ("nodes", "pods", "poddisruptionbudgets", "replicasets", "priorityclasses", "namespaces")
PLANS = "/apis/berth.dev/v1alpha1/packingplans"
POLICIES = "/apis/berth.dev/v1alpha1/packingpolicies"
GAUGES = ("berth_extender_ledger_pods", "berth_extender_reserved_pods", "berth_extender_active_plans")


class Growth(msgspec.Struct, frozen=True):
    """Of one process: medians of its resident memory, in MB."""

    process: str
    second_third: float
    last_third: float

    @property
    def ratio(self) -> float:
        return self.last_third / self.second_third if self.second_third else 1.0


class ChurnReport(msgspec.Struct, frozen=True):
    nodes: int
    minutes: float
    seed: int
    changes: int
    pods_made: int
    plans: dict[str, int]
    """By outcome."""
    moves: int
    waiting: int
    fresh_gain: int
    """Pods that a fresh solve places more than run; by strict priority, at the first tier that differs."""
    left_over: dict[str, float]
    growth: tuple[Growth, ...]
    machine: Machine

    @property
    def faults(self) -> list[str]:
        found = [f"{what}: {value:g} left over" for what, value in self.left_over.items() if value]
        found += [f"{g.process} grew by {g.ratio - 1:.0%}" for g in self.growth if g.ratio > GROWTH_ALLOWED]
        if self.fresh_gain:
            found.append(f"a fresh solve places {self.fresh_gain} more pods")
        return found


class Churn:
    """The workloads that exist, and the random hand that changes them."""

    def __init__(self, cluster: Cluster, nodes: int, usage: float, draw: random.Random) -> None:
        self._cluster = cluster
        self._room = nodes * GPUS * usage
        self._draw = draw
        self._alive: dict[str, tuple[int, int]] = {}
        """Name to (GPUs a pod, replicas)."""
        self.changes = 0
        self.made = 0

    @property
    def asked(self) -> int:
        return sum(gpus * replicas for gpus, replicas in self._alive.values())

    def change(self) -> None:
        self.changes += 1
        kind = self._draw.random()
        if self.asked < self._room and (kind < 0.6 or not self._alive):
            self._create()
        elif kind < 0.8:
            self._scale()
        else:
            self._delete()

    def fill(self) -> None:
        while self.asked < self._room:
            self._create()

    def _create(self) -> None:
        self.made += 1
        name = f"w{self.made:05}"
        gpus = self._draw.choices(SIZES, SIZE_WEIGHTS)[0]
        replicas = self._draw.randint(1, 6)
        priority = self._draw.choice(list(PRIORITIES))
        self._alive[name] = (gpus, replicas)
        self._cluster.create(replica_set(name, replicas, gpus=gpus, scheduler="berth", priority_class=priority))

    def _scale(self) -> None:
        name = self._draw.choice(list(self._alive))
        gpus, _ = self._alive[name]
        replicas = self._draw.randint(0, 6)
        self._alive[name] = (gpus, replicas)
        self._cluster.api.request(
            "PATCH", _path(name), {"spec": {"replicas": replicas}}, "application/merge-patch+json"
        )

    def _delete(self) -> None:
        name = self._draw.choice(list(self._alive))
        del self._alive[name]
        self._cluster.api.request("DELETE", _path(name), {"propagationPolicy": "Background"})


def run(nodes: int, minutes: float, usage: float, seed: int) -> ChurnReport:
    """Raises when the cluster does not come up or does not come to rest."""
    machine = this_machine()
    with Cluster.start(f"churn-{seed}", nodes=nodes, gpus=GPUS, berth=True) as cluster:
        for name, value in PRIORITIES.items():
            cluster.create(priority_class(name, value))
        budgets = {"movesPerPlan": 1_000, "movesPerHour": 10_000, "movesPerWorkload": 1_000, "movesPerPodGained": 1_000}
        policy = {"budgets": budgets, "restSeconds": 0}
        cluster.api.request(
            "POST",
            POLICIES,
            {
                "apiVersion": "berth.dev/v1alpha1",
                "kind": "PackingPolicy",
                "metadata": {"name": "churn"},
                "spec": policy,
            },
        )
        churn = Churn(cluster, nodes, usage, random.Random(seed))
        churn.fill()
        samples = _live(cluster, churn, minutes)
        _come_to_rest(cluster)
        plan = _fresh_plan(cluster)
        outcomes: dict[str, int] = defaultdict(int)
        moves = 0
        for found in cluster.api.items(PLANS):
            outcomes[found.get("status", {}).get("phase") or "Proposed"] += 1
            moves += len(found.get("status", {}).get("evictions", []))
        waiting = sum(1 for pod in cluster.pods() if not pod["spec"].get("nodeName"))
        return ChurnReport(
            nodes,
            minutes,
            seed,
            churn.changes,
            churn.made,
            dict(outcomes),
            moves,
            waiting,
            _gain(plan),
            _left_over(cluster),
            _growth(samples),
            machine,
        )


def _live(cluster: Cluster, churn: Churn, minutes: float) -> dict[str, list[float]]:
    """Changes things until the time is over; memory of each process over time, in MB."""
    samples: dict[str, list[float]] = defaultdict(list)
    end = time.monotonic() + minutes * 60
    next_sample = next_word = 0.0
    while (now := time.monotonic()) < end:
        churn.change()
        if now >= next_sample:
            next_sample = now + SAMPLE_SECONDS
            for name, size in _memory(cluster).items():
                samples[name].append(size)
        if now >= next_word:
            next_word = now + 60
            said = f"{(end - now) / 60:.0f} min left, {churn.changes} changes, {churn.asked} GPUs asked for"
            print(said, file=sys.stderr, flush=True)
        time.sleep(max(0.0, now + CHANGE_SECONDS - time.monotonic()))
    return samples


def _come_to_rest(cluster: Cluster) -> None:
    """Waits until no pod is bound or deleted and no plan runs for a while. Raises TimeoutError."""
    end = time.monotonic() + SETTLE_SECONDS
    before, since = None, time.monotonic()
    while time.monotonic() < end:
        active = [
            plan["metadata"]["name"]
            for plan in cluster.api.items(PLANS)
            if not any(c["type"] == "Finished" for c in plan.get("status", {}).get("conditions", []))
        ]
        picture = sorted(
            (p["metadata"]["uid"], p["spec"].get("nodeName"), p["metadata"].get("deletionTimestamp"))
            for p in cluster.pods()
        )
        if active or picture != before:
            before, since = picture, time.monotonic()
        elif time.monotonic() - since >= QUIET_SECONDS:
            return
        time.sleep(1)
    raise TimeoutError(f"the cluster was still changing {SETTLE_SECONDS:g} s after the last change of ours")


def _fresh_plan(cluster: Cluster) -> Plan:
    """What a solve of this cluster from scratch would do."""
    folder = cluster.state.folder / "fresh.json"
    folder.write_text(cluster.kubectl("get", ",".join(KINDS), "-A", "-o", "json"))
    return make_plan(read_dumps([folder]), PlanOptions(movable="berth", budget=FRESH_SECONDS))


def _gain(plan: Plan) -> int:
    return next((t.placed_after - t.placed_before for t in plan.tiers if t.placed_after != t.placed_before), 0)


def _left_over(cluster: Cluster) -> dict[str, float]:
    found = {}
    for name, process in cluster.processes.items():
        if name.startswith("extender-") and process.pid is not None:
            port = cluster.state.ports[name.replace("extender-", "extender-metrics-")]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                told = answer.read().decode()
            for gauge in GAUGES:
                value = next(line.split()[1] for line in told.splitlines() if line.startswith(f"{gauge} "))
                found[f"{name} {gauge}"] = float(value)
    return found


def _memory(cluster: Cluster) -> dict[str, float]:
    """Resident memory of Berth's processes, in MB."""
    found: dict[str, float] = {}
    for pid in marked_pids(cluster.state.folder):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
        except OSError:
            continue
        if "berth_operator.solver_worker" in command:
            found["solver"] = resident
        elif "--identity" in command:
            found[command[command.index("--identity") + 1]] = resident
    return found


def _growth(samples: dict[str, list[float]]) -> tuple[Growth, ...]:
    growth = []
    for name, sizes in sorted(samples.items()):
        third = len(sizes) // 3
        if third:
            growth.append(Growth(name, statistics.median(sizes[third : 2 * third]), statistics.median(sizes[-third:])))
    return tuple(growth)


def _path(name: str) -> str:
    return f"/apis/apps/v1/namespaces/default/replicasets/{name}"


def table(report: ChurnReport) -> str:
    lines = ["| | |", "| --- | --- |"]
    lines.append(f"| nodes, minutes, seed | {report.nodes}, {report.minutes:g}, {report.seed} |")
    lines.append(f"| changes, workloads made | {report.changes}, {report.pods_made} |")
    plans = ", ".join(f"{n} {outcome}" for outcome, n in sorted(report.plans.items()))
    lines.append(f"| plans that are kept, their moves | {plans}; {report.moves} |")
    lines.append(f"| pods waiting at the end, of which a fresh solve places | {report.waiting}, {report.fresh_gain} |")
    lines.append(f"| ledger, reservations, active plans left over | {sum(report.left_over.values()):g} |")
    lines += [
        f"| memory of {g.process}, MB | {g.second_third:.0f}, then {g.last_third:.0f} ({g.ratio - 1:+.1%}) |"
        for g in report.growth
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nodes", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--usage", type=float, default=1.02, help="GPUs asked for, as a share of all (default 1.02)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    try:
        report = run(given.nodes, given.minutes, given.usage, given.seed)
    except subprocess.SubprocessError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(report))
    for fault in report.faults:
        print(f"WRONG: {fault}")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "churn.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return int(bool(report.faults))


if __name__ == "__main__":
    sys.exit(main())
