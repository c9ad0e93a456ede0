"""The rules of scheduler.py, one by one, as its page tells them."""

from __future__ import annotations

from berth_engine.batch import Pass
from berth_engine.kv_cache import BlockPool
from berth_engine.request import Finish, Request, Sampling
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits, Preemptive

LAYERS = 4


class Scene:
    """A roster, a policy, and a clock that moves a second a slice."""

    def __init__(self, limits: Limits | None = None, blocks: int = 100, host: int = 100) -> None:
        self.roster = Roster(BlockPool(blocks, host, 4, share=False), LAYERS)
        self.policy = Preemptive(limits or Limits(4, 16, 6, patience=1e9))
        self.now = 0.0
        self.requests: dict[str, Request] = {}

    def comes(
        self, name: str, prompt: int = 8, answer: int = 4, priority: int = 0, deadline: float | None = None
    ) -> Scene:
        request = Request(name, list(range(prompt)), Sampling(max_tokens=answer), priority, self.now, deadline)
        self.requests[name] = request
        self.roster.enqueue(request)
        return self

    def slice(self) -> dict[str, int]:
        """Run a slice; who was in it with how many tokens."""
        running = self.policy.next_pass(self.roster, self.now)
        assert running is not None
        self.roster.pool.take_copies()
        members = {chunk.request.id: chunk.count for chunk in running.chunks}
        self.now += 1
        if self.roster.slice_done():
            for request in self.roster.close(running, dict.fromkeys(members, 7), self.now):
                if len(request.output) == request.sampling.max_tokens:
                    self.roster.leave(request, Finish.LENGTH, self.now)
        self.roster.check()
        return members

    def passes(self, count: int) -> list[dict[str, int]]:
        """The members of whole passes, undisturbed."""
        return [[self.slice() for _ in range(LAYERS)][-1] for _ in range(count)]

    @property
    def running(self) -> Pass:
        assert self.roster.running is not None
        return self.roster.running


def test_an_urgent_prompt_interrupts_at_the_next_layer_and_the_pass_goes_on_after_it() -> None:
    scene = Scene().comes("long", 16)
    assert scene.slice() == {"long": 16}
    scene.comes("urgent", 5, priority=1)
    assert scene.passes(1) == [{"urgent": 5}]
    assert [scene.slice() for _ in range(3)] == [{"long": 16}] * 3
    assert scene.roster.counts.preemptions == 1


def test_equals_wait_for_the_end_of_the_pass() -> None:
    scene = Scene().comes("long", 16, priority=1)
    scene.slice()
    scene.comes("equal", 5, priority=1)
    assert [scene.slice() for _ in range(3)] == [{"long": 16}] * 3


def test_more_urgent_ones_interrupt_urgent_ones() -> None:
    scene = Scene().comes("low", 16)
    scene.slice()
    scene.comes("middle", 5, priority=1).slice()
    scene.comes("high", 5, priority=2)
    assert scene.passes(1) == [{"high": 5}]
    assert [scene.slice() for _ in range(3)] == [{"middle": 5}] * 3
    assert scene.slice() == {"low": 16}


def test_an_urgent_decode_waits_for_the_next_pass_and_joins_it() -> None:
    scene = Scene().comes("long", 30)
    scene.slice()
    scene.comes("urgent", 5, priority=1).passes(1)
    assert [scene.slice() for _ in range(3)] == [{"long": 16}] * 3
    assert scene.slice() == {"urgent": 1, "long": 14}


def test_an_urgent_request_takes_a_place_and_the_paused_one_goes_on() -> None:
    scene = Scene(Limits(2, 16, 6, 1e9)).comes("a", 2, 9).comes("b", 2, 9)
    scene.passes(2)
    scene.comes("urgent", 3, 2, priority=1)
    first, second = scene.passes(2)
    assert set(first) == set(second) == {"urgent", "a"}, "the one that came last is paused"
    assert set(scene.passes(1)[0]) == {"a", "b"}
    assert scene.requests["b"].computed >= 3, "nothing of it was lost"


def test_a_less_urgent_prompt_gets_what_fits_beside_an_urgent_one() -> None:
    scene = Scene().comes("late", 20).comes("urgent", 4, priority=1)
    assert scene.slice() == {"urgent": 4, "late": 6}


def test_decodes_always_have_their_token() -> None:
    scene = Scene(Limits(4, 4, 4, 1e9)).comes("a", 1, 9).comes("b", 1, 9)
    scene.passes(1)
    scene.comes("long", 50)
    assert scene.slice() == {"a": 1, "b": 1, "long": 2}


def test_deadlines_order_a_class_and_only_a_class() -> None:
    scene = Scene(Limits(1, 16, 6, 1e9))
    scene.comes("first").comes("hurried", deadline=50.0).comes("most hurried", deadline=20.0).comes(
        "urgent", priority=1
    )
    order = []
    while scene.roster.waiting or scene.roster.admitted:
        members = scene.slice()
        order += [name for name in members if name not in order]
    assert order == ["urgent", "most hurried", "hurried", "first"]


def test_the_impatient_gets_one_place_among_the_urgent() -> None:
    scene = Scene(Limits(2, 16, 6, patience=20.0)).comes("poor", 10, 3)
    for place in range(4):
        scene.comes(f"urgent-{place}", 2, 60, priority=1)
    seen = [scene.passes(1)[0].get("poor", 0) for _ in range(12)]
    assert seen[:5] == [0] * 5, "less than its patience"
    assert seen[5] == 10, "its prompt, beside an urgent decode; those who wait for a place do not interrupt it"
    assert seen[6:10] == [0] * 4
    assert seen[11] == 1, "its next token, a patience later"


def test_without_merging_a_pass_holds_one_rank() -> None:
    scene = Scene(Limits(4, 16, 6, 1e9, merge=False)).comes("a", 4).comes("urgent", 4, priority=1)
    assert scene.passes(5) == [{"urgent": 4}, {"urgent": 1}, {"urgent": 1}, {"urgent": 1}, {"a": 4}]


def test_whoever_was_left_out_of_a_pass_does_not_lower_it() -> None:
    """The poor one wants a place too, but has no blocks: equals of the others must not interrupt them."""
    scene = Scene(blocks=4, host=0).comes("a", 4, 4, priority=1).comes("b", 4, 4, priority=1).comes("poor", 8, 4)
    assert scene.slice() == {"a": 4, "b": 4}
    assert scene.running.rank == 1


def test_a_pass_ranks_as_those_who_are_left_in_it() -> None:
    scene = Scene().comes("urgent", 4, priority=1).comes("poor", 4)
    scene.slice()
    assert scene.running.rank == 0
    scene.roster.leave(scene.requests["poor"], Finish.CANCELLED, scene.now)
    scene.comes("equal", 4, priority=1)
    assert scene.slice() == {"urgent": 4}


def test_whoever_cannot_be_promised_room_holds_nobody_up() -> None:
    scene = Scene(blocks=8, host=0).comes("large", 20, 12)
    scene.now = 1.0
    assert scene.comes("small", 4, 4).slice() == {"large": 16}
    assert "small" in scene.roster.waiting
    scene = Scene(Limits(4, 24, 6, 1e9), blocks=10, host=0)
    scene.comes("large", 20, 4).comes("urgent", 20, 4, priority=1).comes("small", 4, 4)
    assert scene.slice() == {"urgent": 20, "small": 4}


def test_a_short_prompt_passes_a_long_one_that_came_shortly_before_and_no_other() -> None:
    limits = Limits(1, 64, 6, 1e9, handicap=0.1)
    assert Scene(limits).comes("busy", 4, 1).comes("long", 60, 1).comes("short", 8, 1).passes(2)[1] == {"short": 8}
    scene = Scene(limits).comes("long", 30, 1)
    scene.now = 2.0
    assert scene.comes("short", 8, 1).passes(1) == [{"short": 8}], "2 s later, and 22 tokens less"
    scene = Scene(limits).comes("long", 30, 1)
    scene.now = 2.5
    assert scene.comes("short", 8, 1).passes(1) == [{"long": 30}], "later than its handicap allows"
    scene = Scene(limits).comes("long", 30, 1, priority=1).comes("short", 8, 1)
    assert scene.passes(1) == [{"long": 30}], "priorities come first"
