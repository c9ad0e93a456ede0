"""What holds whatever happens: a serial kube-scheduler is replayed, which knows at once what our cache is told late."""

from __future__ import annotations

import random
from collections import defaultdict, deque

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from berth_api.packing_plan import PackingPlan
from berth_cluster.snapshot import Node, Pod
from berth_scheduling.kept_room import kept_requests
from berth_scheduling.settings import Settings

from .builders import GPU, Stage, node, plan, pod

SIZES = (1, 2, 4)


class KubeScheduler:
    """Schedules one pod at a time with an exact picture; binds at once, and the watch tells the stage some events later."""

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self.stage = stage
        self.rng = rng
        self.pods: dict[str, Pod] = dict(stage.pods)
        self.late: deque[tuple[Pod, bool]] = deque()

    def free(self, name: str, resource: str) -> int:
        used = sum(dict(p.spec.requests).get(resource, 0) for p in self.pods.values() if p.node == name)
        return self.stage.nodes[name].amounts.get(resource, 0) - used

    def schedule(self, waiting: Pod) -> str | None:
        wanted = dict(waiting.spec.requests)
        offered = [n for n in self.stage.nodes if all(self.free(n, r) >= amount for r, amount in wanted.items())]
        self.rng.shuffle(offered)
        if not offered:
            return None
        answer = self.stage.filter(waiting, offered)
        assert set(answer.nodes) <= set(offered)
        assert not set(answer.nodes) & set(answer.unresolvable)
        if not answer.nodes:
            return None
        chosen = answer.nodes[0]
        if len(answer.nodes) > 1:
            ranks = self.stage.scheduler.prioritize(waiting, answer.nodes)
            assert [name for name, _ in ranks] == answer.nodes
            assert max(rank for _, rank in ranks) == 10
            chosen = self.rng.choice([name for name, rank in ranks if rank == 10])
        bound = replace(waiting, node=chosen, phase="Running")
        self.pods[waiting.uid] = bound
        self.late.append((bound, True))
        return chosen

    def delete(self, gone: Pod) -> None:
        del self.pods[gone.uid]
        self.late.append((gone, False))

    def catch_up(self, events: int) -> None:
        for _ in range(min(events, len(self.late))):
            told, there = self.late.popleft()
            if there:
                self.stage.tell(told)
            elif told.uid in self.stage.pods:
                self.stage.remove(told)


def least_slack(kube: KubeScheduler, made: PackingPlan) -> dict[str, int]:
    """Each node's worst GPU balance over the steps: free + victims still here - places still to be filled, by truth."""
    victims = {e.uid for e in made.spec.evictions}
    slack: dict[str, int] = {}
    for name in kube.stage.nodes:
        balance = worst = kube.free(name, GPU)
        arrived: dict[tuple[str, object], int] = defaultdict(int)
        for p in kube.pods.values():
            if p.node == name and p.uid not in victims:
                arrived[p.workload.name, kept_requests(p.spec.requests)] += 1
        for step in made.spec.waves[0].steps:
            for e in step.evictions:
                if e.node == name and e.uid in kube.pods:
                    balance += e.requests.get(GPU, 0)
            for place in step.placements:
                if place.node != name:
                    continue
                key = (place.workload.name, kept_requests(place.requests.items()))
                here = max(arrived[key] - place.standing, 0)
                came = min(here, place.count)
                arrived[key] -= came
                balance -= (place.count - came) * place.requests.get(GPU, 0)
            if any(place.node == name for place in step.placements):
                worst = min(worst, balance)
        slack[name] = worst
    return slack


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_no_kept_place_is_spent_by_others(seed: int) -> None:
    rng = random.Random(seed)
    nodes: list[Node] = [node(f"n{i}", gpu=8) for i in range(rng.randint(1, 5))]
    stage = Stage(*nodes, settings=Settings(narrow_to=rng.choice([None, 1, 2]), narrow_above=1))
    running = []
    room = {n.name: 8 for n in nodes}
    for i in range(rng.randint(0, 12)):
        size, on = rng.choice(SIZES), rng.choice(nodes).name
        if room[on] >= size:
            room[on] -= size
            running.append(pod(f"r{i}", rng.choice(["a", "b", "c"]), gpu=size, on=on))
    stage.tell(*running)

    # a plan whose every step fits once its victims are gone
    builder = plan("p1")
    victims: list[Pod] = []
    standing = {(n.name, w, s): 0 for n in nodes for w in "abc" for s in SIZES}
    leaving = {p.uid for p in running if rng.random() < 0.4}
    for p in running:
        if p.uid not in leaving:
            standing[str(p.node), p.workload.name, dict(p.spec.requests)[GPU]] += 1
    for victim in (p for p in running if p.uid in leaving):
        builder.evicts(victim)
        victims.append(victim)
        room[str(victim.node)] += dict(victim.spec.requests)[GPU]
        for _ in range(rng.randint(0, 2)):
            on, size, workload = rng.choice(nodes).name, rng.choice(SIZES), rng.choice("abc")
            if room[on] >= size:
                room[on] -= size
                builder.places(workload, 1, on=on, gpu=size, standing=standing[on, workload, size])
        builder.then()
    made = stage.plan(builder)

    kube = KubeScheduler(stage, rng)
    before = least_slack(kube, made)
    assert min(before.values()) >= 0
    for i in range(rng.randint(1, 40)):
        match rng.randrange(6):
            case 0 if victims:
                kube.delete(victims.pop(0))
            case 1:
                # not those that count as standing: their replacements would be counted as standing again
                others = [p for p in kube.pods.values() if p not in running]
                if others and rng.random() < 0.3:
                    kube.delete(rng.choice(others))
                    kube.catch_up(len(kube.late))  # a place that opens again is kept once our cache knows
            case 2:
                kube.catch_up(rng.randint(1, 4))
            case _:
                owner = rng.choice(["a", "b", "c", "stranger", None])
                kube.schedule(pod(f"w{i}", owner, gpu=rng.choice(SIZES)))
        assert min(least_slack(kube, made).values()) >= 0
    kube.catch_up(len(kube.late))
    assert stage.scheduler.ledger_size == 0
    stage.delete_plan(made)
    assert stage.scheduler.reserved_pods == 0
    newcomer = pod("last", gpu=8)
    stage.scheduler.leader_alive = False
    assert set(Stage(*nodes, settings=Settings(narrow_to=None)).filter(newcomer).nodes) == set(stage.nodes)
    assert len(stage.filter(newcomer).nodes) >= 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["n1", "n2", "n3", "unknown"]), unique=True), st.integers(0, 8))
def test_without_plans_and_gangs_every_node_offered_is_returned(offered: list[str], gpus: int) -> None:
    stage = Stage(node("n1"), node("n2", gpu=2), node("n3"), pod("x", gpu=8, on="n3"))
    assert stage.filter(pod("a", gpu=gpus), offered).nodes == offered
