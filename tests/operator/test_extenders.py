"""Whose word on kept room counts, told by Leases alone."""

from __future__ import annotations

from berth_cluster.leases import Lease
from berth_operator.extenders import Extenders, kept_plans


class Seen:
    """Leases under a clock of ours; each `renews` is one renewal, told to the observer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.extenders = Extenders(lambda: self.seconds)
        self.leases: dict[str, Lease] = {}

    def tell(self, lease: Lease) -> None:
        self.extenders.lease_changed(self.leases.get(lease.name), lease)
        self.leases[lease.name] = lease

    def renews(self, name: str, calls: int, plans: str = "[]") -> None:
        annotations = {"berth.dev/plans": plans, "berth.dev/calls": str(calls)}
        labels = {"app.kubernetes.io/component": "extender"}
        self.tell(Lease(name, name, f"{self.seconds}", 15, labels, annotations))

    def schedules(self, holder: str) -> None:
        self.tell(Lease("berth-scheduler", holder, f"{self.seconds}"))

    def deletes(self, name: str) -> None:
        self.extenders.lease_changed(self.leases.pop(name), None)

    def passes(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def alive(self) -> list[str]:
        return sorted(self.extenders.alive(self.leases.values()))


def two_of_which_one_is_asked() -> Seen:
    seen = Seen()
    seen.schedules("host-a")
    for calls in (7, 9):
        seen.renews("a", calls)
        seen.renews("b", 0)
        seen.passes(5)
    return seen


def test_the_one_that_is_asked_is_lost_when_it_dies() -> None:
    seen = two_of_which_one_is_asked()
    assert (seen.alive, seen.extenders.lost) == (["a", "b"], "")
    for _ in range(3):
        seen.renews("b", 0)
        seen.passes(5)
    assert (seen.alive, seen.extenders.lost) == (["b"], "a")
    seen.renews("a", 0)  # started again
    assert (seen.alive, seen.extenders.lost) == (["a", "b"], "")


def test_that_the_other_dies_is_no_loss() -> None:
    seen = two_of_which_one_is_asked()
    for calls in (10, 11, 12):
        seen.renews("a", calls)
        seen.passes(5)
    assert (seen.alive, seen.extenders.lost) == (["a"], "")


def test_another_that_is_asked_instead_makes_up_for_it() -> None:
    seen = two_of_which_one_is_asked()
    seen.passes(20)
    seen.renews("b", 0)
    assert seen.extenders.lost == "a"
    seen.renews("b", 1)
    assert seen.extenders.lost == ""


def test_a_count_that_begins_anew_is_no_call() -> None:
    seen = two_of_which_one_is_asked()
    seen.renews("b", 1)  # now b is the one
    seen.renews("a", 0)  # started again
    seen.passes(20)
    seen.renews("a", 0)
    assert seen.extenders.lost == "b"


def test_another_scheduler_makes_up_for_it_before_it_asks() -> None:
    seen = two_of_which_one_is_asked()
    seen.passes(20)
    seen.renews("b", 0)
    seen.schedules("host-b")
    assert seen.extenders.lost == ""


def test_where_no_scheduler_holds_our_lease_nothing_is_known_of_who_is_asked() -> None:
    seen = two_of_which_one_is_asked()
    seen.deletes("berth-scheduler")
    seen.passes(20)
    assert seen.extenders.lost == ""


def test_a_lease_that_goes_is_not_missed() -> None:
    seen = two_of_which_one_is_asked()
    seen.deletes("a")
    assert seen.extenders.lost == ""
    assert seen.alive == ["b"]


def test_a_count_seen_for_the_first_time_tells_nothing() -> None:
    seen = Seen()
    seen.schedules("host-b")
    seen.renews("a", 812)  # of yesterday, maybe
    seen.passes(20)
    assert (seen.alive, seen.extenders.lost) == ([], "")


def test_what_is_kept_is_read_from_the_annotation_and_garbage_is_nothing() -> None:
    seen = Seen()
    seen.renews("a", 0, plans='["uid-1","uid-2"]')
    assert seen.extenders.alive(seen.leases.values()) == {"a": frozenset(("uid-1", "uid-2"))}
    for garbage in ("", "{", "17", '["uid-1", 2]'):
        assert kept_plans(Lease("a", annotations={"berth.dev/plans": garbage})) == frozenset()
