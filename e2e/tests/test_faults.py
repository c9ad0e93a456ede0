"""Things that go wrong in the middle of a plan: no rule is broken at any moment, and in the end all that fits runs.

The most telling ones; the others are in test_faults_matrix.py, with the marker `slow`. What a rule is: see berth_e2e.witness.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.fragmented import SMALL, fragment, set_cordoned, wait_settled, wide
from berth_e2e.objects import KubernetesObject, pod
from berth_e2e.waiting import wait_for
from berth_e2e.witness import Witness, condition, outcome, steps

ALL_RUN = dict.fromkeys(SMALL, 1) | {"wide": 2}


@pytest.fixture
def fragmented(berth_cluster: Cluster) -> Cluster:
    fragment(berth_cluster)
    return berth_cluster


@pytest.fixture
def witness(fragmented: Cluster) -> Iterator[Witness]:
    with Witness(fragmented.api) as watching:
        yield watching
    watching.assert_rules_held()


def evicting(plan: KubernetesObject) -> bool:
    return "Evicting" in steps(plan)


def outcomes(witness: Witness) -> list[str]:
    return [outcome(plan) for plan in witness.plans.values()]


def test_nothing_goes_wrong(fragmented: Cluster, witness: Witness) -> None:
    """What the others are measured by."""
    fragmented.create(wide())
    wait_settled(fragmented, ALL_RUN)
    assert outcomes(witness) == ["Completed"]
    assert len(witness.evicted) == 2


def test_the_leader_is_killed_while_pods_are_leaving(fragmented: Cluster, witness: Witness) -> None:
    killed = witness.when("evicting", evicting, fragmented.processes["operator-0"].kill)
    fragmented.create(wide())
    killed.wait()
    fragmented.processes["operator-0"].start()
    wait_settled(fragmented, ALL_RUN)
    assert outcomes(witness) == ["Completed"], "the next leader goes on with the same plan"
    assert len(witness.evicted) == 2


@pytest.mark.slow
def test_both_extenders_are_killed_and_come_back(fragmented: Cluster, witness: Witness) -> None:
    def kill() -> None:
        for name in ("extender-0", "extender-1"):
            fragmented.processes[name].kill()

    killed = witness.when("evicting", evicting, kill)
    fragmented.create(wide())
    killed.wait()
    time.sleep(2)
    for name in ("extender-0", "extender-1"):
        fragmented.processes[name].start()
        fragmented.wait_ready(name)
    wait_settled(fragmented, ALL_RUN)


def test_the_api_server_is_killed_and_comes_back(fragmented: Cluster, witness: Witness) -> None:
    killed = witness.when("evicting", evicting, fragmented.processes["kube-apiserver"].kill)
    fragmented.create(wide())
    killed.wait()
    time.sleep(1)
    fragmented.heal()
    wait_settled(fragmented, ALL_RUN)


@pytest.mark.slow
def test_a_pod_of_the_default_scheduler_takes_the_room(fragmented: Cluster, witness: Witness) -> None:
    """It may: both schedulers do not know of each other. The plan ends and another serves whom there is room for."""
    thief = pod("thief", labels={"app": "thief"}, gpus=4)
    stolen = witness.when("reserved", lambda plan: condition(plan, "Reserved"), lambda: fragmented.create(thief))
    fragmented.create(wide())
    stolen.wait()
    wait_settled(fragmented, dict.fromkeys(SMALL, 1) | {"thief": 1, "wide": 1})


def test_a_target_is_cordoned_after_the_eviction_and_uncordoned_later(fragmented: Cluster, witness: Witness) -> None:
    """The evicted pod had nowhere else to go: it is told so, and runs as soon as there is room again."""

    def target() -> str:
        plan = next(iter(witness.plans.values()))
        evictions = [e for wave in plan["spec"]["waves"] for step in wave["steps"] for e in step.get("evictions", [])]
        return str(evictions[-1]["target"])

    cordoned = witness.when("evicting", evicting, lambda: set_cordoned(fragmented, target(), True))
    fragmented.create(wide())
    cordoned.wait()
    wait_for("the end of the plan", lambda: "ClusterChanged" in outcomes(witness), 30.0)
    wait_settled(fragmented, {"wide": 2})
    set_cordoned(fragmented, target(), False)
    wait_settled(fragmented, ALL_RUN)
