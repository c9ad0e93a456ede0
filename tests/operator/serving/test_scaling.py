"""How many replicas there should be: what the spec says, and what sleeps until somebody asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from scenes import NOW, service

from berth_operator.serving.waking import desired_replicas


def asked(ago: float | str | None, **autoscaling: Any) -> tuple[int, float | None]:
    of = service(autoscaling={"min": 0, "max": 2, **autoscaling})
    if ago is not None:
        value = ago if isinstance(ago, str) else (NOW - timedelta(seconds=ago)).isoformat()
        of = of.model_copy(
            update={"metadata": of.metadata.model_copy(update={"annotations": {"berth.dev/wake": value}})}
        )
    return desired_replicas(of, NOW)


def test_the_spec_says_how_many() -> None:
    assert desired_replicas(service(), NOW) == (1, None)
    assert desired_replicas(service(replicas=4), NOW) == (4, None)
    assert desired_replicas(service(replicas=4, suspend=True), NOW) == (0, None)
    assert desired_replicas(service(autoscaling={"min": 2, "max": 5}), NOW) == (2, None)


def test_one_that_may_sleep_is_awake_as_long_as_it_was_asked_lately() -> None:
    assert asked(None) == (0, None)
    assert asked(10) == (1, 290)
    assert asked(299) == (1, 1)
    assert asked(300) == (0, None)
    assert asked(10, stabilizationSeconds={"down": 5}) == (0, None)


@pytest.mark.parametrize("forged", ["", "soon", "2026-11-23T12:00:00", "9" * 100])
def test_a_time_that_is_none_wakes_nobody(forged: str) -> None:
    assert asked(forged) == (0, None)
