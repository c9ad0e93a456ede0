"""The paper's experiment on a real control plane: the stock scheduler with preemption, and Berth, on the same instances.

    PYTHONPATH=e2e python -m benchmarks.control_plane_paper --nodes 4 8 16 --priorities 4 --seed 2026

As in arXiv 2511.08373 (see benchmarks/paper_instances.py): equal nodes just so large that all pods ask for the usage wanted,
ReplicaSets created one by one, each given up to two seconds to run, then time to settle. Pods that run are counted by priority and
compared from the highest down. The paper's five categories, told of the Berth run:

    no calls          everything runs in both
    better, proven    more pods run than with the stock scheduler, and no placement holds more
    better            more run; whether still more could is not proven
    stock was best    as many run, and no placement holds more
    failure           fewer run, or as many without a proof

The exit code is 1 when fewer run in any instance. Budgets on moves are lifted, and moved pods do not rest, since an instance
lives for seconds: what counts here is placement.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.instance import Instance
from benchmarks.paper_instances import Cell, find
from benchmarks.record import Machine, this_machine
from berth_api.annotations import WHY
from berth_cluster.dump import read_dumps
from berth_e2e.cluster import Cluster
from berth_e2e.objects import KubernetesObject, node, priority_class, replica_set
from berth_planner.options import PlanOptions
from berth_planner.planning import make_plan

USAGES = (0.90, 0.95, 1.00, 1.05)
PODS_PER_NODE = (4, 8)
RUN_SECONDS = 2.0
"""What each ReplicaSet is given to run before the next one comes, as in the paper."""
QUIET_SECONDS = 4.0
"""Nothing changes for so long, and Berth has told each of its waiting pods why: at rest."""
LONGEST_SECONDS = 90.0
PROVE_SECONDS = 5.0
CATEGORIES = ("no calls", "better, proven", "better", "stock was best", "failure")
STOCK, BERTH = "default-scheduler", "berth"
KINDS = "nodes,pods,poddisruptionbudgets,replicasets,priorityclasses,namespaces"
PLANS = "/apis/berth.dev/v1alpha1/packingplans"
POLICIES = "/apis/berth.dev/v1alpha1/packingpolicies"


class Outcome(msgspec.Struct, frozen=True):
    """One scheduler on one instance."""

    running: dict[int, int]
    """Priority to pods that run."""
    pending: int
    proven: bool
    """No placement of these pods holds more, by strict priority."""
    moves: int
    """Evictions of ours."""
    seconds: tuple[float, ...]
    """From a pod's creation to its being ready, whole seconds, of the pods that run at the end."""


class Pair(msgspec.Struct, frozen=True):
    instance: str
    stock: Outcome
    berth: Outcome

    @property
    def difference(self) -> int:
        """Pods that Berth runs more, at the highest priority where the two differ."""
        for priority in sorted(self.stock.running.keys() | self.berth.running.keys(), reverse=True):
            change = self.berth.running.get(priority, 0) - self.stock.running.get(priority, 0)
            if change:
                return change
        return 0

    @property
    def category(self) -> str:
        if not self.stock.pending and not self.berth.pending:
            return "no calls"
        if self.difference > 0:
            return "better, proven" if self.berth.proven else "better"
        return "stock was best" if self.difference == 0 and self.berth.proven else "failure"


class PaperReport(msgspec.Struct, frozen=True):
    seed: int
    version: str
    machine: Machine
    pairs: tuple[Pair, ...]


def compare(cluster: Cluster, instance: Instance) -> Pair:
    return Pair(instance.name, run(cluster, instance, STOCK), run(cluster, instance, BERTH))


def run(cluster: Cluster, instance: Instance, scheduler: str) -> Outcome:
    """The instance from an empty cluster to rest."""
    cluster.clear()
    if scheduler == BERTH:
        lift_budgets(cluster)
    for priority in sorted({group.priority for group in instance.groups}):
        cluster.create(priority_class(f"p{priority}", priority))
    for name, (cpu, memory) in zip(instance.node_names, instance.capacity.tolist(), strict=True):
        cluster.create(node(name, cpu=f"{cpu}m", memory=str(memory)))
    for group in instance.groups:
        cpu, memory = group.request
        cluster.create(
            replica_set(group.name, group.replicas, scheduler=scheduler, **_shape(cpu, memory, group.priority))
        )
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end and len(cluster.running(f"app={group.name}")) < group.replicas:
            time.sleep(0.05)
    pods = at_rest(cluster)
    ready = [seconds for pod in pods if (seconds := _seconds_to_ready(pod)) is not None]
    return Outcome(
        dict(Counter(pod["spec"]["priority"] for pod in pods if _runs(pod))),
        sum(not pod["spec"].get("nodeName") for pod in pods),
        _proven(cluster, scheduler),
        sum(len(plan.get("status", {}).get("evictions", [])) for plan in cluster.api.items(PLANS)),
        tuple(ready),
    )


def _shape(cpu: int, memory: int, priority: int) -> dict[str, Any]:
    return {"cpu": f"{cpu}m", "memory": str(memory), "priority_class": f"p{priority}"}


def lift_budgets(cluster: Cluster) -> None:
    budgets = {"movesPerPlan": 1_000, "movesPerHour": 10_000, "movesPerWorkload": 1_000, "movesPerPodGained": 1_000}
    body = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "paper"}}
    cluster.api.request("POST", POLICIES, body | {"spec": {"budgets": budgets, "restSeconds": 0}})


def at_rest(cluster: Cluster) -> list[KubernetesObject]:
    """The pods when nothing has changed for a while and no plan runs."""
    began = since = time.monotonic()
    before: object = None
    while True:
        pods = cluster.pods()
        active = [plan for plan in cluster.api.items(PLANS) if not _finished(plan)]
        picture = sorted((p["metadata"]["uid"], p["spec"].get("nodeName"), p["status"]["phase"]) for p in pods)
        now = time.monotonic()
        if active or picture != before:
            before, since = picture, now
        quiet = now - since
        nobody_waits = all(_runs(pod) for pod in pods)
        answered = all(_runs(pod) or _has_answer(pod) for pod in pods)
        if (answered and quiet >= (1.0 if nobody_waits else QUIET_SECONDS)) or now - began > LONGEST_SECONDS:
            return pods
        time.sleep(0.25)


def _finished(plan: KubernetesObject) -> bool:
    conditions = plan.get("status", {}).get("conditions", [])
    return any(c["type"] == "Finished" and c["status"] == "True" for c in conditions)


def _runs(pod: KubernetesObject) -> bool:
    return pod["status"].get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp")


def _has_answer(pod: KubernetesObject) -> bool:
    """The stock scheduler says nothing more; Berth says why, unless a plan is about to come."""
    if pod["spec"]["schedulerName"] != BERTH:
        return True
    told = json.loads(pod["metadata"].get("annotations", {}).get(WHY, "null"))
    return bool(told) and told["code"] not in ("FitsNow", "FitsAfterMoves")


def _seconds_to_ready(pod: KubernetesObject) -> float | None:
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            times = (pod["metadata"]["creationTimestamp"], condition["lastTransitionTime"])
            made, ready = (datetime.fromisoformat(t) for t in times)
            return (ready - made).total_seconds()
    return None


def _proven(cluster: Cluster, scheduler: str) -> bool:
    """Whether a fresh solve of the cluster as it stands proves that no placement holds more."""
    folder = cluster.state.folder / "paper.json"
    folder.write_text(cluster.kubectl("get", KINDS, "-A", "-o", "json"))
    plan = make_plan(read_dumps([folder]), PlanOptions(movable="all", budget=PROVE_SECONDS))
    return all(t.certificate == "Optimal" and t.placed_after == t.placed_before for t in plan.tiers)


def table(report: PaperReport) -> str:
    pairs = report.pairs
    categories = Counter(pair.category for pair in pairs)
    called = [pair for pair in pairs if pair.category != "no calls"]
    lines = [f"| {len(pairs)} instances | |", "| --- | --- |"]
    lines += [f"| {name} | {categories[name]} |" for name in CATEGORIES]
    lines.append(f"| fewer pods run, by strict priority, than with the stock scheduler | {_worse(pairs)} |")
    lines.append(
        f"| left by the stock scheduler as the best there is, proven | {sum(p.stock.proven for p in called)} |"
    )
    lines.append(
        f"| pods moved, mean an instance with any pod waiting | {_mean([p.berth.moves for p in called]):.1f} |"
    )
    for name, outcomes in (("stock", [p.stock for p in pairs]), ("Berth", [p.berth for p in pairs])):
        seconds = sorted(s for o in outcomes for s in o.seconds)
        if seconds:
            p99 = seconds[int(len(seconds) * 0.99)]
            lines.append(f"| {name}: seconds from created to ready, mean and p99 | {_mean(seconds):.2f}, {p99:.0f} |")
        lines.append(f"| {name}: pods that run, all instances | {sum(sum(o.running.values()) for o in outcomes)} |")
    return "\n".join(lines)


def _worse(pairs: tuple[Pair, ...]) -> int:
    return sum(pair.difference < 0 for pair in pairs)


def _mean(values: list[float] | list[int]) -> float:
    return statistics.fmean(values) if values else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nodes", type=int, nargs="+", default=[4, 8, 16])
    parser.add_argument("--priorities", type=int, nargs="+", default=[4])
    parser.add_argument("--usages", type=float, nargs="+", default=list(USAGES))
    parser.add_argument("--instances", type=int, default=1, help="a cell")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    pairs: list[Pair] = []
    with Cluster.start(f"paper-{given.seed}", berth=True) as cluster:
        for nodes, ppn, priorities, usage in product(given.nodes, PODS_PER_NODE, given.priorities, given.usages):
            attempt = 0
            for _ in range(given.instances):
                found = find(Cell(nodes, ppn, priorities, usage), given.seed, attempt)
                attempt += found.attempts
                if found.instance is None:
                    break
                pairs.append(compare(cluster, found.instance))
                _say(pairs[-1])
        version = cluster.state.version
    report = PaperReport(given.seed, version, this_machine(), tuple(pairs))
    print(table(report))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "control_plane_paper.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return int(_worse(report.pairs) > 0)


def _say(pair: Pair) -> None:
    def counts(outcome: Outcome) -> str:
        return "/".join(str(outcome.running[p]) for p in sorted(outcome.running, reverse=True))

    figures = f"stock {counts(pair.stock)}, Berth {counts(pair.berth)}, {pair.berth.moves} moved"
    print(f"{pair.instance}: {pair.category} ({figures})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
