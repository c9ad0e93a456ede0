"""PodDisruptionBudgets as the Eviction API counts them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.budgets import BudgetIndex
from berth_cluster.matching import selector_matches
from berth_cluster.snapshot import DisruptionBudget, LabelSelector, Operator, PodSpec, Requirement

from .builders import Thing, budget, read


def test_allowed_disruptions_and_selector_are_taken_over() -> None:
    first, second = read(budget("b", {"matchLabels": {"app": "web"}}, 2, "y"), budget("a", {}, 0, "x")).budgets
    assert (first.namespace, first.name, first.disruptions_allowed) == ("x", "a", 0)
    assert second.disruptions_allowed == 2
    assert selector_matches(second.selector, {"app": "web"})
    assert not selector_matches(second.selector, {"app": "db"})


def test_an_empty_selector_means_all_no_selector_none() -> None:
    everything, nothing = read(budget("a", {}, 1), budget("b", None, 1)).budgets
    assert selector_matches(everything.selector, {"any": "thing"})
    assert not selector_matches(nothing.selector, {"any": "thing"})


def test_in_v1beta1_an_empty_selector_means_none() -> None:
    old = Thing(
        "policy/v1beta1", "PodDisruptionBudget", "a", "default", spec={"selector": {}}, status={"disruptionsAllowed": 1}
    )
    assert not selector_matches(read(old).budgets[0].selector, {})


def test_a_budget_whose_status_is_behind_or_missing_allows_nothing() -> None:
    behind = budget("a", {}, 3).meta(generation=2).status(observedGeneration=1)
    current = budget("b", {}, 3).meta(generation=2).status(observedGeneration=2)
    missing = Thing("policy/v1", "PodDisruptionBudget", "c", "default", spec={"selector": {}})
    snapshot = read(behind, current, missing)
    assert [b.disruptions_allowed for b in snapshot.budgets] == [0, 3, 0]
    assert "no status" in next(w.message for w in snapshot.warnings if w.reason == "BadField")


NAMES, KEYS, VALUES = ("a", "b", "c"), ("app", "tier"), ("1", "2")
REQUIREMENTS = st.builds(
    Requirement,
    st.sampled_from(KEYS),
    st.sampled_from((Operator.IN, Operator.NOT_IN, Operator.EXISTS, Operator.DOES_NOT_EXIST)),
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=3).map(tuple),
)
BUDGETS = st.builds(
    DisruptionBudget,
    st.sampled_from(("x", "y")),
    st.sampled_from(NAMES),
    st.none() | st.lists(REQUIREMENTS, max_size=3).map(tuple).map(LabelSelector),
    st.just(1),
)


@given(st.lists(BUDGETS, max_size=8), st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
def test_the_index_counts_what_asking_each_would_count(budgets: list[DisruptionBudget], labels: dict[str, str]) -> None:
    """Budgets come, change and go by their names."""
    index, standing = BudgetIndex(), dict[tuple[str, str], DisruptionBudget]()
    for budget_now in budgets:
        old = standing.pop((budget_now.namespace, budget_now.name), None)
        if old is not None:
            index.remove(old)
        if old != budget_now:
            standing[budget_now.namespace, budget_now.name] = budget_now
            index.put(budget_now)
        for namespace in ("x", "y"):
            asked = sum(selector_matches(b.selector, labels) for b in standing.values() if b.namespace == namespace)
            assert index.count(namespace, PodSpec((), labels=tuple(labels.items()))) == asked
