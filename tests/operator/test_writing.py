"""What is written to the cluster: once, to whom it is meant for, and by nobody but the leader."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from berth_api.annotations import SCALE_UP_DELAY, WHY, Why
from berth_api.packing_plan import PackingPlan, Trigger
from berth_api.packing_policy import PackingPolicy
from berth_cluster.connection import ApiError, Connection
from berth_cluster.leases import Lease
from berth_cluster.snapshot import Pod, Snapshot
from berth_operator.events import REPEAT_SECONDS, Events, about_pod
from berth_operator.execution import Executor
from berth_operator.execution_metrics import ExecutionMetrics
from berth_operator.fencing import FencedConnection, NotLeadingError
from berth_operator.metrics import Metrics
from berth_operator.plan_writing import PLANS_PATH, UNSEEN_SECONDS, PlanWriter
from berth_operator.policy_in_force import PoliciesInForce
from berth_operator.telling import PodTeller
from berth_planner.options import PlanOptions
from berth_planner.planning import make_plan
from tests.planner.clusters import Cluster

from .world import NOW, of_berth, plan_object, policy, waiting
from .writing_server import WritingServer, with_server

EVENTS = "/api/v1/namespaces/default/events"
POD = "/api/v1/namespaces/default/pods/web-0"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def a_pod(**changes: object) -> Pod:
    return waiting(Cluster().pods("web", gpu=1).all_pods[0], **changes)


# -- pods


def tell(
    folder: Path, pod: Pod, why: Why, standing: dict[str, str], uid: str = "uid-web-0"
) -> tuple[WritingServer, int]:
    kept: list[tuple[WritingServer, int]] = []

    async def scenario(server: WritingServer, connection: Connection) -> None:
        server.put(POD, {"metadata": {"name": "web-0", "uid": uid, "annotations": dict(standing)}})
        teller = PodTeller(connection, Metrics(CollectorRegistry()))
        kept.append((server, await teller.tell({pod.key: why}, {pod.key: pod}, 600)))

    with_server(folder, scenario)
    return kept[0]


def test_a_pod_is_told_and_its_autoscaler_held_back(tmp_path: Path) -> None:
    why = Why(code="FitsAfterMoves", message="goes to n1", plan="plan-1", position=2)
    server, written = tell(tmp_path, a_pod(), why, {})
    annotations = server.objects[POD]["metadata"]["annotations"]
    assert written == 1
    assert json.loads(annotations[WHY]) == {
        "code": "FitsAfterMoves",
        "message": "goes to n1",
        "plan": "plan-1",
        "position": 2,
    }
    assert annotations[SCALE_UP_DELAY] == "600s"


def test_what_it_says_already_is_not_written_again(tmp_path: Path) -> None:
    why = Why(code="NoPlacementExists", message="nowhere")
    server, written = tell(tmp_path, a_pod(why='{"message": "nowhere", "code": "NoPlacementExists"}'), why, {})
    assert (written, server.writes) == (0, [])


def test_an_autoscaler_may_act_again_for_a_pod_that_no_plan_serves_any_more(tmp_path: Path) -> None:
    server, _ = tell(tmp_path, a_pod(), Why(code="NoPlacementExists", message="x"), {SCALE_UP_DELAY: "600s"})
    assert SCALE_UP_DELAY not in server.objects[POD]["metadata"]["annotations"]


def test_a_namesake_is_not_told(tmp_path: Path) -> None:
    server, _ = tell(tmp_path, a_pod(), Why(code="NoPlacementExists", message="x"), {}, uid="a new pod")
    assert WHY not in server.objects[POD]["metadata"]["annotations"]


# -- events


def with_events(folder: Path, scenario: Callable[[WritingServer, Connection, Clock], Awaitable[None]]) -> None:
    async def run(server: WritingServer, connection: Connection) -> None:
        await scenario(server, connection, Clock())

    with_server(folder, run)


async def written(events: Events) -> None:
    """Let it write what is queued."""
    task = asyncio.create_task(events.run())
    while events._queue.qsize():
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def make_events(connection: Connection, clock: Clock) -> Events:
    return Events(connection, Metrics(CollectorRegistry()), instance="one", clock=clock, now=lambda: NOW)


def test_the_same_event_is_counted_up_and_only_after_a_while(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        events = make_events(connection, clock)
        for _ in range(5):
            events.tell(about_pod(a_pod()), "NothingBetter", "it is so")
        await written(events)
        assert len(server.writes) == 1
        clock.now += REPEAT_SECONDS
        events.tell(about_pod(a_pod()), "NothingBetter", "it is so")
        await written(events)
        (event,) = server.objects.values()
        assert (event["count"], event["involvedObject"]["name"], event["type"]) == (2, "web-0", "Normal")

    with_events(tmp_path, scenario)


def test_other_words_on_the_same_topic_wait_too(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        events = make_events(connection, clock)
        events.tell(about_pod(a_pod()), "NothingBetter", "5 pods wait", topic="HigherPriorityFirst")
        events.tell(about_pod(a_pod()), "NothingBetter", "6 pods wait", topic="HigherPriorityFirst")
        events.tell(about_pod(a_pod()), "NothingBetter", "nowhere", topic="NoPlacementExists")
        await written(events)
        assert [e["message"] for e in server.objects.values()] == ["5 pods wait", "nowhere"]

    with_events(tmp_path, scenario)


def test_once_is_once_after_a_restart_too(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        for _ in range(2):
            events = make_events(connection, clock)
            events.tell(about_pod(a_pod()), "HintIgnored", "another scheduler", once=True)
            await written(events)
        (event,) = server.objects.values()
        assert event["count"] == 1

    with_events(tmp_path, scenario)


# -- plans


class Known:
    """What the cache shows of plans."""

    def __init__(self, *plans: PackingPlan) -> None:
        self.plans = {plan.metadata.name: plan for plan in plans}

    def resource_versions(self) -> dict[str, str]:
        return {"pods": "7"}


def make_writer(connection: Connection, known: Known, clock: Clock) -> PlanWriter:
    metrics = Metrics(CollectorRegistry())
    events = Events(connection, metrics, instance="one", clock=clock)
    return PlanWriter(connection, known, events, metrics, clock=clock, now=lambda: NOW)  # type: ignore[arg-type]


POLICIES = PoliciesInForce([])


async def write(writer: PlanWriter, policies: PoliciesInForce = POLICIES, *, approved: bool = True) -> str | None:
    cluster = Cluster().node("n1", gpu=8).pods("big", gpu=8)
    view = of_berth(cluster.snapshot())
    plan = make_plan(view, PlanOptions(movable="berth", budget=0.5))
    done = await writer.write(plan, view, policies.all[0], Trigger.UNSCHEDULABLE, approved=approved)
    return None if done is None else done.name


def test_a_plan_that_was_written_is_in_the_way_before_the_watch_shows_it(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        writer = make_writer(connection, Known(), clock)
        assert not writer.plan_in_the_way(POLICIES)
        name = await write(writer)
        assert server.objects[f"{PLANS_PATH}/{name}"]["spec"]["approved"] is True
        assert writer.plan_in_the_way(POLICIES)
        clock.now += UNSEEN_SECONDS
        assert not writer.plan_in_the_way(POLICIES), "it was deleted before anybody saw it"

    with_events(tmp_path, scenario)


def test_a_create_whose_answer_was_lost_may_have_happened(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        server.loses_answers = True
        writer = make_writer(connection, Known(), clock)
        with pytest.raises(ApiError):
            await write(writer)
        assert len(server.objects) >= 1
        assert writer.plan_in_the_way(POLICIES)

    with_events(tmp_path, scenario)


@pytest.mark.parametrize(
    ("plan", "in_the_way"),
    [
        (plan_object("p"), True),
        (plan_object("p", approved=False), False),
        (plan_object("p", finished="Completed"), False),
        (plan_object("p", deadline=NOW), False),
        (plan_object("p", policy="dry"), False),
        (plan_object("p", policy="dry", trigger=Trigger.FALLBACK), True),
    ],
)
def test_which_plans_are_in_the_way(plan: PackingPlan, in_the_way: bool, tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        policies = PoliciesInForce([policy("dry", mode="DryRun")])
        assert make_writer(connection, Known(plan), clock).plan_in_the_way(policies) is in_the_way

    with_events(tmp_path, scenario)


@pytest.mark.parametrize("approved_meanwhile", [False, True])
def test_a_proposal_is_superseded_unless_a_person_was_quicker(approved_meanwhile: bool, tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        proposal = plan_object("old", policy="asks", approved=False)
        version = "2" if approved_meanwhile else "1"
        path = f"{PLANS_PATH}/old"
        server.put(path, {"metadata": {"name": "old", "uid": "uid-old", "resourceVersion": version}})
        policies = PoliciesInForce([policy("asks", mode="Manual")])
        name = await write(make_writer(connection, Known(proposal), clock), policies, approved=False)
        ended = [c["reason"] for c in server.objects[path].get("status", {}).get("conditions", [])]
        if approved_meanwhile:
            assert (name, ended) == (None, [])
        else:
            assert name is not None
            assert ended == ["Superseded"]

    with_events(tmp_path, scenario)


@pytest.mark.parametrize("uid", ["uid-old", "a new plan"])
def test_a_plan_is_deleted_but_never_a_namesake(uid: str, tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection, clock: Clock) -> None:
        path = f"{PLANS_PATH}/old"
        server.put(path, {"metadata": {"name": "old", "uid": uid, "resourceVersion": "1"}})
        await make_writer(connection, Known(), clock).delete(plan_object("old", finished="Completed"))
        assert (path in server.objects) is (uid == "a new plan")

    with_events(tmp_path, scenario)


# -- what becomes of a plan


class Seen(Known):
    """What the cache shows to the executor: these plans, and an empty cluster."""

    synced = True
    policies: Mapping[str, PackingPolicy] = {}
    leases: Mapping[str, Lease] = {}

    def snapshot(self) -> Snapshot:
        return Cluster().snapshot()


@pytest.mark.parametrize("changed_meanwhile", [False, True])
def test_what_was_decided_on_an_older_state_of_a_plan_is_not_written(changed_meanwhile: bool, tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        late = plan_object("p", deadline=NOW)
        path = f"{PLANS_PATH}/p"
        version = "2" if changed_meanwhile else "1"
        server.put(path, {**late.to_json(), "metadata": {"name": "p", "uid": "uid-p", "resourceVersion": version}})
        metrics = ExecutionMetrics(CollectorRegistry())
        executor = Executor(connection, Seen(late), metrics, now=lambda: NOW)  # type: ignore[arg-type]
        await executor.look()
        phase = server.objects[path].get("status", {}).get("phase", "")
        assert phase == ("" if changed_meanwhile else "Expired")

    with_server(tmp_path, scenario)


# -- fencing


def test_who_does_not_lead_any_more_reads_but_writes_nothing(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        leads = True
        fenced = FencedConnection(connection, lambda: leads)
        server.put(POD, {"metadata": {"name": "web-0", "uid": "u"}})
        await fenced.request("PATCH", POD, body={"metadata": {}}, content_type="application/merge-patch+json")
        leads = False
        assert msgspec.json.decode(await fenced.request("GET", POD))["metadata"]["uid"] == "u"
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            with pytest.raises(NotLeadingError):
                await fenced.request(method, POD, body={})
        assert len(server.writes) == 1

    with_server(tmp_path, scenario)
