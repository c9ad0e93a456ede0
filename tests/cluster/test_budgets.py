"""PodDisruptionBudgets as the Eviction API counts them."""

from __future__ import annotations

from berth_cluster.matching import selector_matches

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
