"""Everything else that goes wrong in the middle of a plan. Slow: `make test-all`. See test_faults.py and berth_e2e.witness."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.fragmented import (
    SMALL,
    chain,
    chained,
    fragment,
    set_cordoned,
    small,
    wait_settled,
    wait_spread,
    wait_warm,
    wide,
)
from berth_e2e.line import Line
from berth_e2e.objects import KubernetesObject, disruption_budget, pod, priority_class
from berth_e2e.waiting import wait_for
from berth_e2e.witness import Witness, condition, outcome, steps
from berth_operator.policy_status import POLICIES_PATH

pytestmark = pytest.mark.slow

EXTENDERS = ("extender-0", "extender-1")
SCHEDULERS = ("scheduler-0", "scheduler-1")
ALL_RUN = dict.fromkeys(SMALL, 1) | {"wide": 2}
CHAIN_RUNS = dict.fromkeys(("first", "second", "last", "chained"), 1)
LEASE_SECONDS = 15.0
APPS = "/apis/apps/v1/namespaces/default"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases"

Matches = Callable[[KubernetesObject], bool]


@pytest.fixture
def fragmented(berth_cluster: Cluster) -> Cluster:
    fragment(berth_cluster)
    return berth_cluster


@pytest.fixture
def in_chain(berth_cluster: Cluster) -> Cluster:
    chain(berth_cluster)
    return berth_cluster


@contextmanager
def watched(cluster: Cluster, budgets: dict[str, int] | None = None) -> Iterator[Witness]:
    with Witness(cluster.api, budgets) as witness:
        yield witness
    witness.assert_rules_held()


def evicting(plan: KubernetesObject) -> bool:
    return "Evicting" in steps(plan)


def outcomes(witness: Witness) -> list[str]:
    return [outcome(plan) for plan in witness.plans.values()]


def kill(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.processes[name].kill()


def freeze(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.processes[name].freeze()


def thaw(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.processes[name].thaw()


def start(cluster: Cluster, *names: str) -> None:
    for name in names:
        cluster.processes[name].start()
    for name in names:
        cluster.wait_ready(name)


# The leader

MOMENTS: dict[str, Matches] = {
    "written": lambda plan: True,
    "taken up": lambda plan: condition(plan, "Approved"),
    "reserved": lambda plan: condition(plan, "Reserved"),
    "evicting first": lambda plan: steps(plan)[:1] == ["Evicting"],
    "placing first": lambda plan: steps(plan)[:1] == ["Placing"],
    "first done": lambda plan: steps(plan)[:1] == ["Done"],
    "evicting second": lambda plan: steps(plan)[1:2] == ["Evicting"],
    "placing second": lambda plan: steps(plan)[1:2] == ["Placing"],
    "second done": lambda plan: steps(plan)[1:2] == ["Done"],
    "finished": lambda plan: outcome(plan) != "",
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_leader_is_killed_at_any_moment(in_chain: Cluster, moment: str) -> None:
    def kill_leader() -> None:
        kill(in_chain, "operator-0")
        thaw(in_chain, *SCHEDULERS)

    with watched(in_chain) as witness:
        if moment.startswith("placing"):  # which is over in a moment, unless the schedulers sleep
            before = moment.replace("placing", "evicting")
            witness.when(before, MOMENTS[before], partial(freeze, in_chain, *SCHEDULERS))
        killed = witness.when(moment, MOMENTS[moment], kill_leader)
        in_chain.create(chained())
        killed.wait()
        start(in_chain, "operator-0")
        wait_settled(in_chain, CHAIN_RUNS)
        assert outcomes(witness) == ["Completed"], "the next leader goes on with the same plan"
        assert len(witness.evicted) == 2


def test_the_leader_is_killed_again_and_again(in_chain: Cluster) -> None:
    with watched(in_chain) as witness:
        moments = [
            witness.when(what, MOMENTS[what], partial(kill, in_chain, "operator-0"))
            for what in ("evicting first", "evicting second", "second done")
        ]
        in_chain.create(chained())
        for moment in moments:
            moment.wait()
            start(in_chain, "operator-0")
        wait_settled(in_chain, CHAIN_RUNS)
        assert outcomes(witness) == ["Completed"]
        assert len(witness.evicted) == 2


def test_a_leader_that_hangs_is_followed_and_does_no_harm_when_it_wakes(berth_cluster: Cluster) -> None:
    berth_cluster.remove_berth()
    berth_cluster.add_berth(Berth(operators=2))
    try:
        chain(berth_cluster)
        with watched(berth_cluster) as witness:
            holder = berth_cluster.api.get(f"{LEASES}/berth-operator")["spec"]["holderIdentity"]
            frozen = witness.when("evicting first", MOMENTS["evicting first"], berth_cluster.processes[holder].freeze)
            berth_cluster.create(chained())
            frozen.wait()
            wait_settled(berth_cluster, CHAIN_RUNS)
            assert berth_cluster.api.get(f"{LEASES}/berth-operator")["spec"]["holderIdentity"] != holder
            berth_cluster.processes[holder].thaw()
            time.sleep(3)
            assert outcomes(witness) == ["Completed"]
            assert len(witness.evicted) == 2
    finally:
        berth_cluster.heal()
        berth_cluster.remove_berth()


# Extenders and schedulers


@pytest.mark.parametrize("moment", ["written", "taken up", "reserved", "evicting first", "first done"])
@pytest.mark.parametrize("names", [EXTENDERS[:1], EXTENDERS[1:], EXTENDERS], ids=["one", "other", "both"])
def test_extenders_are_killed_and_come_back(in_chain: Cluster, moment: str, names: tuple[str, ...]) -> None:
    with watched(in_chain) as witness:
        killed = witness.when(moment, MOMENTS[moment], partial(kill, in_chain, *names))
        in_chain.create(chained())
        killed.wait()
        time.sleep(2)
        start(in_chain, *names)
        wait_settled(in_chain, CHAIN_RUNS)


def test_no_extender_comes_back_for_long(fragmented: Cluster) -> None:
    """The plan ends, and pods are scheduled without us; when they are back, all that fits runs."""
    with watched(fragmented) as witness:
        killed = witness.when("reserved", MOMENTS["reserved"], partial(kill, fragmented, *EXTENDERS))
        fragmented.create(wide())
        killed.wait()
        time.sleep(LEASE_SECONDS + 5)
        fragmented.create(pod("alone", labels={"app": "alone"}, gpus=1, scheduler="berth"))
        fragmented.wait_running("app=alone", 1)
        fragmented.api.delete("/api/v1/namespaces/default/pods/alone", grace_seconds=0)
        start(fragmented, *EXTENDERS)
        wait_settled(fragmented, ALL_RUN, 90.0)


def test_both_extenders_hang_for_ten_seconds(fragmented: Cluster) -> None:
    with watched(fragmented) as witness:
        frozen = witness.when("evicting", evicting, partial(freeze, fragmented, *EXTENDERS))
        fragmented.create(wide())
        frozen.wait()
        time.sleep(10)
        thaw(fragmented, *EXTENDERS)
        wait_settled(fragmented, ALL_RUN, 90.0)


@pytest.mark.parametrize("answer", [b"}{", b'{"NodeNames":["nowhere"]}', b'{"Error":"no"}'])
def test_extenders_answer_garbage_for_a_while(fragmented: Cluster, answer: bytes) -> None:
    with watched(fragmented) as witness:
        killed = witness.when("evicting", evicting, partial(kill, fragmented, *EXTENDERS))
        fragmented.create(wide())
        killed.wait()
        with answering(fragmented, answer):
            time.sleep(5)
        start(fragmented, *EXTENDERS)
        wait_settled(fragmented, ALL_RUN, 90.0)


@contextmanager
def answering(cluster: Cluster, body: bytes) -> Iterator[None]:
    """Something else listens where the extenders did, and answers everything with `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's own word)
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", cluster.state.ports[name]), Handler) for name in EXTENDERS]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def test_the_pair_that_schedules_is_killed_and_the_other_takes_over(in_chain: Cluster) -> None:
    with watched(in_chain) as witness:
        names = leading_pair(in_chain)
        killed = witness.when("evicting first", MOMENTS["evicting first"], partial(kill, in_chain, *names))
        in_chain.create(chained())
        killed.wait()
        wait_for("the room of every place to be taken", lambda: len(in_chain.running("app=chained")) == 1, 90.0)
        start(in_chain, *names)
        wait_settled(in_chain, CHAIN_RUNS)


def test_the_extender_of_the_scheduler_that_leads_is_gone_for_long(fragmented: Cluster) -> None:
    """The other extender lives and keeps the room, but is not asked: nobody is evicted until the one that is comes back."""
    with watched(fragmented) as witness:
        _, extender = leading_pair(fragmented)
        fragmented.create(pod("asks", labels={"app": "asks"}, gpus=1, scheduler="berth"))
        fragmented.wait_running("app=asks", 1)
        fragmented.api.delete("/api/v1/namespaces/default/pods/asks", grace_seconds=0)
        time.sleep(6)  # it says so when it renews
        kill(fragmented, extender)
        time.sleep(LEASE_SECONDS + 1)
        fragmented.create(wide())
        time.sleep(15)
        assert witness.evicted == []
        start(fragmented, extender)
        wait_settled(fragmented, ALL_RUN, 90.0)


def leading_pair(cluster: Cluster) -> tuple[str, str]:
    """The one whose log told last that it acquired the Lease, by the time at the begin of kube-scheduler's lines."""

    def acquired(i: int) -> str:
        lines = cluster.processes[f"scheduler-{i}"].log_text().splitlines()
        return max((line.split()[1] for line in lines if "uccessfully acquired lease" in line), default="")

    leading = max((0, 1), key=acquired)
    return f"scheduler-{leading}", f"extender-{leading}"


# The API server and the way to it


@pytest.mark.parametrize("moment", ["written", "taken up", "reserved", "evicting first", "first done"])
def test_the_api_server_is_killed_at_any_moment(in_chain: Cluster, moment: str) -> None:
    with watched(in_chain) as witness:
        killed = witness.when(moment, MOMENTS[moment], partial(kill, in_chain, "kube-apiserver"))
        in_chain.create(chained())
        killed.wait()
        time.sleep(1)
        in_chain.heal()
        wait_settled(in_chain, CHAIN_RUNS)
        assert set(outcomes(witness)) == {"Completed"}


def test_the_api_server_is_away_for_twenty_seconds(fragmented: Cluster) -> None:
    """Longer than every Lease: whoever led has lost it."""
    with watched(fragmented) as witness:
        killed = witness.when("evicting", evicting, partial(kill, fragmented, "kube-apiserver"))
        fragmented.create(wide())
        killed.wait()
        time.sleep(20)
        fragmented.heal()
        wait_settled(fragmented, ALL_RUN, 90.0)


@pytest.fixture
def line(berth_cluster: Cluster) -> Iterator[Line]:
    """Berth behind a line that can be cut."""
    berth_cluster.remove_berth()
    with Line(berth_cluster.state) as made:
        berth_cluster.add_berth(Berth(through=made.port))
        try:
            yield made
        finally:
            made.restore()
            berth_cluster.remove_berth()


@pytest.mark.parametrize("moment", ["written", "reserved", "evicting first", "first done"])
def test_every_watch_is_cut(berth_cluster: Cluster, line: Line, moment: str) -> None:
    chain(berth_cluster)
    with watched(berth_cluster) as witness:
        cut = witness.when(moment, MOMENTS[moment], line.cut)
        berth_cluster.create(chained())
        cut.wait()
        wait_settled(berth_cluster, CHAIN_RUNS)
        assert outcomes(witness) == ["Completed"]


def test_the_line_is_silent_for_a_while(berth_cluster: Cluster, line: Line) -> None:
    """Connections stay open and say nothing: who led may not act meanwhile, and knows all again afterwards."""
    chain(berth_cluster)
    with watched(berth_cluster) as witness:
        silent = witness.when("evicting first", MOMENTS["evicting first"], line.silence)
        berth_cluster.create(chained())
        silent.wait()
        time.sleep(LEASE_SECONDS + 5)
        line.restore()
        wait_settled(berth_cluster, CHAIN_RUNS, 90.0)


# Nodes


def targets(witness: Witness) -> list[str]:
    plan = next(iter(witness.plans.values()))
    return [e["target"] for wave in plan["spec"]["waves"] for step in wave["steps"] for e in step.get("evictions", [])]


def test_a_target_is_deleted(fragmented: Cluster) -> None:
    """Its pods are orphans, which the garbage collector removes after a while; then there is room for one wide pod."""
    with watched(fragmented) as witness:
        gone = witness.when("evicting", evicting, lambda: fragmented.remove_nodes(targets(witness)[-1]))
        fragmented.create(wide())
        gone.wait()
        wait_for("the end of the plan", lambda: any(outcomes(witness)), 30.0)
        wait_settled(fragmented, dict.fromkeys(SMALL, 1) | {"wide": 1}, 150.0)


def test_a_target_is_cordoned_before_anything_is_evicted(fragmented: Cluster) -> None:
    with watched(fragmented) as witness:
        done = witness.when("written", MOMENTS["written"], lambda: set_cordoned(fragmented, targets(witness)[-1], True))
        fragmented.create(wide())
        done.wait()
        wait_for("the end of the plan", lambda: any(outcomes(witness)), 30.0)
        target = targets(witness)[-1]
        # nothing can go to that node, so a second wide pod would cost a small one
        wait_settled(fragmented, ALL_RUN | {"wide": 1})
        set_cordoned(fragmented, target, False)
        wait_settled(fragmented, ALL_RUN)


# Owners


def test_an_owner_is_scaled_down_while_its_pod_leaves(fragmented: Cluster) -> None:
    with watched(fragmented) as witness:
        scaled = witness.when("evicting", evicting, lambda: scale(fragmented, moved_owner(witness), 0))
        fragmented.create(wide())
        scaled.wait()
        wait_settled(fragmented, ALL_RUN | {moved_owner(witness): 0}, 90.0)
        assert outcomes(witness)[0] in ("PartlyCompleted", "Completed")


def test_an_owner_is_scaled_up_while_its_pod_leaves(fragmented: Cluster) -> None:
    """Nothing is left for the second pod of it: it may not take the place of a wide one."""
    with watched(fragmented) as witness:
        scaled = witness.when("evicting", evicting, lambda: scale(fragmented, moved_owner(witness), 2))
        fragmented.create(wide())
        scaled.wait()
        wait_settled(fragmented, {"wide": 2} | {app: 1 for app in SMALL if app != moved_owner(witness)}, 60.0)
        assert len(fragmented.running(f"app={moved_owner(witness)}")) == 1


def moved_owner(witness: Witness) -> str:
    plan = next(iter(witness.plans.values()))
    return str(plan["spec"]["waves"][0]["steps"][0]["evictions"][0]["workload"]["name"])


def scale(cluster: Cluster, name: str, replicas: int) -> None:
    cluster.api.merge(f"{APPS}/replicasets/{name}", {"spec": {"replicas": replicas}})


@pytest.mark.parametrize("change", ["request", "label"])
def test_an_owner_is_rolled_out_in_mid_plan(berth_cluster: Cluster, change: str) -> None:
    """Its next pods are others: with `request` even of another size than the plan keeps room for."""
    fragment(berth_cluster, deployments=True)

    def roll_out() -> None:
        name = moved_owner(witness)
        body = small(name, deployments=True)
        if change == "request":
            body["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "200m"
        else:
            body["spec"]["template"]["metadata"]["labels"]["version"] = "2"
        berth_cluster.api.merge(f"{APPS}/deployments/{name}", {"spec": {"template": body["spec"]["template"]}})

    with watched(berth_cluster) as witness:
        rolled = witness.when("evicting", evicting, roll_out)
        berth_cluster.create(wide())
        rolled.wait()
        wait_settled(berth_cluster, ALL_RUN, 120.0)


# Other pods


def test_a_pod_of_higher_priority_comes_in_mid_plan(fragmented: Cluster) -> None:
    fragmented.create(priority_class("fault-high", 1000))
    urgent = wide(1, "urgent", priority_class="fault-high")
    with watched(fragmented) as witness:
        came = witness.when("taken up", MOMENTS["taken up"], lambda: fragmented.create(urgent))
        fragmented.create(wide())
        came.wait()
        wait_settled(fragmented, dict.fromkeys(SMALL, 1) | {"urgent": 1, "wide": 1}, 90.0)


def test_many_thieves(fragmented: Cluster) -> None:
    """Pods of the default scheduler take whatever is free, again and again, and leave."""
    with watched(fragmented) as witness:
        fragmented.create(wide())
        wait_for("a plan", lambda: witness.plans, 30.0)
        for i in range(6):
            fragmented.create(pod(f"thief-{i}", labels={"app": "thief"}, gpus=4))
            time.sleep(1)
            fragmented.api.delete(f"/api/v1/namespaces/default/pods/thief-{i}", grace_seconds=0)
        wait_settled(fragmented, ALL_RUN, 120.0)


# Policies and budgets


def policy(name: str, **spec: object) -> KubernetesObject:
    return {
        "apiVersion": "berth.dev/v1alpha1",
        "kind": "PackingPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_two_policies_in_conflict(fragmented: Cluster) -> None:
    """The older one holds, whatever the younger says, and when it goes the younger does."""
    fragmented.create(policy("elder"))
    time.sleep(1.1)  # creation times are whole seconds
    fragmented.create(policy("younger", mode="Manual"))
    with watched(fragmented) as witness:
        removed = witness.when("evicting", evicting, lambda: fragmented.api.delete(f"{POLICIES_PATH}/elder"))
        fragmented.create(wide())
        removed.wait()
        wait_settled(fragmented, ALL_RUN)
        assert [plan["spec"]["policy"] for plan in witness.plans.values()] == ["elder"]


@pytest.mark.parametrize("moment", ["taken up", "reserved"])
def test_the_eviction_api_refuses_for_a_while(fragmented: Cluster, moment: str) -> None:
    """A disruption budget appears after the plan was made: waited for, never broken."""

    def forbid() -> None:
        fragmented.create(*(disruption_budget(app, app, min_available=1) for app in SMALL))

    with watched(fragmented) as witness:
        forbidden = witness.when(moment, MOMENTS[moment], forbid)
        fragmented.create(wide())
        forbidden.wait()
        time.sleep(5)
        for app in SMALL:
            fragmented.api.delete(f"/apis/policy/v1/namespaces/default/poddisruptionbudgets/{app}")
        wait_settled(fragmented, ALL_RUN, 90.0)


def test_a_disruption_budget_is_kept_while_pods_of_one_owner_move(berth_cluster: Cluster) -> None:
    """All small pods belong together, and of four at least three must stand."""
    cluster = berth_cluster
    wait_warm(cluster)
    names = cluster.add_nodes(4, gpus=8)
    body = small("together", going="1s")
    cluster.create(body)
    for i, name in enumerate(names):
        for other in names:
            set_cordoned(cluster, other, other != name)
        scale(cluster, "together", i + 1)
        wait_spread(cluster, "together", names[: i + 1])
    for name in names:
        set_cordoned(cluster, name, False)
    cluster.create(disruption_budget("together", "together", min_available=3))
    with watched(cluster, {"together": 3}) as witness:
        cluster.create(wide())
        wait_settled(cluster, {"together": 4, "wide": 2}, 90.0)
        assert len(witness.evicted) == 2


# Clocks

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture
def clock(berth_cluster: Cluster, tmp_path: Path) -> Iterator[Path]:
    """Berth with a wall clock that is set by writing `+1h` to this file."""
    if not FAKETIME.exists():
        pytest.skip(f"{FAKETIME} is missing: apt-get install faketime")
    file = tmp_path / "clock"
    file.write_text("+0")
    berth_cluster.remove_berth()
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    berth_cluster.add_berth(Berth(env=fake))
    yield file
    berth_cluster.remove_berth()


@pytest.mark.parametrize("jump", ["+2h", "+5m", "-5m", "-1h"])
def test_the_wall_clock_jumps_in_mid_plan(berth_cluster: Cluster, clock: Path, jump: str) -> None:
    fragment(berth_cluster)
    with watched(berth_cluster) as witness:
        jumped = witness.when("evicting", evicting, lambda: clock.write_text(jump))
        berth_cluster.create(wide())
        jumped.wait()
        wait_settled(berth_cluster, ALL_RUN, 120.0)


def test_the_wall_clock_jumps_to_and_fro(berth_cluster: Cluster, clock: Path) -> None:
    fragment(berth_cluster, going="3s")
    with watched(berth_cluster) as witness:
        begun = witness.when("taken up", MOMENTS["taken up"], lambda: clock.write_text("+20m"))
        berth_cluster.create(wide())
        begun.wait()
        for jump in ("-20m", "+3h", "+0"):
            time.sleep(1.5)
            clock.write_text(jump)
        wait_settled(berth_cluster, ALL_RUN, 120.0)
