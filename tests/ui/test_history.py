"""What is noted, what is told of it, and that it never grows past its bounds."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from berth_api.packing_plan import PackingPlan
from berth_ui import history
from berth_ui.history import Recorder, csv_of
from berth_ui.wire import Sample
from tests.cluster.builders import pod, read_pod

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def sample(clock: Clock, **amounts: Any) -> Sample:
    figures = {"gpus": 8, "gpus_used": 4, "gpus_stranded": 0, "running": 1, "waiting": 0, "oldest_wait_seconds": 0.0}
    return Sample(at=clock.now.strftime(history.STAMP), **{**figures, **amounts})


def recorder(clock: Clock, file: Path | None = None, **amounts: Any) -> Recorder:
    return Recorder(lambda: sample(clock, **amounts), file, clock)


def waited(clock: Clock, seconds: float, priority: int = 0) -> Any:
    thing = pod("p").meta(creationTimestamp=(clock.now - timedelta(seconds=seconds)).strftime(history.STAMP))
    return read_pod(thing.spec(priority=priority))


def plan(uid: str, at: datetime, *, planned: int = 2, made: int = 1) -> PackingPlan:
    stamp = at.strftime(history.STAMP)
    owner = {"namespace": "a", "kind": "Deployment", "name": "w"}
    evictions = [
        {
            "pod": f"a/p{i}",
            "uid": str(i),
            "workload": owner,
            "priority": 0,
            "node": "n1",
            "target": "n2",
            "requests": {},
        }
        for i in range(planned)
    ]
    tier = {"priority": 0, "pods": 9, "placedBefore": 3, "placedAfter": 5, "bound": 5, "certificate": "Optimal"}
    cost = {"moves": planned, "evictions": 0, "value": planned, "bound": planned, "certificate": "Optimal"}
    return PackingPlan.model_validate(
        {
            "metadata": {
                "name": f"plan-{uid}",
                "uid": uid,
                "creationTimestamp": (at - timedelta(seconds=40)).isoformat(),
            },
            "spec": {
                "trigger": "Unschedulable",
                "summary": "",
                "deadline": stamp,
                "certificate": {"tiers": [tier], "disruption": cost, "verified": True, "solveSeconds": 1},
                "snapshot": {"taken": stamp},
                "waves": [{"steps": [{"evictions": evictions}]}],
            },
            "status": {
                "podsPlaced": made + 1,
                "movesDone": made,
                "conditions": [
                    {"type": "Finished", "status": "True", "reason": "Overtaken", "lastTransitionTime": stamp}
                ],
            },
        }
    )


def test_what_was_promised_stands_beside_what_happened() -> None:
    clock = Clock()
    noted = recorder(clock, gpus_stranded=3)
    noted.ended(plan("a", clock.now))
    noted.ended(plan("a", clock.now))  # told again, as after a restart
    for seconds in (10, 20, 90):
        noted.placed(waited(clock, seconds, priority=5), waited(clock, seconds, priority=5))
    noted.write()
    told = noted.history("", "")
    (outcome,) = told.outcomes
    assert (outcome.outcome, outcome.moves_planned, outcome.moves_made, outcome.seconds) == ("Overtaken", 2, 1, 40.0)
    assert (outcome.gains_planned, outcome.gains_made) == (2, 1)
    assert (told.moves_made, told.pods_gained) == (1, 1)
    assert [(w.priority, w.placed, w.median_seconds, w.p95_seconds) for w in told.waits] == [(5, 3, 20.0, 90.0)]
    assert [s.gpus_stranded for s in told.samples] == [3]
    assert csv_of(told).splitlines()[1] == "2026-11-24T12:00:00Z,8,4,3,1,0,0.0"


def test_what_was_just_noted_is_told_without_waiting_for_the_next_sample() -> None:
    clock = Clock()
    noted = recorder(clock)
    noted.ended(plan("a", clock.now))
    told = noted.history("", "")
    assert ([o.name for o in told.outcomes], told.samples) == (["plan-a"], [])


def test_it_says_whether_it_has_run_all_the_time() -> None:
    clock = Clock()
    noted = recorder(clock)
    for _ in range(10):
        noted.write()
        clock.now += timedelta(seconds=30)
    since = START.strftime(history.STAMP)
    assert noted.history(since, "").complete
    assert not noted.history("", "").complete  # the day before is not known
    clock.now += timedelta(minutes=10)
    noted.write()
    assert not noted.history(since, "").complete


def test_it_keeps_to_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_WAITS", 5)
    monkeypatch.setattr(history, "MAX_PLANS", 2)
    clock = Clock()
    noted = recorder(clock)
    for i in range(9):
        noted.placed(waited(clock, i), waited(clock, i))
        noted.ended(plan(str(i), clock.now))
        noted.write()
        clock.now += timedelta(seconds=30)
    told = noted.history("", "")
    assert sum(w.placed for w in told.waits) == 5
    assert [o.name for o in told.outcomes] == ["plan-8", "plan-7"]
    clock.now += timedelta(days=history.KEEP_DAYS, seconds=1)
    noted.write()
    everything = noted.history("2020-01-01T00:00:00Z", "")
    assert (len(everything.samples), everything.outcomes, everything.waits) == (1, [], [])


def test_a_long_time_is_told_in_fewer_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_SAMPLES", 10)
    clock = Clock()
    noted = recorder(clock)
    for _ in range(25):
        noted.write()
        clock.now += timedelta(seconds=30)
    assert len(noted.history("", "").samples) <= 10


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "history"
    first = recorder(clock, file)
    first.write()
    first.close()
    assert len(recorder(clock, file).history("", "").samples) == 1
    with pytest.raises(sqlite3.Error):
        recorder(clock, tmp_path / "nowhere" / "history")


def test_a_file_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "history"
    noted = recorder(clock, file)
    noted._database.execute("DROP TABLE waits")
    noted.placed(waited(clock, 1), waited(clock, 1))
    noted.write()
    assert (noted.fails, noted.failures, noted.writes) == (True, 1, 0)
    noted._database.executescript(history._TABLES)
    assert noted.history("", "").samples == []  # all of a write or nothing
    noted.write()
    assert (noted.fails, noted.writes) == (False, 1)


def test_moments_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="yesterday"):
        recorder(Clock()).history("yesterday", "")
