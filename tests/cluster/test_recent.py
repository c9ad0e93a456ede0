"""A bounded memory, and a sorted mapping that can be had as a tuple."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.ordered import Ordered
from berth_cluster.recent import Recent


def test_what_is_used_stays_and_the_rest_goes() -> None:
    memory: Recent[int, str] = Recent(10)
    memory.put(-1, "kept")
    for i in range(1_000):
        memory.put(i, str(i))
        assert memory.get(-1) == "kept"
        assert i < 3 or memory.get(i - 3) == str(i - 3)
        assert len(memory) <= 20
    assert memory.get(0) is None


@given(st.lists(st.tuples(st.booleans(), st.text("abc", max_size=2), st.integers())))
def test_an_ordered_mapping_is_a_sorted_dictionary(acts: list[tuple[bool, str, int]]) -> None:
    model: dict[str, int] = {}
    ordered: Ordered[str, int] = Ordered()
    for is_put, key, value in acts:
        before = ordered.values()
        if is_put:
            model[key] = value
            ordered.put(key, value)
        else:
            model.pop(key, None)
            ordered.remove(key)
        assert ordered.values() == tuple(model[key] for key in sorted(model))
        if before == ordered.values() and not is_put:
            assert ordered.values() is before
