"""Hints in the request path: where hinted pods go, in bursts and rollouts, and what policies let hints do."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from berth_api.hint_policy import AllowedIntents, HintIntent, HintLabels, Hints, LanguageModel
from berth_api.packing_policy import PackingPolicy, PackingPolicySpec, Scope
from berth_api.resource import Metadata
from berth_cluster.snapshot import Node, NodeTerm, Operator, Pod, PodSpec, PreferredNodeTerm, Requirement, Taint
from berth_intent.intents import PLAIN, STRONG, Intent, Level
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary
from berth_scheduling.answers import Outcome
from berth_scheduling.scheduler import Scheduler
from berth_scheduling.settings import Settings

from .builders import START, Stage, node, plan, pod

ZONE, RACK = "topology.kubernetes.io/zone", "topology.kubernetes.io/rack"
ETL = Preference(Intent.AVOID_DEPLOYMENTS, ("etl",), scope=Level.NODE)
SPREAD = Preference(Intent.SPREAD_ZONES)


def in_zone(name: str, zone: str, rack: str = "", **more: Any) -> Node:
    return node(name, labels={ZONE: zone, **({RACK: rack} if rack else {})}, **more)


class HintedStage(Stage):
    """Reads hints from a table instead of their words."""

    def __init__(self, *things: Node | Pod, hints: dict[str, tuple[Preference, ...]], settings: Settings | None = None):
        super().__init__(settings=settings)
        self.read = 0

        def read(text: str, vocabulary: Vocabulary) -> Understood:
            self.read += text in hints
            self.vocabulary = vocabulary
            return Understood(hints.get(text, ()))

        self.scheduler = Scheduler(
            settings or Settings(),
            clock=lambda: self.seconds,
            now=lambda: START + timedelta(seconds=self.seconds),
            read=read,
        )
        self.scheduler.leader_alive = True
        self.tell(*things)

    def place(self, asked: Pod) -> str:
        """As kube-scheduler does, which then binds; the watch has not told yet."""
        self.tell(asked)
        offered = self.filter(asked).nodes
        ranks = self.scheduler.prioritize(asked, offered)
        return max(ranks, key=lambda pair: pair[1])[0]

    def policy(self, *, scope: Scope | None = None, **hints: Any) -> None:
        spec = PackingPolicySpec(hints=Hints(**hints), scope=scope or Scope())
        self.scheduler.policy_changed(None, PackingPolicy(metadata=Metadata(name="p"), spec=spec))


def hinted(name: str, text: str, workload: str = "web", **more: Any) -> Pod:
    return replace(pod(name, workload, **more), hint=text)


def named(zones: str, each: int) -> list[Node]:
    return [in_zone(f"{zone}{i}", zone) for zone in zones for i in range(each)]


# In bursts, before the watch has told of anything


def test_a_burst_is_spread_over_zones_and_nodes() -> None:
    stage = HintedStage(*named("abc", 3), hints={"h": (SPREAD,)})
    placed = [stage.place(hinted(f"w{i}", "h", gpu=1)) for i in range(9)]
    assert Counter(name[0] for name in placed) == {"a": 3, "b": 3, "c": 3}
    assert len(set(placed)) == 9


def test_a_burst_gathers_on_one_node_that_has_room_for_all() -> None:
    stage = HintedStage(
        node("small", cpu=17), node("large", cpu=64), node("large-too", cpu=64), hints={"h": (together(),)}
    )
    burst = [hinted(f"w{i}", "h") for i in range(20)]
    stage.tell(*burst)
    assert len({stage.place(one) for one in burst}) == 1
    assert stage.place(burst[0]) != "small"


def test_what_does_not_fit_goes_to_the_same_rack() -> None:
    nodes = [in_zone(f"n{i}", "a", f"r{i % 2}", cpu=4) for i in range(4)]
    stage = HintedStage(*nodes, *(pod(f"w{i}", "web", on="n1") for i in range(4)), hints={"h": (together(),)})
    offered = ["n0", "n2", "n3"]  # n1 is full
    ranks = dict(stage.scheduler.prioritize(hinted("w9", "h"), offered))
    assert ranks["n3"] == 10 > max(ranks["n0"], ranks["n2"])


def test_an_approved_pod_counts_only_until_its_time_is_over() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (SPREAD,)})
    first = stage.place(hinted("w1", "h"))
    assert stage.place(hinted("w2", "h")) != first
    stage.remove(hinted("w1", "h"))
    stage.remove(hinted("w2", "h"))
    assert stage.place(hinted("w3", "h")) == first


def test_a_pod_counts_once_when_the_watch_shows_it_bound() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (SPREAD,)})
    for i in range(4):
        waiting = hinted(f"w{i}", "h")
        stage.bind(waiting, stage.place(waiting))
    assert dict(Counter(p.node for p in stage.pods.values())) == {"a0": 2, "b0": 2}
    for version in "123":
        stage.tell(replace(stage.pods["uid-w0"], resource_version=version))
    stage.tell(pod("w9", "web", on=next(n for n in stage.nodes if n != stage.pods["uid-w0"].node)))
    assert stage.place(hinted("w10", "h")) == stage.pods["uid-w0"].node


# Who counts


def test_pods_on_their_way_out_are_no_siblings() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (SPREAD,)})
    old = [pod(f"o{i}", "web", on="a0") for i in range(5)]
    stage.tell(*old, pod("w1", "web", on="b0"), pod("w2", "web", on="b0"))
    assert stage.place(hinted("w8", "h")) == "b0"
    leaving = [replace(one, terminating=True) for one in old]
    stage.tell(*leaving)
    assert stage.place(hinted("w9", "h")) == "a0"
    for one in leaving:
        stage.remove(one)
    assert [stage.place(hinted(f"w1{i}", "h")) for i in range(2)] == ["a0", "a0"]


def test_a_rollout_is_spread_by_its_new_pods() -> None:
    """The old ones are about to go: three in zone a are no reason to put all new ones into zone b."""
    old, new = (PodSpec((), labels=(("pod-template-hash", h),)) for h in ("old", "new"))
    stage = HintedStage(*named("ab", 2), hints={"h": (SPREAD,)})
    stage.tell(*(pod(f"o{i}", "web", on="a0", spec=old) for i in range(3)))
    placed = [stage.place(hinted(f"w{i}", "h", spec=new)) for i in range(4)]
    assert Counter(name[0] for name in placed) == {"a": 2, "b": 2}


def test_a_neighbour_of_the_own_namespace_comes_first_else_any_of_that_name() -> None:
    def of_namespace(name: str, namespace: str, on: str) -> Pod:
        made = pod(name, "etl", on=on)
        return replace(made, namespace=namespace, workload=replace(made.workload, namespace=namespace))

    elsewhere = [of_namespace(f"o{i}", "other", "n1") for i in range(2)]
    stage = HintedStage(node("n1"), node("n2"), *elsewhere, hints={"h": (ETL,)})
    assert stage.place(hinted("w1", "h")) == "n2"
    stage.tell(of_namespace("e2", "default", "n2"))
    assert stage.place(hinted("w2", "h")) == "n1"


def test_a_neighbour_that_moved_or_went_counts_where_it_is() -> None:
    stage = HintedStage(node("n1"), node("n2"), hints={"h": (ETL,)})
    etl = pod("e", "etl", on="n1")
    stage.tell(etl)
    assert stage.place(hinted("w1", "h")) == "n2"
    stage.remove(etl)
    stage.tell(replace(etl, uid="other", node="n2"))
    assert stage.place(hinted("w2", "h")) == "n1"


def test_pods_may_be_told_before_their_nodes_and_nodes_may_come_back() -> None:
    stage = HintedStage(hints={"h": (SPREAD,)})
    stage.tell(pod("w0", "web", on="a0"))
    stage.tell(*named("ab", 1))
    assert stage.place(hinted("w1", "h")) == "b0"
    stage.remove(stage.nodes["b0"])
    stage.tell(in_zone("b0", "a"), in_zone("c0", "c"))
    assert stage.place(hinted("w2", "h")) == "c0"


def test_company_forgets_who_is_gone() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (SPREAD,)})
    for i in range(50):
        stage.tell(pod(f"w{i}", f"job-{i}", on="a0"))
        stage.remove(pod(f"w{i}", f"job-{i}", on="a0"))
    assert list(stage.scheduler._company.names()) == []
    assert not stage.scheduler._company._counts


# With everything else that scores


def test_equal_wishes_leave_the_choice_to_packing() -> None:
    """Best fit, not the first name."""
    stage = HintedStage(
        node("a-wide"), node("b-snug", gpu=2), node("c-wide"), hints={"h": (Preference(Intent.PREFER_GPU),)}
    )
    assert stage.place(hinted("w", "h", gpu=2)) == "b-snug"


def test_native_affinity_counts_as_a_plain_wish() -> None:
    nodes = [in_zone("spotless", "a"), in_zone("tainted", "b")]
    nodes[1] = replace(nodes[1], taints=(Taint("k", "v", "PreferNoSchedule"),))
    strong = Preference(Intent.PREFER_ZONES, ("b",), strength=STRONG)
    weak = Preference(Intent.PREFER_ZONES, ("b",), strength=0.5)
    stage = HintedStage(*nodes, hints={"strong": (strong,), "weak": (weak,)})
    assert stage.place(hinted("w1", "strong")) == "tainted"
    assert stage.place(hinted("w2", "weak")) == "spotless"
    term = PreferredNodeTerm(1, NodeTerm((Requirement(ZONE, Operator.IN, ("a",)),)))
    spec = PodSpec((), preferred_nodes=(term,))
    assert stage.place(hinted("w3", "weak", spec=spec)) == "spotless"
    assert stage.place(hinted("w4", "strong", spec=spec)) == "tainted"


def test_the_one_node_that_filter_leaves_is_the_wished_one() -> None:
    nodes = [in_zone(f"n{i:03d}", "b" if i == 77 else "a") for i in range(150)]
    stage = HintedStage(*nodes, hints={"h": (Preference(Intent.PREFER_ZONES, ("b",)),)})
    answer = stage.filter(hinted("w", "h", gpu=1))
    assert answer.nodes == ["n077"]
    assert answer.outcome is Outcome.NARROWED


def test_narrowing_takes_the_most_wished_and_of_equal_ones_the_best_packed() -> None:
    nodes = [in_zone(f"n{i:02d}", "b" if i in (3, 9, 20) else "a", gpu=2 if i in (4, 20) else 8) for i in range(30)]
    stage = HintedStage(
        *nodes, hints={"h": (Preference(Intent.PREFER_ZONES, ("b",)),)}, settings=Settings(narrow_to=4, narrow_above=10)
    )
    assert stage.filter(hinted("w", "h", gpu=2)).nodes == ["n03", "n04", "n09", "n20"]
    few = Settings(narrow_to=1, narrow_above=10)
    stage = HintedStage(*nodes, hints={"h": (Preference(Intent.PREFER_ZONES, ("b",)),)}, settings=few)
    assert stage.filter(hinted("w", "h", gpu=2)).nodes == ["n20"]


def test_of_places_that_a_plan_keeps_the_wished_one_is_taken() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (Preference(Intent.PREFER_ZONES, ("b",)),)})
    stage.plan(plan("p1").places("web", 1, on="a0", gpu=8).places("web", 1, on="b0", gpu=8))
    assert stage.filter(hinted("w", "h", gpu=8)).nodes == ["b0"]


def test_a_hint_brings_in_no_node_that_was_not_offered() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (Preference(Intent.PREFER_ZONES, ("b",), strength=STRONG),)})
    assert stage.filter(hinted("w", "h"), ["a0"]).nodes == ["a0"]
    assert stage.scheduler.prioritize(hinted("w", "h"), ["a0", "unknown"]) == [("a0", 10), ("unknown", 9)]


def test_load_counts_what_was_approved_a_moment_ago() -> None:
    stage = HintedStage(node("n1", cpu=8), node("n2", cpu=8), hints={"h": (Preference(Intent.PREFER_LEAST_LOADED),)})
    assert {stage.place(hinted(f"w{i}", "h", cpu=2)) for i in range(2)} == {"n1", "n2"}


@pytest.mark.parametrize(("gpu", "nodes"), [(0, 3), (1, 1)])
def test_away_from_others_pods_keep_apart_unless_they_hold_devices(gpu: int, nodes: int) -> None:
    """As pods with native pod affinity do, whose ties kube-scheduler's own scores decide. GPUs are not scattered."""
    stage = HintedStage(*(node(f"n{i}") for i in range(4)), pod("e", "etl", on="n0"), hints={"h": (ETL,)})
    placed = {stage.place(hinted(f"w{i}", "h", gpu=gpu)) for i in range(3)}
    assert len(placed) == nodes
    assert "n0" not in placed


# Policies


def test_without_a_policy_a_must_is_a_wish() -> None:
    stage = HintedStage(*named("a", 2), hints={"h": (must_be_in("b"),)})
    assert len(stage.filter(hinted("w", "h")).nodes) == 2


def test_an_enforced_must_rules_nodes_out_and_says_why() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (must_be_in("b"),)})
    stage.policy(enforce_strong=["default"])
    answer = stage.filter(hinted("w", "h"))
    assert answer.nodes == ["b0"]
    assert answer.unresolvable == {
        "a0": "HintEnforced: the hint's strong wish is enforced here: in zone b; it is in zone a"
    }


def test_enforced_means_that_a_pod_waits_where_nothing_satisfies_it() -> None:
    stage = HintedStage(*named("a", 2), hints={"h": (must_be_in("b"),)})
    stage.policy(enforce_strong=["*"])
    answer = stage.filter(hinted("w", "h"))
    assert answer.nodes == []
    assert set(answer.unresolvable) == {"a0", "a1"}
    assert answer.outcome is Outcome.HINT_ENFORCED


def test_only_strong_wishes_of_the_named_namespaces_are_enforced() -> None:
    plain = Preference(Intent.PREFER_ZONES, ("b",), strength=PLAIN)
    stage = HintedStage(*named("ab", 1), hints={"h": (must_be_in("b"),), "plain": (plain,)})
    stage.policy(enforce_strong=["other"])
    assert len(stage.filter(hinted("w", "h")).nodes) == 2
    stage.policy(enforce_strong=["default"])
    assert len(stage.filter(hinted("w", "plain")).nodes) == 2


def test_an_enforced_spread_waits_rather_than_doubling_up() -> None:
    spread = Preference(Intent.SPREAD_ZONES, strength=STRONG)
    stage = HintedStage(*named("ab", 2), pod("w0", "web", on="a0"), hints={"h": (spread,)})
    stage.policy(enforce_strong=["default"])
    assert set(stage.filter(hinted("w1", "h")).nodes) == {"b0", "b1"}
    assert stage.filter(hinted("w1", "h"), ["a0", "a1"]).nodes == []  # zone b is full just now


def test_an_enforced_spread_does_not_wait_for_a_zone_that_the_pod_could_never_have() -> None:
    spread = Preference(Intent.SPREAD_ZONES, strength=STRONG)
    nodes = [
        in_zone("a0", "a"),
        in_zone("b0", "b", gpu=0),
        replace(in_zone("c0", "c"), taints=(Taint("k", "", "NoSchedule"),)),
    ]
    stage = HintedStage(*nodes, pod("w0", "web", on="a0"), hints={"h": (spread,)})
    stage.policy(enforce_strong=["default"])
    assert stage.filter(hinted("w1", "h", gpu=1), ["a0"]).nodes == ["a0"]


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        (Preference(Intent.AVOID_DEPLOYMENTS, ("etl",), scope=Level.NODE, strength=STRONG), {"a1", "b0", "b1"}),
        (Preference(Intent.AVOID_DEPLOYMENTS, ("etl",), scope=Level.ZONE, strength=STRONG), {"b0", "b1"}),
        (Preference(Intent.PREFER_COLOCATE_DEPLOYMENTS, ("etl",), strength=STRONG), {"a0"}),
        (Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("etl",), strength=STRONG), {"a0", "a1"}),
        (Preference(Intent.PREFER_NEARBY_DEPLOYMENTS, ("nobody",), strength=STRONG), set()),
        (Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, strength=STRONG), {"b1"}),
        (Preference(Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, strength=STRONG), {"b0", "b1"}),
        (Preference(Intent.SPREAD_NODES, strength=STRONG), {"a0", "a1", "b0"}),
        (Preference(Intent.PREFER_GPU, amount=16.0, strength=STRONG), set()),
        (Preference(Intent.PREFER_MEMORY_GB, rank="high", strength=STRONG), {"a0", "a1", "b0", "b1"}),
        (Preference(Intent.PREFER_LEAST_LOADED, strength=STRONG), {"a0", "a1", "b0", "b1"}),
    ],
)
def test_what_enforcing_means_for_each_kind_of_wish(wish: Preference, left: set[str]) -> None:
    stage = HintedStage(*named("ab", 2), pod("e", "etl", on="a0"), pod("w0", "web", on="b1"), hints={"h": (wish,)})
    stage.policy(enforce_strong=["default"])
    assert set(stage.filter(hinted("w1", "h")).nodes) == left


def test_the_first_pod_of_those_that_must_stand_together_may_go_anywhere() -> None:
    must = Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, strength=STRONG)
    stage = HintedStage(*named("a", 3), hints={"h": (must,)})
    stage.policy(enforce_strong=["default"])
    first = stage.place(hinted("w0", "h"))
    assert stage.filter(hinted("w1", "h")).nodes == [first]


def test_a_node_that_is_not_known_yet_is_not_judged() -> None:
    stage = HintedStage(*named("a", 1), hints={"h": (must_be_in("b"),)})
    stage.policy(enforce_strong=["default"])
    assert stage.filter(hinted("w", "h"), ["a0", "brand-new"]).nodes == ["brand-new"]


def test_hints_can_be_turned_off() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (must_be_in("b"),)})
    stage.policy(enabled=False, enforce_strong=["default"])
    assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["a0", "b0"])) == {"a0": 10, "b0": 9}
    assert len(stage.filter(hinted("w", "h")).nodes) == 2


@pytest.mark.parametrize(
    ("allowed", "counts"),
    [
        ([("default", ["prefer_zones"])], True),
        ([("default", ["prefer_gpu"])], False),
        ([("default", [])], False),
        ([("", ["prefer_gpu"])], False),
        ([("", ["prefer_gpu"]), ("default", ["prefer_zones"])], True),
        ([("other", [])], True),
    ],
)
def test_namespaces_may_wish_what_they_are_allowed(allowed: list[tuple[str, list[HintIntent]]], counts: bool) -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (Preference(Intent.PREFER_ZONES, ("b",)),)})
    entries = [AllowedIntents(namespaces=[name] if name else [], intents=intents) for name, intents in allowed]
    stage.policy(allowed_intents=entries)
    assert stage.place(hinted("w", "h")) == ("b0" if counts else "a0")


def test_only_so_many_wishes_of_a_hint_count() -> None:
    wishes = (Preference(Intent.PREFER_GPU), Preference(Intent.PREFER_ZONES, ("b",)))
    stage = HintedStage(*named("ab", 1), hints={"h": wishes})
    assert stage.place(hinted("w1", "h")) == "b0"
    stage.policy(max_preferences=1)
    assert stage.place(hinted("w2", "h")) == "a0"


def test_a_policy_for_other_pods_changes_nothing() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (must_be_in("b"),)})
    stage.policy(scope=Scope(namespaces=["other"]), enforce_strong=["*"])
    assert len(stage.filter(hinted("w", "h")).nodes) == 2


def test_a_policy_names_the_labels_of_facts_and_nodes_are_judged_anew() -> None:
    halls = [node("n1", labels={"example.org/hall": "north"}), node("n2", labels={"example.org/hall": "south"})]
    stage = HintedStage(*halls, hints={"h": (Preference(Intent.PREFER_ZONES, ("south",)),)})
    assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["n1", "n2"]))["n1"] == 10
    stage.policy(labels=HintLabels(zone=["example.org/hall"]))
    assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["n1", "n2"]))["n2"] == 10


# Reading


def test_a_text_is_read_once_until_names_change() -> None:
    stage = HintedStage(*named("ab", 1), hints={"h": (SPREAD,)})
    for i in range(5):
        stage.place(hinted(f"w{i}", "h"))
    assert stage.read == 1
    stage.wait(20)
    stage.tell(in_zone("c0", "c"))
    stage.place(hinted("w9", "h"))
    assert stage.read == 1  # not within a request
    stage.wait(20)
    stage.place(hinted("w10", "h"))
    assert stage.read == 2
    assert "c" in stage.vocabulary.zones
    stage.wait(20)
    stage.place(hinted("w11", "h"))
    assert stage.read == 2


def test_the_vocabulary_has_the_workloads_that_run() -> None:
    stage = HintedStage(*named("a", 1), pod("r", "redis", on="a0"), pod("bare", on="a0"), hints={"h": (SPREAD,)})
    stage.place(hinted("w", "h"))
    assert stage.vocabulary.deployments == ("redis",)


def test_a_node_that_is_gone_is_no_name_any_more() -> None:
    stage = HintedStage(*named("ab", 1), pod("w0", "web", on="b0"), hints={"h": (SPREAD,)})
    stage.place(hinted("w1", "h"))
    stage.remove(stage.nodes["b0"])
    stage.wait(20)
    assert stage.vocabulary.zones == ("a",)


def test_a_better_reading_is_used_from_when_it_is_there_where_a_policy_says_so() -> None:
    stage = HintedStage(*named("ab", 1), hints={})
    stage.policy(language_model=LanguageModel(namespaces=["default"]))
    assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["a0", "b0"]))["a0"] == 10
    better = Understood((Preference(Intent.PREFER_ZONES, ("b",)),))
    stage.scheduler.improve_hints(lambda text, vocabulary: better if text == "h" else None)
    assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["a0", "b0"]))["b0"] == 10


def test_a_better_reading_is_not_asked_for_elsewhere() -> None:
    stage = HintedStage(*named("ab", 1), hints={})
    better = Understood((Preference(Intent.PREFER_ZONES, ("b",)),))
    stage.scheduler.improve_hints(lambda text, vocabulary: better)
    for namespaces in ([], ["other"]):
        stage.policy(language_model=LanguageModel(namespaces=namespaces))
        assert dict(stage.scheduler.prioritize(hinted("w", "h"), ["a0", "b0"]))["a0"] == 10


def test_the_hint_of_the_guide_from_its_words_to_its_nodes() -> None:
    product = "nvidia.com/gpu.product"
    nodes = [
        node(f"{zone}-{kind}", labels={ZONE: zone, product: model})
        for zone in ("us-east-1a", "us-east-1b", "us-east-1c")
        for kind, model in (("h100", "NVIDIA-H100-80GB-HBM3"), ("t4", "Tesla-T4"))
    ]
    stage = Stage(*nodes, pod("e", "batch-etl", on="us-east-1a-h100"))
    text = "spread us over zones, ideally on H100s, and never next to batch-etl"
    placed = []
    for i in range(3):
        waiting = hinted(f"w{i}", text, gpu=1)
        stage.tell(waiting)
        ranks = stage.scheduler.prioritize(waiting, stage.filter(waiting).nodes)
        placed.append(max(ranks, key=lambda pair: pair[1])[0])
    assert sorted(placed) == ["us-east-1a-t4", "us-east-1b-h100", "us-east-1c-h100"]


def together() -> Preference:
    return Preference(Intent.PREFER_COLOCATE_SAME_DEPLOYMENT)


def must_be_in(zone: str) -> Preference:
    return Preference(Intent.PREFER_ZONES, (zone,), strength=STRONG)
