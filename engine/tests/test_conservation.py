"""Nothing is lost, whatever comes in whatever order: every policy's lives as a state machine, and Berth's own promises."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from life import LAYERS, SIZE, Life, undisturbed

from berth_engine.batch import Pass
from berth_engine.kv_cache import BlockPool
from berth_engine.policies.fcfs_batches import FcfsBatches
from berth_engine.policies.fcfs_continuous import FcfsContinuous
from berth_engine.policies.iteration_priority import IterationPriority
from berth_engine.policies.qllm import Qllm
from berth_engine.request import Finish, Request, Sampling, State
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits, Preemptive

LONG, PATIENCE = 10_000, 0.5  # slices that no life takes; seconds
SECONDS = 0.03  # a slice


class Lives(RuleBasedStateMachine):
    """One engine's life under a policy; what every policy owes its requests."""

    policies: tuple[Any, ...] = ()

    @initialize(
        device=st.integers(6, 24), host=st.sampled_from([0, 3, 8, 60]), share=st.booleans(), batch=st.integers(1, 5),
        patience=st.sampled_from([PATIENCE, 1e9]), merge=st.booleans(), data=st.data(),
    )  # fmt: skip
    def begin(self, device: int, host: int, share: bool, batch: int, patience: float, merge: bool, data: Any) -> None:
        kind = data.draw(st.sampled_from(self.policies))
        self.limits = Limits(batch, 12, 5, patience, merge)
        self.life = Life(Roster(BlockPool(device, host, SIZE, share=share), LAYERS), kind(self.limits))
        self.computed: dict[str, int] = {}
        self.finished: dict[str, tuple[int, Finish | None]] = {}

    @rule(
        prompt=st.integers(1, 30), answer=st.integers(1, 8), priority=st.integers(0, 3), shared=st.sampled_from([None, 0, 1]),
        hurry=st.none() | st.floats(0, 3), salted=st.booleans(), then=st.integers(0, 4),
    )  # fmt: skip
    def arrive(
        self, prompt: int, answer: int, priority: int, shared: int | None, hurry: float | None, salted: bool, then: int
    ) -> None:
        life, name = self.life, str(len(self.life.everyone))
        tokens = [(100 + len(life.everyone) if shared is None else 7) + 3 * place for place in range(prompt)]
        tokens[SIZE : 2 * SIZE] = [token + (shared or 0) for token in tokens[SIZE : 2 * SIZE]]  # then alike again
        request = Request(
            name, tokens, Sampling(max_tokens=answer), priority, life.now,
            None if hurry is None else life.now + hurry, b"x" if salted else b"",
        )  # fmt: skip
        if life.roster.pool.blocks_for(prompt + answer) > life.roster.pool.device:
            with pytest.raises(ValueError, match="can never fit"):
                life.roster.enqueue(request)
            return
        life.roster.enqueue(request)
        life.everyone.append(request)
        with pytest.raises(ValueError, match="is here already"):
            life.roster.enqueue(request)
        self.slices(then)

    @rule(count=st.integers(1, 12))
    def slices(self, count: int) -> None:
        for _ in range(count):
            self.one_slice()

    def one_slice(self) -> Pass | None:
        return self.life.slice(SECONDS)

    @precondition(lambda self: self.life.everyone)
    @rule(data=st.data(), wait=st.booleans())
    def leave(self, data: Any, wait: bool) -> None:
        """A client goes: of a request in any state, the ended ones too."""
        request = data.draw(st.sampled_from(self.life.everyone))
        self.life.roster.leave(request, Finish.CANCELLED, self.life.now)
        assert not request.blocks
        self.life.now += PATIENCE * wait

    @precondition(lambda self: self.life.everyone)
    @rule(data=st.data())
    def stop_early(self, data: Any) -> None:
        self.life.stopping.add(data.draw(st.sampled_from(self.life.everyone)).id)

    @invariant()
    def everybody_is_in_one_place_with_all_that_is_theirs(self) -> None:
        roster, pool = self.life.roster, self.life.roster.pool
        roster.check()
        members = [chunk.request for pass_ in roster.passes for chunk in pass_.chunks]
        for request in self.life.everyone:
            assert (request.id in roster.waiting) == (request.state is State.WAITING)
            assert (request.id in roster.admitted) == (request.state is State.ADMITTED)
            assert members.count(request) == request.in_pass <= (request.state is State.ADMITTED)
            assert request.output == undisturbed(request, len(request.output)), "it says something else than alone"
            assert request.computed >= self.computed.get(request.id, 0), "something computed was discarded"
            self.computed[request.id] = request.computed
            if request.finish is not None:
                end = (len(request.output), request.finish)
                assert self.finished.setdefault(request.id, end) == end, "it ended twice"
        held = [block for request in roster.admitted.values() for block in request.blocks]
        assert pool.used == len({block for block in held if block >= 0})
        assert pool.used_host == sum(block < 0 for block in held)
        assert pool.promised <= pool.device + pool.host - (pool.host > 0)
        assert roster.counts.tokens == sum(request.computed - request.cached for request in self.life.everyone)
        for pass_ in roster.passes:
            assert pass_.away or all(not chunk.request.spilled for chunk in pass_.chunks), (
                "it would run without its blocks"
            )

    def teardown(self) -> None:
        if not hasattr(self, "life"):
            return
        for _ in range(LONG):
            if self.one_slice() is None:
                break
        else:
            raise AssertionError("no end")
        self.everybody_is_in_one_place_with_all_that_is_theirs()
        for request in self.life.everyone:
            assert request.state is State.FINISHED
            assert len(request.output) == request.sampling.max_tokens or request.finish is not Finish.LENGTH
            assert request.finish is not Finish.STOP or request.id in self.life.stopping
        pool = self.life.roster.pool
        assert pool.used == pool.used_host == pool.promised == 0
        assert not self.life.roster.passes


class OtherLives(Lives):
    policies = (FcfsBatches, FcfsContinuous, IterationPriority, Qllm)


class Watched(Preemptive):
    """Berth's policy, and after each of its decisions what it promises."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.known: set[str] = set()
        self.waited: set[str] = set()
        """Who was not admitted yet before the last decision."""

    def next_pass(self, roster: Roster, now: float) -> Pass | None:
        before, standing, idle = list(roster.passes), roster.running, sorted(roster.idle(), key=self._order)
        rank = standing.rank if standing else 0
        young = standing is not None and now - standing.formed < self.limits.patience
        self.waited = {request.id for request in idle if request.state is State.WAITING}
        placed = {request.id: bool(roster.first([request], 1)) for request in idle}
        chosen = super().next_pass(roster, now)
        if chosen is None:
            return None
        members = [chunk.request for chunk in chosen.chunks]
        for request in idle:
            if request.id in self.known or not young or request.priority <= rank or not placed[request.id]:
                continue
            assert chosen not in before, "an urgent newcomer does not interrupt"
            assert request in members or request is not idle[0], "the most urgent newcomer waits longer than a slice"
        self.known |= {request.id for request in idle}
        if chosen not in before:
            self.is_of_the_most_urgent(chosen, members, idle, roster, now)
        elif standing is not None:
            assert chosen is standing, "an interrupted pass goes on before the one that interrupted it"
        return chosen

    def is_of_the_most_urgent(
        self, chosen: Pass, members: list[Request], idle: list[Request], roster: Roster, now: float
    ) -> None:
        """Nobody's place in a new pass is one that a more urgent request of the same kind wanted."""
        pool = roster.pool
        patient = [request for request in members if now - request.progressed < self.limits.patience]
        assert len(members) <= self.limits.max_batch
        if not self.limits.merge:
            assert len({request.priority for request in members}) == 1
            if len(patient) < len(members):
                return
        assert chosen.tokens <= self.limits.token_budget
        for lower in patient:
            for left in idle:
                if (
                    left in members
                    or left.priority <= lower.priority
                    or (left.remaining == 1) != (lower.remaining == 1)
                ):
                    continue
                if left.state is State.WAITING:
                    later = sum(
                        r.promised for r in patient if self._order(r) > self._order(left) and r.id in self.waited
                    )
                    if left.remaining == 1 or pool.blocks_for(left.longest) > pool.unpromised + later:
                        continue
                ahead = {
                    block
                    for r in members
                    if self._order(r) <= self._order(left) or r not in patient  # of equals either may come first
                    for block in r.blocks
                }
                wanted = pool.blocks_for(left.computed + min(left.remaining, self.limits.token_budget))
                assert len(ahead) + wanted > pool.device, f"{lower.id} takes the place of {left.id}"


class OwnLives(Lives):
    policies = (Watched,)


@pytest.mark.parametrize("lives", [OwnLives, OtherLives])
def test_nothing_is_lost(lives: type[Lives]) -> None:
    run_state_machine_as_test(lives, settings=profile(250, 30))  # type: ignore[no-untyped-call]


@pytest.mark.slow
@pytest.mark.parametrize("lives", [OwnLives, OtherLives])
def test_nothing_is_lost_in_many_lives(lives: type[Lives]) -> None:
    run_state_machine_as_test(lives, settings=profile(1500, 60))  # type: ignore[no-untyped-call]


def profile(lives: int, steps: int) -> settings:
    return settings(
        max_examples=lives, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )


def test_who_is_left_out_does_not_keep_the_place_of_the_next() -> None:
    """A newcomer whose beginning is known holds those blocks from its admission on, also when there is no room for the rest."""
    roster = Roster(BlockPool(6, 20, SIZE), LAYERS)

    def comes(name: str, first: int, prompt: int) -> Request:
        request = Request(name, [first] * prompt, Sampling(max_tokens=1))
        roster.enqueue(request)
        return request

    before = comes("before", 7, 9)
    opened = roster.open([(before, 9)], 0.0)
    assert opened is not None
    roster.close(opened, {"before": 1}, 0.0)
    roster.leave(before, Finish.LENGTH, 0.0)
    first, out, last = comes("first", 1, 15), comes("out", 7, 19), comes("last", 2, 7)
    opened = roster.open([(first, 15), (out, 19), (last, 7)], 1.0)
    assert opened is not None
    assert out.cached == 8
    assert [chunk.request.id for chunk in opened.chunks] == ["first", "last"]
    roster.check()


@settings(max_examples=40, deadline=None)
@given(
    classes=st.integers(1, 3), batch=st.integers(1, 3), rivals=st.integers(0, 2), seed=st.integers(0, 999),
    often=st.sampled_from([0.1, 0.5, 1.0]), prompt=st.integers(1, 40),
)  # fmt: skip
def test_whoever_waits_gets_somewhere_within_the_bound(
    classes: int, batch: int, rivals: int, seed: int, often: float, prompt: int
) -> None:
    """More urgent requests of each class never end. Also with one waiting that the cache has no promise for."""
    draw = random.Random(seed)
    life = Life(Roster(BlockPool(40, 0, SIZE, share=False), LAYERS), Preemptive(Limits(batch, 12, 5, PATIENCE)))

    def comes(name: str, tokens: int, answer: int, priority: int) -> Request:
        request = Request(name, [len(life.everyone)] * tokens, Sampling(max_tokens=answer), priority, life.now)
        life.roster.enqueue(request)
        life.everyone.append(request)
        return request

    poor = [comes(f"poor-{place}", prompt, 8, 0) for place in range(rivals + 1)]
    while not all(request.state is State.ADMITTED or request.finish for request in poor):
        life.slice(SECONDS)
    comes("huge", 150, 10, 0)  # can be promised nothing while any of the poor is here
    # each of those who waited longer costs another pass, which newcomers of each class may hold up
    passes = (2 * classes * PATIENCE + 2 * (classes + 1) * LAYERS * SECONDS) * (rivals + 1)
    for place in range(300):
        for priority in range(1, classes + 1):
            if draw.random() < often and sum(r.priority == priority and not r.finish for r in life.everyone[-40:]) < 4:
                comes(f"{priority}-{place}", draw.randint(1, 12), draw.randint(1, 6), priority)
        life.slice(SECONDS)
        for request in poor:
            waited = life.now - request.progressed
            assert request.finish or waited <= PATIENCE + passes, f"{request.id} got nowhere for {waited:.2f} s"
    life.roster.check()
