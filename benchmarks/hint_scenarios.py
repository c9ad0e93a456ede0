"""Placement wishes on a real control plane: native spellings with the stock scheduler, and Berth with the hint as a person wrote it.

    PYTHONPATH=e2e python -m benchmarks.hint_scenarios --seeds 5 --seed 1

The scenarios of hint_cases.py, each in both settings of hint_sites.py, once a seed and side, on the same nodes with the same load:

    soft     the default scheduler and the softest fair spelling: preferences of weight 100, ScheduleAnyway
    raised   the same spelling and a scheduler in which NodeAffinity, InterPodAffinity and PodTopologySpread weigh 100
    hard     the default scheduler; required affinity, DoNotSchedule
    berth    the hint alone, as text on the Deployment's pod template

A Deployment is created at once, its pods come in one burst, and the outcome is a share in [0, 1] (hint_shares.py). Berth is worse in
a scenario when its mean over the seeds is below that of the best native side, whichever that is there; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.control_plane_paper import PLANS, POLICIES, at_rest
from benchmarks.hint_cases import Case, Wish, cases
from benchmarks.hint_sites import LAYOUTS, site_node
from benchmarks.record import Machine, this_machine
from berth_api.annotations import ALLOCATION_HINT
from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.fragmented import set_cordoned, wait_warm
from berth_e2e.objects import deployment, pod
from berth_e2e.waiting import WaitedTooLongError, wait_for
from berth_extender.kube_scheduler import MAX_BACKOFF_SECONDS, QUERIES_PER_SECOND

NATIVE = ("soft", "raised", "hard")
SIDES = (*NATIVE, "berth")
SCHEDULERS = {"soft": "default-scheduler", "raised": "raised", "hard": "default-scheduler", "berth": "berth"}
RAISED = ("NodeAffinity", "InterPodAffinity", "PodTopologySpread")
RAISED_WEIGHT = 100
SEEN_SECONDS = 1.0
"""For every cache to have seen what stands before the burst comes."""
START_SECONDS = 60.0
EVENT_SECONDS = 15.0
EQUAL = 1e-9
FILLER_CPUS = 16


class Run(msgspec.Struct, frozen=True):
    """One side in one scenario with one seed."""

    case: str
    setting: str
    seed: int
    side: str
    share: float
    pending: int
    nodes: int
    """In use by the burst."""
    moves: int
    where: dict[str, dict[str, int]]
    told: tuple[str, ...]
    """Reasons of events about hints."""


class Row(msgspec.Struct, frozen=True):
    """A scenario over its seeds, by side."""

    case: str
    setting: str
    shares: dict[str, tuple[float, ...]]
    pending: dict[str, int]

    @property
    def verdict(self) -> str:
        native = max(statistics.fmean(shares) for side, shares in self.shares.items() if side != "berth")
        ours = statistics.fmean(self.shares["berth"])
        return "equal" if abs(ours - native) < EQUAL else "better" if ours > native else "worse"


class HintReport(msgspec.Struct, frozen=True):
    version: str
    machine: Machine
    runs: tuple[Run, ...]


def raised_scheduler(kubeconfig: Path) -> dict[str, Any]:
    """A scheduler whose owner lets workloads' wishes decide: the fairest that can be had without Berth."""
    weights = [{"name": name, "weight": RAISED_WEIGHT} for name in RAISED]
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {
            "kubeconfig": str(kubeconfig),
            "qps": QUERIES_PER_SECOND,
            "burst": 2 * QUERIES_PER_SECOND,
        },
        "leaderElection": {"leaderElect": False},
        "podMaxBackoffSeconds": MAX_BACKOFF_SECONDS,
        "profiles": [{"schedulerName": "raised", "plugins": {"multiPoint": {"enabled": weights}}}],
    }


def run(cluster: Cluster, case: Case, seed: int, side: str) -> Run:
    """The scenario from nodes without pods to rest."""
    cluster.clear(nodes=False)
    if side == "berth" and case.enforced:
        enforce(cluster)
    stand(cluster, case, SCHEDULERS[side])
    time.sleep(SEEN_SECONDS)
    for wish in case.wishes:
        cluster.create(spelled(wish, side))
    expected = {wish.app: wish.pods for wish in case.wishes}
    wait_for(
        f"pods of {expected}",
        lambda: all(len(cluster.pods(f"app={app}")) == count for app, count in expected.items()),
        START_SECONDS,
    )
    pods = [found for found in at_rest(cluster) if found["metadata"]["labels"].get("app") in expected]
    where: dict[str, Counter[str]] = {app: Counter() for app in expected}
    for found in pods:
        if found["spec"].get("nodeName"):
            where[found["metadata"]["labels"]["app"]][found["spec"]["nodeName"]] += 1
    return Run(
        case.name,
        case.setting,
        seed,
        side,
        case.share(where),
        sum(expected.values()) - sum(count.total() for count in where.values()),
        len(set().union(*where.values())),
        sum(len(plan.get("status", {}).get("evictions", [])) for plan in cluster.api.items(PLANS)),
        {app: dict(sorted(count.items())) for app, count in where.items()},
        told(cluster, expected) if side == "berth" else (),
    )


def stand(cluster: Cluster, case: Case, scheduler: str) -> None:
    """What is there before: load, the pods that wishes speak of, and those that fill a rack and may move."""
    for site in case.sites:
        if site.load:
            cluster.create(pod(f"load-{site.name}", cpu=str(site.load), node_name=site.name, labels={"load": "true"}))
    for app, name in case.standing:
        cluster.create(deployment(app, 1, nodeSelector={"kubernetes.io/hostname": name}))
        cluster.wait_running(f"app={app}", 1)
    if not case.filled:
        return
    others = [site.name for site in case.sites if site.rack != case.filled]
    for name in others:
        set_cordoned(cluster, name, True)
    time.sleep(SEEN_SECONDS)
    count = sum(site.free // FILLER_CPUS for site in case.sites if site.rack == case.filled)
    cluster.create(deployment("batch", count, cpu=str(FILLER_CPUS), scheduler=scheduler))
    cluster.wait_running("app=batch", count)
    for name in others:
        set_cordoned(cluster, name, False)


def told(cluster: Cluster, apps: Iterable[str]) -> tuple[str, ...]:
    """Reasons of events about hints, once each of the workloads has one."""
    events: list[dict[str, Any]] = []

    def each() -> bool:
        events[:] = [e for e in cluster.events() if e["reason"].startswith("Hint")]
        return set(apps) <= {e["involvedObject"]["name"] for e in events}

    with contextlib.suppress(WaitedTooLongError):
        wait_for("events about hints", each, EVENT_SECONDS)
    return tuple(sorted({e["reason"] for e in events}))


def spelled(wish: Wish, side: str) -> dict[str, Any]:
    cpu, scheduler = str(wish.cpus), SCHEDULERS[side]
    if side == "berth":
        return deployment(wish.app, wish.pods, cpu=cpu, scheduler=scheduler, annotations={ALLOCATION_HINT: wish.hint})
    return deployment(wish.app, wish.pods, cpu=cpu, scheduler=scheduler, **(wish.hard if side == "hard" else wish.soft))


def enforce(cluster: Cluster) -> None:
    """A `must` is a rule in this namespace, and plans come as often as a scenario of seconds needs."""
    spec = {
        "hints": {"enforceStrong": ["default"]},
        "budgets": {"movesPerHour": 10_000, "movesPerPodGained": 1_000},
        "restSeconds": 0,
    }
    body = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "enforcing"}}
    cluster.api.request("POST", POLICIES, body | {"spec": spec})


def rows(runs: tuple[Run, ...]) -> list[Row]:
    grouped: dict[tuple[str, str], dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    for one in runs:
        grouped[one.case, one.setting][one.side].append(one)
    return [
        Row(
            case,
            setting,
            {side: tuple(sorted(one.share for one in found)) for side, found in sides.items()},
            {side: sum(one.pending for one in found) for side, found in sides.items()},
        )
        for (case, setting), sides in sorted(grouped.items())
    ]


def table(runs: tuple[Run, ...]) -> str:
    """Shares as mean (lowest to highest), and pods that stayed pending, all seeds together."""
    sides = [side for side in SIDES if any(one.side == side for one in runs)]
    lines = [f"| scenario | {' | '.join(sides)} | Berth is |", f"| --- | {'--- | ' * len(sides)}--- |"]
    for row in rows(runs):
        cells = [_cell(row.shares[side], row.pending[side]) for side in sides]
        verdict = row.verdict if {"berth"} < set(row.shares) else ""
        lines.append(f"| {row.case}, {row.setting} | {' | '.join(cells)} | {verdict} |")
    return "\n".join(lines)


def _cell(shares: tuple[float, ...], pending: int) -> str:
    told = f"{statistics.fmean(shares):.2f}"
    if shares[-1] - shares[0] > EQUAL:
        told += f" ({shares[0]:.2f} to {shares[-1]:.2f})"
    return told + (f", {pending} pending" if pending else "")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="the first")
    parser.add_argument("--cases", default="ABCDEFGH")
    parser.add_argument("--settings", nargs="+", choices=list(LAYOUTS), default=list(LAYOUTS))
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    runs: list[Run] = []
    with Cluster.start(f"hints-{given.seed}", berth=Berth(pairs=1)) as cluster:
        cluster.add_scheduler("raised", raised_scheduler(cluster.kubeconfig))
        wait_warm(cluster)
        for setting in given.settings:
            for seed in range(given.seed, given.seed + given.seeds):
                found = cases(setting, seed)
                cluster.clear()
                cluster.create(*(site_node(site) for site in found[0].sites))
                names = {site.name for site in found[0].sites}
                wait_for("the nodes", partial(_served, cluster, names))
                for case in found:
                    for side in given.sides if case.name in given.cases else ():
                        runs.append(run(cluster, case, seed, side))
                        _say(runs[-1])
        version = cluster.state.version
    report = HintReport(version, this_machine(), tuple(runs))
    print(table(report.runs))
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "hint_scenarios.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    judged = [row for row in rows(report.runs) if {"berth"} < set(row.shares)]
    return int(any(row.verdict == "worse" for row in judged))


def _served(cluster: Cluster, names: set[str]) -> bool:
    return names <= set(cluster.ready_nodes()) & cluster.served_nodes()


def _say(one: Run) -> None:
    where = "; ".join(" ".join(f"{n}:{k}" for n, k in found.items()) for found in one.where.values())
    told = f", told {' '.join(one.told)}" if one.told else ""
    print(
        f"{one.case} {one.setting} seed {one.seed} {one.side}: {one.share:.2f}, {one.pending} pending, {one.moves} moved,"
        f" {where}{told}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
