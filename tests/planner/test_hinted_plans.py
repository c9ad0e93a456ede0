"""Plans for pods with allocation hints: wishes decide between places, and nothing that counts more pays for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.snapshot import PreferredNodeTerm, Snapshot
from berth_intent.intents import STRONG, Intent
from berth_intent.parser import parse
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary
from berth_planner.company import Company
from berth_planner.options import PlanOptions
from berth_planner.plan import Plan
from berth_planner.planning import build, make_plan
from berth_planner.simulate import simulate
from berth_planner.why import why

from .clusters import HOSTNAME, ZONE, Cluster, spread, where
from .test_waves import draw_cluster

OPTIONS = PlanOptions(budget=1.0)
PRODUCT = "nvidia.com/gpu.product"


def under(**hints: object) -> PlanOptions:
    """A policy that says this of hints."""
    policy = PackingPolicy.model_validate({"metadata": {"name": "p"}, "spec": {"hints": hints}})
    return PlanOptions(budget=1.0, policies=(policy,))


ENFORCED = under(enforceStrong=["default"])


def three_zones(gpu: int = 8) -> Cluster:
    return Cluster().node("a", zone="a", gpu=gpu).node("b", zone="b", gpu=gpu).node("c", zone="c", gpu=gpu)


def places(plan: Plan) -> dict[str, list[str]]:
    """Workload to the nodes of what the plan places, sorted."""
    found: dict[str, list[str]] = {}
    for placement in plan.placements:
        found.setdefault(placement.workload.name, []).extend([placement.node] * placement.count)
    return {name: sorted(nodes) for name, nodes in found.items()}


def planned(cluster: Cluster, options: PlanOptions = OPTIONS) -> Plan:
    snapshot = cluster.snapshot()
    plan = make_plan(snapshot, options)
    assert simulate(snapshot, plan).violations == ()
    return plan


@pytest.mark.parametrize("zone", ["a", "b", "c"])
def test_a_waiting_pod_goes_where_it_wishes(zone: str) -> None:
    assert places(planned(three_zones().pods("web", gpu=1, hint=f"prefer zone {zone}"))) == {"web": [zone]}


def test_a_gpu_model_is_told_by_the_label() -> None:
    cluster = Cluster().node("n1", gpu=8, **{PRODUCT: "NVIDIA-A100-SXM4-80GB"})
    cluster.node("n2", gpu=8, **{PRODUCT: "NVIDIA-H100-80GB-HBM3"})
    assert places(planned(cluster.pods("chat", gpu=1, hint="ideally on H100s"))) == {"chat": ["n2"]}


def test_siblings_are_spread_over_zones_those_that_run_counted() -> None:
    cluster = three_zones().pods("web", gpu=1, on="b").pods("web", 2, gpu=1, hint="spread us over zones")
    assert places(planned(cluster)) == {"web": ["a", "c"]}


def test_two_workloads_are_spread_each_by_itself() -> None:
    cluster = three_zones().pods("web", 3, gpu=1, hint="spread us over zones")
    cluster.pods("db", 3, gpu=1, hint="spread us over zones")
    assert places(planned(cluster)) == {"web": ["a", "b", "c"], "db": ["a", "b", "c"]}


def test_nobody_is_put_beside_whom_it_avoids() -> None:
    cluster = three_zones().pods("batch-etl", gpu=1, on="a").pods("batch-etl", gpu=1, on="b")
    cluster.pods("web", 3, gpu=1, hint="never next to batch-etl")
    assert places(planned(cluster)) == {"web": ["c"] * 3}


def test_two_that_wait_and_would_rather_be_apart_are_kept_apart() -> None:
    cluster = three_zones().pods("batch-etl", 2, gpu=4).pods("web", 2, gpu=2, hint="never next to batch-etl")
    found = places(planned(cluster))
    assert not set(found["web"]) & set(found["batch-etl"])


@pytest.mark.parametrize(("gpu", "nodes"), [(0, 3), (1, 1)])
def test_away_from_others_pods_keep_apart_unless_they_hold_devices(gpu: int, nodes: int) -> None:
    cluster = Cluster().node("n0", gpu=8).pods("etl", on="n0")
    for name in ("n1", "n2", "n3"):
        cluster.node(name, gpu=8)
    placed = places(planned(cluster.pods("web", 3, gpu=gpu, hint="never next to etl")))["web"]
    assert len(set(placed)) == nodes
    assert "n0" not in placed


def test_of_two_workloads_each_keeps_its_own_pods_apart() -> None:
    cluster = Cluster().node("n0").pods("etl", on="n0").node("n1").node("n2")
    cluster.pods("web", 2, hint="never next to etl").pods("db", 2, hint="never next to etl")
    assert places(planned(cluster)) == {"web": ["n1", "n2"], "db": ["n1", "n2"]}


def test_whoever_keeps_apart_from_siblings_minds_where_they_stand() -> None:
    cluster = Cluster().node("n0").node("n1").pods("etl", on="n0").pods("web", 2, hint="never next to etl")
    packing = build(cluster.pods("db", hint="never next to etl").snapshot(), OPTIONS)
    assert packing.wishes is not None
    company = Company(packing.snapshot, packing.wishes)
    web, _, db = (pod for pod in packing.snapshot.pods if pod.workload.name in ("web", "db"))
    assert company.kind(web) != company.kind(db)
    assert set(company.minded_by(web)) == {company.kind(web)}


def test_replicas_that_want_to_be_together_are() -> None:
    cluster = three_zones().pods("web", gpu=1, on="b").pods("web", 3, gpu=1, hint="all replicas on one node")
    assert places(planned(cluster)) == {"web": ["b"] * 3}


def test_a_moved_pod_moves_to_where_it_wishes() -> None:
    cluster = three_zones().pods("web", gpu=4, on="a", hint="prefer zone c")
    plan = planned(cluster.pods("big", gpu=8, priority=9, node_selector={HOSTNAME: "a"}))
    assert places(plan) == {"web": ["c"], "big": ["a"]}


def test_of_pods_that_could_make_room_the_one_that_minds_least_moves() -> None:
    cluster = three_zones().pods("web", gpu=4, on="a", hint="prefer zone a").pods("db", gpu=4, on="b")
    plan = planned(cluster.pods("full", gpu=4, on="c", immovable=[Reason.DO_NOT_MOVE]).pods("big", gpu=8, priority=9))
    assert places(plan)["big"] == ["b"]
    cluster = three_zones().pods("web", gpu=4, on="a").pods("db", gpu=4, on="b", hint="prefer zone b")
    plan = planned(cluster.pods("full", gpu=4, on="c", immovable=[Reason.DO_NOT_MOVE]).pods("big", gpu=8, priority=9))
    assert places(plan)["big"] == ["a"]


def test_nobody_moves_for_a_wish() -> None:
    cluster = three_zones().pods("low", gpu=8, on="b").pods("web", gpu=1, priority=9, hint="must run in zone b")
    plan = planned(cluster)
    assert plan.disruption.value == 0
    assert places(plan)["web"] in (["a"], ["c"])


def test_no_pod_waits_for_a_wish() -> None:
    cluster = three_zones(gpu=1).pods("web", 3, gpu=1, hint="must run in zone b")
    plan = planned(cluster)
    assert plan.tiers[0].placed_after == 3
    assert plan.tiers[0].certificate == "Optimal"


def test_a_strong_wish_goes_before_a_weak_one() -> None:
    cluster = (
        three_zones(gpu=1).pods("weak", gpu=1, hint="ideally zone b").pods("strong", gpu=1, hint="must be in zone b")
    )
    assert places(planned(cluster))["strong"] == ["b"]


def test_native_preference_and_hint_are_weighed_together() -> None:
    prefers = [PreferredNodeTerm(1, where(**{ZONE: "a"}))]
    cluster = three_zones().pods("web", gpu=1, prefers=prefers, hint="must run in zone b")
    assert places(planned(cluster)) == {"web": ["b"]}
    cluster = three_zones().pods("web", gpu=1, prefers=prefers, hint="ideally in zone b")
    assert places(planned(cluster)) == {"web": ["a"]}


def test_rules_bind_more_than_wishes() -> None:
    even = [spread(ZONE, 1, app="web")]
    cluster = three_zones().pods("web", 3, gpu=1, spread=even, hint="prefer zone b")
    assert places(planned(cluster)) == {"web": ["a", "b", "c"]}


def test_a_pod_that_may_displace_nobody_has_its_wish_from_free_room_alone() -> None:
    cluster = three_zones().pods("low", gpu=8, on="b").pods("web", gpu=1, priority=9, never=True, hint="prefer zone b")
    plan = planned(cluster.pods("web2", gpu=1, priority=9, never=True, hint="prefer zone c"))
    assert places(plan)["web2"] == ["c"]
    assert plan.disruption.value == 0


def test_moving_nobody_still_heeds_wishes() -> None:
    options = PlanOptions(budget=1.0, pending_only=True)
    assert places(planned(three_zones().pods("web", gpu=1, hint="prefer zone b"), options)) == {"web": ["b"]}


def test_fewest_nodes_come_before_wishes() -> None:
    options = PlanOptions(budget=1.0, consolidate=True)
    cluster = three_zones().pods("low", gpu=4, on="a").pods("web", gpu=1, hint="spread over zones, prefer zone b")
    plan = planned(cluster, options)
    assert plan.nodes_in_use_after == 1


class TestEnforced:
    def full_zone(self) -> Cluster:
        return three_zones().pods("other", 2, gpu=4, on="b").pods("web", gpu=8, hint="must run in zone b")

    def test_only_a_repack_can_satisfy_it(self) -> None:
        plan = planned(self.full_zone(), ENFORCED)
        assert places(plan)["web"] == ["b"]
        assert plan.disruption.moves == 2

    def test_where_it_is_not_enforced_nobody_moves_for_it(self) -> None:
        plan = planned(self.full_zone())
        assert plan.disruption.value == 0
        assert places(plan)["web"] in (["a"], ["c"])

    def test_a_plain_wish_is_never_enforced(self) -> None:
        plan = planned(three_zones().pods("other", gpu=8, on="b").pods("web", gpu=8, hint="prefer zone b"), ENFORCED)
        assert plan.disruption.value == 0

    def test_what_stands_elsewhere_stays(self) -> None:
        plan = planned(three_zones().pods("web", gpu=8, on="a", hint="must run in zone b"), ENFORCED)
        assert plan.is_empty

    def test_a_wish_that_no_node_satisfies_keeps_the_pod_waiting_and_says_so(self) -> None:
        snapshot = three_zones().pods("web", gpu=1, hint="must run in zone z").snapshot()
        (explanation,) = why(snapshot, ENFORCED)
        assert explanation.code is Reason.NO_PLACEMENT_EXISTS
        assert [(r.reason, r.nodes) for r in explanation.reasons] == [(Reason.HINT_ENFORCED, 3)]

    def test_an_enforced_spread_leaves_waiting_what_would_double_up(self) -> None:
        hint = "must be spread over zones"
        cluster = (
            three_zones().pods("web", 5, gpu=1, hint=hint).pods("full", gpu=8, on="c", immovable=[Reason.DO_NOT_MOVE])
        )
        plan = planned(cluster, ENFORCED)
        assert places(plan)["web"] == ["a", "b"]  # zone c is full, and counts
        (explanation,) = why(cluster.snapshot(), ENFORCED)[-1:]
        assert Reason.HINT_ENFORCED in {r.reason for r in explanation.reasons}

    def test_an_enforced_spread_counts_those_that_run_whatever_they_wish(self) -> None:
        cluster = three_zones().pods("web", gpu=1, on="a").pods("web", 2, gpu=1, hint="must be spread over zones")
        assert places(planned(cluster, ENFORCED)) == {"web": ["b", "c"]}

    def test_room_is_made_where_an_enforced_spread_needs_it(self) -> None:
        cluster = three_zones().pods("other", 2, gpu=4, on="c").pods("web", 3, gpu=8, hint="must be spread over zones")
        cluster.node("a2", zone="a", gpu=8)
        plan = planned(cluster, ENFORCED)
        assert places(plan) == {"web": ["a", "b", "c"], "other": ["a2", "a2"]} or places(plan) == {
            "web": ["a2", "b", "c"],
            "other": ["a", "a"],
        }

    def test_an_enforced_distance_closes_the_nodes_of_whom_it_avoids(self) -> None:
        cluster = three_zones(gpu=3).pods("etl", gpu=1, on="a").pods("web", 3, gpu=2, hint="never next to etl")
        assert places(planned(cluster, ENFORCED)) == {"web": ["b", "c"]}


class TestWhy:
    def two_sites(self) -> Cluster:
        return Cluster().node("n1", zone="west", gpu=8).node("n2", zone="east", gpu=8)

    def test_a_planned_pod_is_told_what_its_place_does_for_its_hint(self) -> None:
        cluster = self.two_sites().pods("full", gpu=8, on="n2", immovable=[Reason.DO_NOT_MOVE])
        cluster.pods("web", gpu=1, hint="must be in zone east, ideally on node n1")
        (explanation,) = why(cluster.snapshot(), OPTIONS)
        hint = explanation.hint
        assert hint is not None
        assert (hint.node, [round(v.satisfaction, 1) for v in hint.verdicts]) == ("n1", [0.1, 1.0])
        assert hint.wishes == ("in zone east", "on node n1")
        assert hint.sentence == (
            'of its hint 1 of 2 wishes are met on n1; "in zone east" is met to 10%: it is in zone west'
        )

    def test_siblings_are_counted_as_the_plan_leaves_them(self) -> None:
        cluster = self.two_sites().pods("web", 3, gpu=1, hint="spread us over zones")
        (explanation,) = why(cluster.snapshot(), OPTIONS)
        assert explanation.hint is not None
        assert "other pods of the workload" in explanation.hint.verdicts[0].reason

    def test_pods_that_wish_differently_are_told_apart(self) -> None:
        cluster = self.two_sites().pods("web", gpu=1, hint="spread us over zones").pods("db", gpu=1, hint="pack us")
        cluster.pods("api", gpu=1)
        hints = [e.hint.hint if e.hint else "" for e in why(cluster.snapshot(), OPTIONS)]
        assert sorted(hints) == ["", "pack us", "spread us over zones"]

    def test_a_pod_left_waiting_is_told_what_was_understood(self) -> None:
        (explanation,) = why(self.two_sites().pods("web", gpu=99, hint="prefer zone east").snapshot(), OPTIONS)
        assert explanation.hint is not None
        assert (explanation.hint.node, explanation.hint.wishes) == ("", ("in zone east",))
        assert explanation.hint.sentence == ""

    def test_without_hints_nothing_is_said(self) -> None:
        (explanation,) = why(self.two_sites().pods("web", 2, gpu=1).snapshot(), OPTIONS)
        assert explanation.hint is None

    def test_no_node_is_asked_for_that_the_enforced_wish_would_rule_out(self) -> None:
        cluster = self.two_sites().pods("full", gpu=8, on="n2", immovable=[Reason.DO_NOT_MOVE])
        (explanation,) = why(cluster.pods("web", gpu=8, hint="must run in zone east").snapshot(), ENFORCED)
        assert [(r.kind, r.node) for r in explanation.remedies] == [("one-more-node", "n2"), ("hint", "n1")]
        nowhere = self.two_sites().pods("web", gpu=8, hint="must run in zone z").snapshot()
        assert [r.kind for r in why(nowhere, ENFORCED)[0].remedies] == ["hint"]


class TestPolicies:
    def test_hints_that_are_switched_off_do_nothing(self) -> None:
        cluster = three_zones().pods("web", gpu=1, hint="prefer zone b")
        assert planned(cluster, under(enabled=False)).wishes is None

    def test_a_wish_that_is_not_allowed_does_nothing(self) -> None:
        cluster = (
            three_zones().pods("busy", gpu=1, on="a").pods("web", gpu=1, hint="prefer zone b, on the node of busy")
        )
        only = under(allowedIntents=[{"namespaces": ["default"], "intents": ["prefer_colocate_deployments"]}])
        assert places(planned(cluster, only)) == {"web": ["a"]}
        elsewhere = under(allowedIntents=[{"namespaces": ["other"], "intents": []}])
        assert places(planned(three_zones().pods("web", gpu=1, hint="prefer zone b"), elsewhere)) == {"web": ["b"]}

    def test_more_wishes_than_allowed_do_not_count(self) -> None:
        cluster = Cluster().node("n1", zone="west").node("n2", zone="east")
        cluster.pods("web", hint="prefer zone east, must avoid node n2")
        assert places(planned(cluster)) == {"web": ["n1"]}
        assert places(planned(cluster, under(maxPreferences=1))) == {"web": ["n2"]}

    def test_labels_of_ones_own_tell_the_facts(self) -> None:
        cluster = Cluster().node("n1", gpu=1, place="west").node("n2", gpu=1, place="east")
        cluster.pods("web", gpu=1, hint="prefer zone east")
        assert places(planned(cluster, under(labels={"zone": ["place"]}))) == {"web": ["n2"]}


def test_a_text_that_breaks_its_reader_breaks_no_plan() -> None:
    def reads(text: str, vocabulary: Vocabulary) -> Understood:
        if "boom" in text:
            raise RecursionError("boom")
        return parse(text, vocabulary)

    options = PlanOptions(budget=1.0, parse=reads)
    cluster = three_zones().pods("bad", gpu=1, hint="boom").pods("web", gpu=1, hint="prefer zone b")
    assert places(planned(cluster, options))["web"] == ["b"]


class TestReport:
    def test_wishes_that_are_all_met_are_proven_so(self) -> None:
        report = planned(three_zones().pods("web", 2, gpu=1, hint="prefer zone b")).wishes
        assert report is not None
        assert (report.pods, report.fulfilled, report.certificate) == (2, 2, "Optimal")
        assert report.value == report.bound == 2.0

    def test_what_could_not_be_met_is_told(self) -> None:
        report = planned(three_zones(gpu=1).pods("web", 3, gpu=1, hint="prefer zone b")).wishes
        assert report is not None
        assert (report.pods, report.fulfilled) == (3, 1)
        assert report.value <= report.bound

    def test_a_spread_that_is_not_full_is_no_proof(self) -> None:
        report = planned(three_zones().pods("web", 4, gpu=1, hint="spread us over zones")).wishes
        assert report is not None
        assert (report.pods, report.certificate) == (4, "Bounded")
        assert report.bound == 4.0

    def test_without_hints_there_is_none(self) -> None:
        assert planned(three_zones().pods("web", gpu=1)).wishes is None


class TestClasses:
    def classes(self, cluster: Cluster) -> int:
        return len(build(cluster.snapshot(), OPTIONS).problem.classes)

    def test_pods_that_wish_the_same_in_other_words_are_one_class(self) -> None:
        cluster = three_zones().pods("web", gpu=1, hint="prefer zone b").pods("db", gpu=1, hint="zone b if possible")
        assert self.classes(cluster.pods("api", gpu=1, hint="we like zone b, ideally")) <= 2  # plain and weak

    def test_wishes_about_others_alone_split_nothing(self) -> None:
        cluster = three_zones().pods("web", gpu=1).pods("db", gpu=1, hint="spread us over zones")
        assert self.classes(cluster.pods("api", gpu=1, hint="never next to db")) == 1

    def test_native_preferences_are_what_they_were_without_hints(self) -> None:
        prefers = [PreferredNodeTerm(1, where(**{ZONE: "a"})), PreferredNodeTerm(3, where(**{ZONE: "b"}))]
        problem = build(three_zones().pods("web", gpu=1, prefers=prefers).snapshot(), OPTIONS).problem
        assert problem.classes[0].preference == ((0, 0.25), (1, 0.75))


HINTS = (
    "spread us over zones",
    "prefer zone z0",
    "must be in zone z1",
    "never next to w1",
    "all replicas on one node",
    "near w0",
    "on the least busy nodes",
    "avoid node n0",
    "",
)


def hinted(random: Random, snapshot: Snapshot) -> Snapshot:
    import msgspec

    names = {p.workload.name: random.choice(HINTS) for p in snapshot.pods}
    pods = tuple(msgspec.structs.replace(p, hint=names[p.workload.name]) for p in snapshot.pods)
    return msgspec.structs.replace(snapshot, pods=pods)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_wishes_cost_neither_pods_nor_moves(random: Random, rules: bool) -> None:
    bare = draw_cluster(random, rules=rules).snapshot()
    snapshot = hinted(random, bare)
    plan, without = make_plan(snapshot, OPTIONS), make_plan(bare, OPTIONS)
    assert simulate(snapshot, plan).violations == ()
    proven = [all(t.certificate == "Optimal" for t in p.tiers) for p in (plan, without)]
    if all(proven):
        assert [t.placed_after for t in plan.tiers] == [t.placed_after for t in without.tiers]
        if plan.disruption.certificate == without.disruption.certificate == "Optimal":
            assert plan.disruption.value == without.disruption.value
    if plan.wishes is not None:
        assert plan.wishes.value <= plan.wishes.bound + 1e-9
        assert (
            plan.wishes.fulfilled
            <= plan.wishes.pods
            <= Counter(p.node is None for p in bare.pods)[True] + len(plan.moves)
        )


class TestLanguageModel:
    HINT = "cosy up to the third letter"

    def improved(self, text: str, vocabulary: Vocabulary) -> Understood | None:
        read = Preference(Intent.PREFER_ZONES, ("c",), strength=STRONG, text=text)
        return Understood((read,), by_model=frozenset((0,))) if text == self.HINT else None

    def place(self, **hints: object) -> dict[str, list[str]]:
        options = replace(under(**hints), improved=self.improved)
        return places(planned(three_zones().pods("web", gpu=1, hint=self.HINT), options))

    def test_its_reading_counts_in_plans_where_a_policy_says_so(self) -> None:
        assert self.place(languageModel={"namespaces": ["default"]}) == {"web": ["c"]}
        assert self.place(languageModel={"namespaces": ["other"]}) != {"web": ["c"]}

    def test_it_rules_no_node_out(self) -> None:
        options = replace(
            under(languageModel={"namespaces": ["*"]}, enforceStrong=["*"]),
            improved=self.improved,
        )
        cluster = (
            three_zones().pods("full", gpu=8, on="c", immovable=[Reason.DO_NOT_MOVE]).pods("web", gpu=1, hint=self.HINT)
        )
        assert places(planned(cluster, options))["web"] in (["a"], ["b"])
