"""Who is alive by its Lease, seen with the observer's own clock."""

from __future__ import annotations

from berth_cluster.leases import Lease, Liveness


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def lease(renewed: str, holder: str = "op-1", **fields: object) -> Lease:
    return Lease("berth-operator", holder=holder, renewed=renewed, duration_seconds=15, **fields)  # type: ignore[arg-type]


def test_alive_while_it_renews_and_dead_when_its_duration_has_passed() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    assert not liveness.is_live("berth-operator")
    for second in range(0, 60, 5):
        liveness.saw(lease(f"t{second}"))
        clock.now += 5
        assert liveness.is_live("berth-operator")
    clock.now += 11
    assert not liveness.is_live("berth-operator")


def test_a_change_of_annotations_is_no_sign_of_life() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    liveness.saw(lease("t0"))
    clock.now += 14
    liveness.saw(lease("t0", annotations={"berth.dev/plans": "[]"}))
    clock.now += 2
    assert not liveness.is_live("berth-operator")


def test_the_holders_clock_does_not_matter() -> None:
    clock = Clock()
    liveness = Liveness(clock)
    liveness.saw(lease("2199-01-01T00:00:00Z"))
    clock.now += 16
    liveness.saw(lease("1970-01-01T00:00:00Z"))
    assert liveness.is_live("berth-operator")


def test_who_released_its_lease_or_lost_it_is_not_alive() -> None:
    liveness = Liveness(Clock())
    liveness.saw(lease("t0"))
    liveness.saw(lease("t1", holder=""))
    assert not liveness.is_live("berth-operator")
    liveness.saw(lease("t2"))
    liveness.forget("berth-operator")
    assert not liveness.is_live("berth-operator")
