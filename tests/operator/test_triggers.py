"""A burst of refused pods becomes one plan, soon; and policies' clocks are kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_api.packing_plan import Trigger
from berth_operator.triggers import LONGEST_SECONDS, QUIET_SECONDS, Debounce, Timetable

from .world import policy


def test_one_refused_pod_is_planned_for_when_it_has_been_quiet() -> None:
    debounce = Debounce()
    debounce.stirred(0.0)
    debounce.wanted(0.0)
    assert not debounce.is_due(1.9)
    assert debounce.is_due(2.0)


def test_others_that_are_still_being_placed_put_it_off() -> None:
    debounce = Debounce()
    debounce.wanted(0.0)
    debounce.stirred(1.5)
    assert not debounce.is_due(3.0)
    assert debounce.is_due(3.5)


def test_an_endless_stream_puts_it_off_no_longer_than_ten_seconds() -> None:
    debounce = Debounce()
    debounce.wanted(0.0)
    for tenth in range(99):
        debounce.stirred(tenth / 10)
        assert not debounce.is_due(tenth / 10)
    debounce.stirred(9.9)
    assert debounce.is_due(10.0)


def test_nothing_is_due_while_nobody_wants_anything() -> None:
    debounce = Debounce()
    debounce.stirred(0.0)
    assert not debounce.is_due(1e6)
    debounce.wanted(5.0)
    debounce.taken()
    assert debounce.due_at() is None


@given(st.lists(st.floats(0, 60), min_size=1, max_size=20).map(sorted))
def test_due_between_quiet_and_longest(stirs: list[float]) -> None:
    debounce = Debounce()
    debounce.wanted(stirs[0])
    for at in stirs:
        debounce.stirred(at)
    due = debounce.due_at()
    assert due is not None
    assert stirs[0] + QUIET_SECONDS <= due <= stirs[0] + LONGEST_SECONDS
    assert due == stirs[0] + LONGEST_SECONDS or due >= stirs[-1] + QUIET_SECONDS


def test_a_policys_period_comes_round() -> None:
    specs = {"nightly": policy("nightly", triggers={"periodSeconds": 60}).spec}
    timetable = Timetable()
    assert timetable.due(specs, 100.0) is None
    assert timetable.due(specs, 159.0) is None
    assert timetable.due(specs, 160.0) == ("nightly", Trigger.PERIOD)
    timetable.taken("nightly", Trigger.PERIOD, 160.0)
    assert timetable.due(specs, 200.0) is None
    assert timetable.next_at(specs, 200.0) == pytest.approx(220.0)


def test_consolidation_is_off_by_default_and_waits_its_hour_when_on() -> None:
    timetable = Timetable()
    off = {"": policy("").spec}
    timetable.due(off, 0.0)
    assert timetable.due(off, 1e9) is None
    on = {"tidy": policy("tidy", consolidation={"enabled": True}).spec}
    assert timetable.due(on, 1e9) is None
    assert timetable.due(on, 1e9 + 3600) == ("tidy", Trigger.CONSOLIDATION)
