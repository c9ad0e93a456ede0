"""Nothing is lost, whatever comes: the books under random arrivals, cancellations and pauses, with the contents of every block.

There is no model here; in its place a "cache" that remembers which token was written where. Each pass, layer by layer, checks
that all it may look at is what its request wrote, and writes its own tokens. The token that follows is a digest of all that was
read through the block tables, so a wrong block, a lost copy or a stale prefix changes what is said.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from berth_engine.batch import Pass
from berth_engine.kv_cache import BlockPool
from berth_engine.request import Finish, Request, Sampling, State
from berth_engine.roster import Roster
from berth_engine.scheduler import Limits, Preemptive

LAYERS, SIZE = 3, 4


def following(tokens: list[int]) -> int:
    return zlib.crc32(bytes(token % 256 for token in tokens)) % 97


def undisturbed(request: Request) -> list[int]:
    said: list[int] = []
    while len(said) < request.sampling.max_tokens:
        said.append(following(request.prompt + said))
    return said


@dataclass
class Memory:
    """What stands in each block, on the device and on the host: [block][layer][offset] -> token."""

    roster: Roster
    device: dict[tuple[int, int, int], int] = field(default_factory=dict)
    host: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def copy(self) -> None:
        for copy in self.roster.pool.take_copies():
            source, target = (self.device, self.host) if copy.spill else (self.host, self.device)
            there, here = (copy.host, copy.device) if copy.spill else (copy.device, copy.host)
            for place in [(layer, offset) for layer in range(LAYERS) for offset in range(SIZE)]:
                target.pop((there, *place), None)
                if (here, *place) in source:
                    target[(there, *place)] = source[(here, *place)]

    def run_layer(self, running: Pass) -> None:
        for chunk in running.chunks:
            request = chunk.request
            for position in range(chunk.start, chunk.start + chunk.count):
                block = request.blocks[position // SIZE]
                self.device[block, running.layer, position % SIZE] = request.tokens(position, 1)[0]
            assert self.read(request, chunk.start + chunk.count, running.layer) == request.tokens(
                0, chunk.start + chunk.count
            )

    def read(self, request: Request, tokens: int, layer: int) -> list[int]:
        return [self.device[request.blocks[place // SIZE], layer, place % SIZE] for place in range(tokens)]


def step(memory: Memory, policy: Preemptive, now: float) -> bool:
    """One slice, with all that must hold before and after it."""
    roster = memory.roster
    running = policy.next_pass(roster, now)
    if running is None:
        assert not [*roster.waiting, *roster.admitted], "somebody is there and nothing runs"
        return False
    patient = now - running.formed < policy.limits.patience
    fresh = [r for r in roster.idle() if not r.output and r.priority > running.rank and r.entered > running.version]
    if patient:
        assert all(not roster.first([request], 1) for request in fresh), "a newcomer outranks what runs"
    memory.copy()
    memory.run_layer(running)
    if roster.slice_done():
        sampled = {
            c.request.id: following(memory.read(c.request, c.request.length, 1)) for c in running.chunks if c.samples
        }
        for request in roster.close(running, sampled, now):
            if len(request.output) == request.sampling.max_tokens:
                roster.leave(request, Finish.LENGTH, now)
    roster.check()
    return True


coming = st.tuples(
    st.integers(1, 30),  # prompt tokens
    st.integers(1, 8),  # answer tokens
    st.integers(0, 3),  # priority
    st.booleans(),  # begins as the others do
    st.integers(0, 12),  # slices until the next one comes
    st.integers(0, 9),  # 0: leaves after a while
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(coming, min_size=1, max_size=12), st.integers(10, 24), st.sampled_from([0, 8, 60]), st.integers(1, 5),
    st.sampled_from([0.5, 1e9]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_nothing_is_lost_and_everything_is_said_as_if_alone(
    arrivals: list[tuple[int, int, int, bool, int, int]], device: int, host: int, batch: int, patience: float, share: bool, merge: bool
) -> None:  # fmt: skip
    roster = Roster(BlockPool(device, host, SIZE, share=share), LAYERS)
    policy = Preemptive(Limits(batch, 12, 5, patience, merge))
    memory, now = Memory(roster), 0.0
    requests: list[Request] = []
    leaving: set[str] = set()
    for place, (prompt, answer, priority, shared, pause, stays) in enumerate(arrivals):
        text = [(7 if shared else place) + 3 * position for position in range(prompt)]
        request = Request(str(place), text, Sampling(max_tokens=answer), priority, now)
        roster.enqueue(request)
        requests.append(request)
        for _ in range(pause):
            step(memory, policy, now)
            now += 0.03
        if not stays:
            leaving.add(request.id)
            roster.leave(request, Finish.CANCELLED, now)
            roster.check()
    while step(memory, policy, now):
        now += 0.03
        assert now < 1000, "no end"
    for request in requests:
        assert request.state is State.FINISHED
        if request.finish is Finish.LENGTH:
            assert request.output == undisturbed(request)
        else:
            assert request.id in leaving
            assert request.output == undisturbed(request)[: len(request.output)]
    assert roster.pool.used == roster.pool.used_host == roster.pool.promised == 0
    assert not roster.passes


def test_a_prefix_is_shared_only_under_one_salt() -> None:
    pool = BlockPool(20, 0, SIZE)
    first, same, other = (
        Request(name, list(range(10)), Sampling(max_tokens=2), salt=salt)
        for name, salt in (("a", b""), ("b", b""), ("c", b"x"))
    )
    pool.admit(first)
    pool.grow(first, 10)
    first.computed = 10
    pool.seal(first)
    for request, cached in ((same, 8), (other, 0)):
        pool.admit(request)
        assert request.cached == cached
    pool.check([first, same, other])


def test_a_known_beginning_outlives_its_owner_until_its_place_is_needed() -> None:
    pool = BlockPool(4, 0, SIZE)
    first = Request("a", list(range(9)), Sampling(max_tokens=1))
    pool.admit(first)
    pool.grow(first, 9)
    first.computed = 9
    pool.seal(first)
    pool.release(first)
    assert pool.used == 0
    again = Request("b", list(range(9)), Sampling(max_tokens=1))
    pool.admit(again)
    assert again.cached == 8
    pool.release(again)
    large = Request("c", [50 + token for token in range(15)], Sampling(max_tokens=1))
    pool.admit(large)
    pool.grow(large, 16)
    pool.release(large)
    late = Request("d", list(range(9)), Sampling(max_tokens=1))
    pool.admit(late)
    assert late.cached == 0


def test_nobody_is_promised_what_cannot_be_kept() -> None:
    pool = BlockPool(4, 2, SIZE)
    taken = [Request(str(place), [1] * 7, Sampling(max_tokens=1)) for place in range(4)]
    assert [pool.admit(request) for request in taken] == [True, True, False, False]


@pytest.mark.parametrize("wrong", [(0, 0, 4), (1, -1, 4), (1, 0, 0)])
def test_a_cache_of_nothing_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="at least one block"):
        BlockPool(*wrong)


def test_a_shared_beginning_that_was_spilled_is_shared_again() -> None:
    """Two requests shared two blocks; when both come back from the host they need no more room than when they left."""
    pool = BlockPool(5, 20, SIZE)
    pair = [Request(name, list(range(9)), Sampling(max_tokens=1)) for name in "ab"]
    for request in pair:
        pool.admit(request)
        pool.grow(request, 9)
        request.computed = 9
        pool.seal(request)
    assert pool.used == 4, "two shared blocks, and one each"
    for request in pair:
        pool.spill(request, 3)
    assert (pool.used, pool.used_host) == (0, 6)
    other = Request("c", [50 + token for token in range(19)], Sampling(max_tokens=1))
    pool.admit(other)
    pool.grow(other, 20)  # takes the whole device: nothing of the pair is known there any more
    pool.release(other)
    for request in pair:
        pool.grow(request, 9)
    assert (pool.used, pool.used_host) == (4, 0)
    pool.check(pair)
