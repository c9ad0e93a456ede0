"""Whether somebody plans, as the extender sees it by its own clock."""

from __future__ import annotations

from berth_cluster.leases import Lease, Liveness
from berth_extender.leader import Leader


class Observer:
    """A leader as seen by an extender whose clock the test turns."""

    def __init__(self) -> None:
        self.time = 0.0
        self.told: list[bool] = []
        self.leader = Leader(Liveness(lambda: self.time), self.told.append)
        self.lease: Lease | None = None

    def sees(self, lease: Lease | None) -> None:
        self.leader.lease_changed(self.lease, lease)
        self.lease = lease

    def waits(self, seconds: float) -> None:
        self.time += seconds
        self.leader.look()


def held(renewed: str, holder: str = "operator-0") -> Lease:
    return Lease("berth-operator", holder, renewed, duration_seconds=15)


def test_nobody_plans_until_a_leader_is_seen() -> None:
    observer = Observer()
    observer.waits(60)
    assert observer.told == []
    observer.sees(held("12:00:00"))
    assert observer.told == [True]


def test_a_leader_that_stops_renewing_is_gone_after_its_duration_and_back_with_the_next() -> None:
    observer = Observer()
    observer.sees(held("12:00:00"))
    observer.waits(14)
    observer.sees(held("12:00:05"))
    observer.waits(14)
    assert observer.told == [True]
    observer.waits(2)
    assert observer.told == [True, False]
    observer.sees(held("11:00:00"))  # a clock that was set back renews as well
    assert observer.told == [True, False, True]


def test_a_leader_that_lets_go_is_gone_at_once() -> None:
    for released in (held("12:00:01", holder=""), None):
        observer = Observer()
        observer.sees(held("12:00:00"))
        observer.sees(released)
        assert observer.told == [True, False]


def test_other_leases_mean_nothing() -> None:
    observer = Observer()
    observer.sees(Lease("berth-scheduler", "kube-scheduler-0", "12:00:00"))
    assert observer.told == []
