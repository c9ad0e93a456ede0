"""The HTML report: it agrees with the plan wave by wave, stays small, and nothing in it comes alive but our own script."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from berth_api.reasons import Reason
from berth_cli.report import PlanMismatchError, render_report, write_report
from berth_cluster.snapshot import Node, Pod, PodSpec, Snapshot, WorkloadKey
from berth_planner.explanation import Explanation, Remedy
from berth_planner.plan import DisruptionReport, Eviction, Placement, Plan, TierReport, Wave

MAX_BYTES = 6_000_000
GI = 1 << 30
TIERS = {1000: "serving", 500: "interactive", 100: "batch", 0: ""}


@dataclass
class Harbour:
    """Builds a GPU cluster and, step by step, a plan for it."""

    nodes: list[Node] = field(default_factory=list)
    pods: dict[str, Pod] = field(default_factory=dict)
    waves: list[Wave] = field(default_factory=list)
    free: dict[str, int] = field(default_factory=dict)

    def node(self, name: str, gpus: int = 8, zone: str = "a", rack: str = "r1", model: str = "A100") -> None:
        amounts = {"cpu": 96_000, "memory": 1024 * GI, "pods": 110, **({"nvidia.com/gpu": gpus} if gpus else {})}
        labels = {
            "topology.kubernetes.io/zone": zone,
            "topology.kubernetes.io/rack": rack,
            "nvidia.com/gpu.product": model,
        }
        self.nodes.append(Node(name, tuple(sorted(amounts.items())), labels))
        self.free[name] = gpus

    def pod(
        self, name: str, gpus: int, priority: int, node: str | None, workload: str, kind: str = "Deployment"
    ) -> None:
        amounts = {"cpu": 4000 * gpus or 200, "memory": 64 * GI * gpus or GI // 4, "pods": 1}
        amounts |= {"nvidia.com/gpu": gpus} if gpus else {}
        daemon = kind == "DaemonSet"
        self.pods[f"ai/{name}"] = Pod(
            "ai", name, f"uid-{name}", PodSpec(tuple(sorted(amounts.items()))), priority,
            WorkloadKey("ai", kind, workload, f"uid-{workload}"), "Running" if node else "Pending", node,
            priority_class="system-node-critical" if daemon else TIERS.get(priority, ""),
            immovable=(Reason.DAEMON_SET,) if daemon else (),
        )  # fmt: skip
        if node:
            self.free[node] -= gpus

    def eviction(self, key: str, target: str | None) -> Eviction:
        pod = self.pods[key]
        assert pod.node
        self.free[pod.node] += dict(pod.spec.requests).get("nvidia.com/gpu", 0)
        return Eviction(key, pod.uid, pod.workload, pod.priority, pod.node, target, 1, pod.spec.requests)

    def placement(self, key: str, node: str, *, named: bool) -> Placement:
        pod = self.pods[key]
        self.free[node] -= dict(pod.spec.requests).get("nvidia.com/gpu", 0)
        return Placement(pod.workload, pod.priority, node, 1, pod.spec.requests, (key,) if named else ())

    @property
    def snapshot(self) -> Snapshot:
        pods = sorted(self.pods.values(), key=lambda p: p.key)
        return Snapshot(tuple(sorted(self.nodes, key=lambda n: n.name)), tuple(pods), taken="2026-03-01T06:00:00Z")

    @property
    def plan(self) -> Plan:
        evictions = [e for w in self.waves for e in w.evictions]
        placements = [p for w in self.waves for p in w.placements]
        tiers = []
        for priority, name in TIERS.items():
            pods = [p for p in self.pods.values() if p.priority == priority]
            before = sum(p.node is not None for p in pods)
            change = sum(p.count for p in placements if p.priority == priority)
            after = before + change - sum(e.priority == priority for e in evictions)
            tiers.append(TierReport(priority, name, len(pods), before, after, after, "Optimal", "capacity"))
        moves = sum(e.is_move for e in evictions)
        cost = float(len(evictions))
        report = DisruptionReport(moves, len(evictions) - moves, cost, cost, "Optimal", "exhausted")
        return Plan(tuple(tiers), report, tuple(self.waves), len(self.nodes), len(self.nodes), 0.4, 0.1, verified=True)


def fragmented(nodes: int, *, wanted: int, seed: int = 1) -> Harbour:
    """A cluster whose free GPUs are scattered, with `wanted` pods that need room made for them."""
    rng, harbour = random.Random(seed), Harbour()
    for i in range(nodes):
        harbour.node(
            f"gpu-{i:04d}", zone="abc"[i % 3], rack=f"rack-{i // 16:03d}", model="H100" if i % 4 == 0 else "A100"
        )
    serial = 0
    for node in list(harbour.free):
        serial += 1
        harbour.pod(f"node-agent-{serial:05d}", 0, 2_000_001_000, node, "node-agent", "DaemonSet")
        target = rng.choice((5, 6, 7, 8))
        while (room := harbour.free[node] - (8 - target)) > 0:
            gpus = rng.choice([g for g in (1, 1, 2, 4) if g <= room])
            priority = rng.choice((1000, 500, 500, 100, 100, 0))
            app = f"{rng.choice(('llama-70b', 'qwen-32b', 'mixtral', 'embedder', 'reranker'))}-{TIERS[priority] or 'scratch'}"
            serial += 1
            harbour.pod(f"{app}-{gpus}-7d9c5f4b8-{serial:05d}", gpus, priority, node, f"{app}-{gpus}")
    for i in range(wanted):
        priority = rng.choice((1000, 500, 100))
        app = rng.choice(("deepseek-v3", "llama-405b"))
        harbour.pod(f"{app}-{priority}-6b5d-{i:04d}", rng.choice((4, 8)), priority, None, f"{app}-{priority}")
    make_room(harbour)
    return harbour


def make_room(harbour: Harbour) -> None:
    """Greedy and naive: clears the emptiest node for each waiting pod; three such steps are one wave."""
    on: dict[str, list[str]] = {n.name: [] for n in harbour.nodes}
    for key, pod in harbour.pods.items():
        if pod.node and pod.is_movable:
            on[pod.node].append(key)
    size = {key: dict(p.spec.requests).get("nvidia.com/gpu", 0) for key, p in harbour.pods.items()}
    touched: set[str] = set()
    steps: list[tuple[list[Eviction], list[Placement]]] = []
    waiting = sorted((p for p in harbour.pods.values() if p.node is None), key=lambda p: -p.priority)
    for pod in waiting[: max(1, len(waiting) * 3 // 4)]:
        place = max((n for n in on if n not in touched), key=lambda n: harbour.free[n], default=None)
        if place is None:
            break
        lower = sorted(
            (k for k in on[place] if harbour.pods[k].priority <= pod.priority), key=lambda k: harbour.pods[k].priority
        )
        if harbour.free[place] + sum(size[k] for k in lower) < size[pod.key]:
            continue
        touched.add(place)
        evictions, placements = [], []
        for key in lower:
            if harbour.free[place] >= size[pod.key]:
                break
            homes = [n for n in on if n not in touched and harbour.free[n] >= size[key]]
            home = min(homes, key=lambda n: harbour.free[n]) if homes else None
            if home is None and harbour.pods[key].priority == pod.priority:
                continue
            evictions.append(harbour.eviction(key, home))
            if home:
                placements.append(harbour.placement(key, home, named=False))
        if harbour.free[place] >= size[pod.key]:
            placements.append(harbour.placement(pod.key, place, named=True))
        steps.append((evictions, placements))
    per_wave = max(3, len(steps) // 8)
    for i in range(0, len(steps), per_wave):
        chosen = steps[i : i + per_wave]
        evictions = [e for es, _ in chosen for e in es]
        placements = [p for _, ps in chosen for p in ps]
        gains = Counter(p.priority for p in placements)
        gains.subtract(e.priority for e in evictions)
        harbour.waves.append(Wave(tuple(evictions), tuple(placements), tuple(sorted(gains.items(), reverse=True))))


def embedded(page: str) -> dict[str, Any]:
    """The page's contents, read as a browser would: up to the first closing tag, whatever the names say."""
    found = re.search(r'<script type="application/json" id="berth-contents">(.*?)</script>', page, re.DOTALL)
    assert found
    contents: dict[str, Any] = json.loads(found.group(1))
    return contents


def drawn(contents: dict[str, Any], wave: int) -> Counter[tuple[str, str]]:
    """Pods per (node, workload) that the page draws after a wave."""
    at = dict(enumerate(contents["pods"]["node"]))
    for pod, leaves, node, lands, *_ in contents["voyages"]:
        if leaves <= wave:
            at[pod] = -1
        if lands and lands <= wave:
            at[pod] = node
    names, pods = contents["nodes"]["name"], contents["pods"]
    return Counter((names[n], "/".join(pods["workloads"][pods["workload"][p]])) for p, n in at.items() if n >= 0)


def told(harbour: Harbour) -> Iterator[Counter[tuple[str, str]]]:
    """The same from the snapshot and the plan alone: before, then after each wave."""
    count = Counter((p.node, str(p.workload)) for p in harbour.pods.values() if p.node)
    yield +count
    for wave in harbour.plan.waves:
        count.subtract((e.node, str(e.workload)) for e in wave.evictions)
        for placement in wave.placements:
            count[placement.node, str(placement.workload)] += placement.count
        yield +count


def report(harbour: Harbour, title: str = "prod") -> str:
    return render_report(harbour.snapshot, harbour.plan, title=title, generated="2026-03-01 06:00 UTC")


@pytest.fixture(scope="module")
def sixty() -> Harbour:
    return fragmented(60, wanted=12)


@pytest.mark.parametrize("seed", range(5))
def test_every_wave_draws_what_the_plan_says(seed: int) -> None:
    harbour = fragmented(60, wanted=14, seed=seed)
    contents = embedded(report(harbour))
    states = list(told(harbour))
    assert len(states) > 2
    for wave, state in enumerate(states):
        assert drawn(contents, wave) == state


def test_tiers_waiting_and_waves_agree_with_the_plan(sixty: Harbour) -> None:
    contents, plan = embedded(report(sixty)), sixty.plan
    rows = {row["priority"]: row for row in contents["tiers"]}
    for tier in plan.tiers:
        assert (rows[tier.priority]["before"], rows[tier.priority]["after"]) == (tier.placed_before, tier.placed_after)
    assert rows[2_000_001_000]["planned"] is False
    waiting = sum(row["count"] for row in contents["waiting"])
    assert waiting == sum(tier.pods - tier.placed_after for tier in plan.tiers) > 0
    assert [(w["moves"], w["evictions"]) for w in contents["waves"]] == [
        (sum(e.is_move for e in wave.evictions), sum(not e.is_move for e in wave.evictions)) for wave in plan.waves
    ]


def test_an_arrow_leads_from_the_evicted_pod_to_its_target(sixty: Harbour) -> None:
    contents = embedded(report(sixty))
    names, pods = contents["nodes"]["name"], contents["pods"]
    arrows = {
        f"ai/{pods['name'][pod]}": names[node]
        for pod, leaves, node, lands, *_ in contents["voyages"]
        if leaves and lands
    }
    assert arrows == {e.pod: e.target for e in sixty.plan.moves}


def test_a_move_whose_place_comes_free_later_is_afloat_in_between() -> None:
    harbour = Harbour()
    for name in ("n1", "n2"):
        harbour.node(name)
        harbour.pod(f"big-{name}", 8, 100, name, f"app-{name}")
    first = (harbour.eviction("ai/big-n1", "n2"), harbour.eviction("ai/big-n2", "n1"))
    harbour.waves.append(Wave((first[0],), ()))
    harbour.waves.append(Wave((first[1],), (harbour.placement("ai/big-n1", "n2", named=False),)))
    harbour.waves.append(Wave((), (harbour.placement("ai/big-n2", "n1", named=False),)))
    contents = embedded(report(harbour))
    for wave, state in enumerate(told(harbour)):
        assert drawn(contents, wave) == state
    assert sorted(contents["voyages"]) == [[0, 1, 1, 2, 0, 0], [1, 2, 0, 3, 0, 0]]


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "\"'&amp;\u2028\u2029${alert(1)}$title",
    "]]>\\u003c/script\\u003e",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(name: str) -> None:
    harbour, plain = Harbour(), Harbour()
    for h, word in ((harbour, name), (plain, "app")):
        h.node(word, zone=word, rack=word, model=word)
        h.node("n2")
        h.pod(word, 4, 100, word, word)
        h.waves.append(Wave((h.eviction(f"ai/{word}", "n2"),), (h.placement(f"ai/{word}", "n2", named=False),)))
    page = report(harbour, title=name)
    contents = embedded(page)
    assert contents["title"] == name
    assert name in contents["nodes"]["name"]
    assert contents["pods"]["name"] == [name]
    assert page.count("<") == report(plain, title="app").count("<"), "a name opened a tag"


def test_the_page_asks_nobody_and_runs_only_its_own_script(sixty: Harbour) -> None:
    page = report(sixty)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert "default-src 'none'" in policy.group(1)
    assert "unsafe" not in policy.group(1)
    outside = re.findall(
        r"""(?:src|href)\s*=\s*["'](?!#)|@import|url\(|fetch\(|XMLHttpRequest|innerHTML|https?://""", page
    )
    assert outside == []


def test_five_thousand_nodes_stay_small() -> None:
    harbour = fragmented(5000, wanted=500)
    assert len(harbour.pods) > 23_000
    page = report(harbour)
    assert len(page.encode()) < MAX_BYTES
    assert drawn(embedded(page), len(harbour.waves)) == list(told(harbour))[-1]


def test_a_plan_of_another_snapshot_is_refused_and_leaves_the_old_file(tmp_path: Path, sixty: Harbour) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    small = fragmented(3, wanted=0)
    with pytest.raises(PlanMismatchError, match="plan it again"):
        write_report(path, small.snapshot, sixty.plan, title="x", generated="now")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_plan_of_an_empty_cluster_has_a_page() -> None:
    contents = embedded(report(Harbour()))
    assert contents["nodes"]["name"] == []
    assert "nothing to do" in contents["headline"]


def words(harbour: Harbour) -> Iterable[str]:
    contents = embedded(report(harbour))
    return [contents["headline"], *(row["why"] for row in contents["waiting"])]


def test_it_says_what_is_scarce() -> None:
    harbour = Harbour()
    harbour.node("n1")
    harbour.node("n2", gpus=0)
    harbour.pod("small", 6, 100, "n1", "small")
    harbour.pod("big", 4, 1000, None, "big")
    headline, why = words(harbour)
    assert headline == "1 pod waits, and no plan can place more"
    assert why == "No node has 4 nvidia.com/gpu free (most: 2); proven: no plan places more of its tier"


def test_a_reason_that_why_found_is_told_instead() -> None:
    harbour = Harbour()
    harbour.node("n1")
    harbour.pod("big", 16, 1000, None, "big")
    harbour.pod("other", 16, 1000, None, "other")
    found = Explanation(
        (harbour.pods["ai/big"].workload,), ("ai/big",), 1000, harbour.pods["ai/big"].spec.requests, Reason.NO_PLACEMENT_EXISTS,
        "No placement exists, even moving everything.", 1, remedies=(Remedy("fewer", "with 8 GPUs fewer"),),
    )  # fmt: skip
    page = render_report(harbour.snapshot, harbour.plan, title="prod", generated="now", explanations=[found])
    contents = embedded(page)
    told = {contents["pods"]["workloads"][row["workloads"][0]][2]: row["why"] for row in contents["waiting"]}
    assert told["big"] == "No placement exists, even moving everything. It would fit with 8 GPUs fewer."
    assert told["other"].startswith("No node has 16 nvidia.com/gpu free (most: 8)")
