"""What owners are told of their hints: once for an owner, a text and an outcome, in words that say what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.snapshot import Pod, Snapshot, WorkloadKey
from berth_intent.intents import STRONG, WEAK, Intent, Level
from berth_intent.understood import Code, HintWarning, Preference, Understood
from berth_operator.events import About
from berth_operator.metrics import Metrics
from berth_operator.understood_as import Outcome, outcomes
from berth_operator.understood_events import ANEW_SECONDS, AT_ONCE, UnderstoodHints, about_owner
from tests.planner.clusters import Cluster

SPREAD = Preference(Intent.SPREAD_ZONES, text="spread us over zones")
H100 = Preference(Intent.PREFER_GPU_MODEL, ("H100",), strength=WEAK, text="ideally on H100s")
APART = Preference(Intent.AVOID_DEPLOYMENTS, ("batch-etl",), scope=Level.NODE, strength=STRONG, text="never next to it")


class TestSentences:
    def test_everything_understood_is_said_with_its_strength(self) -> None:
        (outcome,) = outcomes(Understood((SPREAD, H100, APART)))
        assert outcome.reason is Reason.HINT_UNDERSTOOD
        assert not outcome.is_warning
        assert outcome.sentence == (
            "the allocation hint is understood as: pods of its workload spread over zones; on a node with GPU model H100 "
            "(weak); not on a node where batch-etl runs (strong)"
        )

    def test_what_was_left_aside_is_quoted(self) -> None:
        (outcome,) = outcomes(Understood((H100,), unparsed=("near the frobnicator",)))
        assert outcome.reason is Reason.HINT_PARTLY_UNDERSTOOD
        assert outcome.is_warning
        assert '"near the frobnicator" was not understood' in outcome.sentence
        assert "H100" in outcome.sentence
        assert "kubectl berth hint" in outcome.sentence

    def test_a_hint_of_which_nothing_counts_says_so(self) -> None:
        (outcome,) = outcomes(Understood(unparsed=("asdf qwer",)))
        assert outcome.sentence.startswith("nothing of the allocation hint counts")
        (outcome,) = outcomes(Understood())
        assert (outcome.reason, "no place in particular" in outcome.sentence) == (Reason.HINT_UNDERSTOOD, True)

    def test_a_name_that_the_cluster_lacks_is_said(self) -> None:
        warning = HintWarning(Code.UNKNOWN_NAME, "no zone us-east-9z in the cluster")
        (outcome,) = outcomes(Understood((SPREAD,), warnings=(warning,)))
        assert (outcome.reason, "us-east-9z" in outcome.sentence) == (Reason.HINT_PARTLY_UNDERSTOOD, True)

    def test_a_corrected_spelling_is_no_complaint(self) -> None:
        warning = HintWarning(Code.SPELLING, "read zoens as zones")
        (outcome,) = outcomes(Understood((SPREAD,), warnings=(warning,)))
        assert outcome.reason is Reason.HINT_UNDERSTOOD

    def test_a_conflict_is_told_beside_what_counts(self) -> None:
        together = Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, strength=WEAK)
        warning = HintWarning(Code.CONFLICT, "spreading counts, being together does not")
        understood, conflict = outcomes(Understood((SPREAD, together), warnings=(warning,), overruled=frozenset([1])))
        assert conflict.reason is Reason.HINT_CONFLICT
        assert "spreading counts" in conflict.sentence
        assert "all pods of its workload on one node" not in understood.sentence

    def test_a_wish_that_is_not_allowed_is_left_aside(self) -> None:
        (outcome,) = outcomes(Understood((SPREAD, H100)), refused=[H100])
        assert outcome.reason is Reason.HINT_PARTLY_UNDERSTOOD
        assert "not allowed in this namespace: on a node with GPU model H100" in outcome.sentence
        assert outcome.sentence.index("spread over zones") < outcome.sentence.index("not allowed")

    def test_what_no_node_can_satisfy_is_told_apart(self) -> None:
        understood, impossible = outcomes(Understood((H100,)), impossible=["no node has an H100"])
        assert understood.reason is Reason.HINT_UNDERSTOOD
        assert (impossible.reason, "no node has an H100" in impossible.sentence) == (Reason.HINT_UNSATISFIABLE, True)

    def test_a_long_hint_gives_a_short_sentence_that_a_terminal_does_not_obey(self) -> None:
        many = tuple(Preference(Intent.PREFER_ZONES, (f"z{i}\x1b[31m",)) for i in range(50))
        (outcome,) = outcomes(Understood(many, unparsed=("x\n\u202e" * 500,) * 40))
        assert len(outcome.sentence) < 1_024
        assert outcome.sentence.isprintable()
        assert "and 42 more" in outcome.sentence


class Told:
    """Stands where Events stands, and writes down."""

    def __init__(self) -> None:
        self.told: list[tuple[About, str, str]] = []

    def tell(self, about: About, reason: str, message: str, **how: Any) -> None:
        assert how["once"]
        self.told.append((about, reason, message))


class World:
    """A cluster as the cache shows it, a clock, and a reader that understands the first word alone."""

    def __init__(self, cluster: Cluster) -> None:
        self.synced = True
        self.policies: dict[str, PackingPolicy] = {}
        self.cluster = cluster
        self.now = 1000.0
        self.events = Told()
        self.metrics = Metrics(CollectorRegistry())
        self.read: list[str] = []
        self.impossible: set[str] = set()
        self.hints = UnderstoodHints(self, self.events, self.metrics, self.reader, clock=lambda: self.now)  # type: ignore[arg-type]

    def snapshot(self) -> Snapshot:
        return self.cluster.snapshot()

    def reader(self, snapshot: Snapshot, policies: Sequence[PackingPolicy]) -> World:
        return self

    def outcomes(self, pod: Pod) -> list[Outcome]:
        self.read.append(pod.hint)
        found = [Outcome(Reason.HINT_UNDERSTOOD, f"as {pod.hint}")]
        if pod.hint in self.impossible:
            found.append(Outcome(Reason.HINT_UNSATISFIABLE, "nowhere"))
        return found

    def round(self) -> list[tuple[str, str]]:
        """Owner and reason of each event of one round."""
        before = len(self.events.told)
        asyncio.run(self.hints.round())
        return [(about.name, reason) for about, reason, _ in self.events.told[before:]]

    def counted(self, outcome: str) -> float:
        return self.metrics.registry.get_sample_value("berth_operator_hints_total", {"outcome": outcome}) or 0.0


def hinted(workload: str, hint: str, count: int = 1, scheduler: str = "berth") -> list[Pod]:
    pods = Cluster().pods(workload, count, scheduler=scheduler).all_pods
    return [msgspec.structs.replace(pod, hint=hint) for pod in pods]


def world(*pods: list[Pod]) -> World:
    cluster = Cluster().node("n1")
    for group in pods:
        cluster.all_pods += group
    return World(cluster)


def arrives(here: World, *pods: Pod) -> None:
    here.cluster.all_pods += pods
    for pod in pods:
        here.hints.pod_changed(None, pod)


class TestTelling:
    def test_an_owner_with_many_pods_gets_one_event(self) -> None:
        here = world(hinted("web", "spread", 30))
        assert here.round() == [("web", "HintUnderstood")]
        (about, _, _) = here.events.told[0]
        assert (about.kind, about.api_version, about.namespace) == ("Deployment", "apps/v1", "default")
        assert here.counted("Understood") == 1

    def test_replicas_that_come_later_say_nothing_new(self) -> None:
        here = world(hinted("web", "spread", 2))
        here.round()
        arrives(here, *hinted("web", "spread", 3)[2:])
        assert here.round() == []
        assert here.read == ["spread"]

    def test_another_text_is_told_again(self) -> None:
        here = world(hinted("web", "spread"))
        here.round()
        here.cluster.all_pods.clear()
        arrives(here, *hinted("web", "gather"))
        assert here.round() == [("web", "HintUnderstood")]

    def test_pods_of_other_schedulers_and_without_hints_are_nobodys_business(self) -> None:
        here = world(hinted("web", "spread", scheduler="default-scheduler"), hinted("db", ""))
        assert here.round() == []
        assert here.read == []

    def test_a_wish_that_goes_out_of_reach_with_a_node_is_told_and_only_that(self) -> None:
        here = world(hinted("web", "on h100"))
        here.round()
        here.impossible.add("on h100")
        node = here.cluster.nodes[0]
        here.hints.node_changed(node, msgspec.structs.replace(node, labels={"gone": "true"}))
        assert here.round() == []  # not with every node that changes: at most once a minute
        here.now += ANEW_SECONDS
        assert here.round() == [("web", "HintUnsatisfiable")]
        here.now += ANEW_SECONDS
        here.hints.node_changed(node, None)
        assert here.round() == []

    def test_a_node_that_only_beats_its_heart_costs_nothing(self) -> None:
        here = world(hinted("web", "spread"))
        here.round()
        node = here.cluster.nodes[0]
        here.hints.node_changed(node, msgspec.structs.replace(node, ready=False))
        here.now += ANEW_SECONDS
        here.round()
        assert here.read == ["spread"]

    def test_a_changed_policy_is_looked_at(self) -> None:
        here = world(hinted("web", "spread"))
        here.round()
        here.hints.policy_changed(None, PackingPolicy.model_validate({"metadata": {"name": "p"}}))
        here.now += ANEW_SECONDS
        here.round()
        assert here.read == ["spread", "spread"]

    def test_many_hints_take_several_rounds(self) -> None:
        here = world(*(hinted(f"w{i}", "spread") for i in range(AT_ONCE + 20)))
        assert [len(here.round()) for _ in range(3)] == [AT_ONCE, 20, 0]

    def test_nothing_is_said_before_the_cluster_is_known(self) -> None:
        here = world(hinted("web", "spread"))
        here.synced = False
        assert here.round() == []

    def test_owners_that_are_gone_are_forgotten(self) -> None:
        here = world(hinted("web", "spread"))
        here.round()
        here.cluster.all_pods.clear()
        arrives(here, *hinted("db", "spread"))
        here.round()
        assert len(here.hints._known) == 1

    def test_beyond_its_memory_it_counts_and_is_silent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("berth_operator.understood_events.MAX_OWNERS", 2)
        here = world(*(hinted(f"w{i}", "spread") for i in range(3)))
        assert len(here.round()) == 2
        assert here.counted("NotTold") == 1

    def test_a_new_leader_looks_at_everybody(self) -> None:
        here = world(hinted("web", "spread"))
        here.round()

        async def lead_for_a_moment() -> None:
            task = asyncio.create_task(here.hints.run())
            await asyncio.sleep(0.05)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(lead_for_a_moment())
        assert here.read == ["spread", "spread"]  # Events finds by the name that it was said


def test_an_owner_of_an_unknown_kind_has_no_version() -> None:
    assert about_owner(WorkloadKey("ns", "RayService", "llm", "u")).api_version == ""
    assert about_owner(WorkloadKey("ns", "LLMService", "chat", "u")).api_version == "berth.dev/v1alpha1"
