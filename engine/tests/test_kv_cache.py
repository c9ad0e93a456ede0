"""The cache's books: what is shared, what is promised, what comes back."""

from __future__ import annotations

import pytest

from berth_engine.kv_cache import BlockPool
from berth_engine.request import Request, Sampling

SIZE = 4


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
    """Two requests shared two blocks; when both come back from the host they need no more room than when they left, whether
    what they shared is still known on the device or not."""
    for overwritten in (True, False):
        pool, pair = spilled_pair()
        if overwritten:
            other = Request("c", [50 + token for token in range(19)], Sampling(max_tokens=1))
            pool.admit(other)
            pool.grow(other, 20)  # takes the whole device
            pool.release(other)
        pool.take_copies()
        for request in pair:
            pool.grow(request, 9)
        assert (pool.used, pool.used_host) == (4, 0)
        assert len(pool.take_copies()) == (4 if overwritten else 2), "what stands there yet is not copied"
        pool.check(pair)


def spilled_pair() -> tuple[BlockPool, list[Request]]:
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
    return pool, pair
