"""How urgent a request is, and by when: body, headers, objectives; and what is told of it."""

from __future__ import annotations

import pytest
from families import ask
from test_engine import Listener, engine

from berth_engine.api_errors import ApiError
from berth_engine.metrics import Metrics
from berth_engine.openai_api import CompletionBody, Priorities, priority_of, ttft_of

OBJECTIVES = {"chat": 7, "batch": -3}
OURS, OBJECTIVE = "x-berth-priority", "x-gateway-inference-objective"


@pytest.mark.parametrize(
    ("asked", "headers", "high_first", "low_first"),
    [
        ({}, {}, 0, 0),
        ({"priority": 5}, {OURS: "2", OBJECTIVE: "chat"}, 5, -5),
        ({"priority": 0}, {OURS: "2"}, 0, 0),
        ({}, {OURS: "2", OBJECTIVE: "chat"}, 2, -2),
        ({}, {OBJECTIVE: "chat"}, 7, 7),
        ({}, {OBJECTIVE: "batch"}, -3, -3),
        ({}, {OBJECTIVE: "unknown"}, 0, 0),
    ],
)
def test_the_body_comes_before_the_header_before_the_objective(
    asked: dict[str, int], headers: dict[str, str], high_first: int, low_first: int
) -> None:
    body = CompletionBody(prompt="x", **asked)
    assert priority_of(body, headers, Priorities(OBJECTIVES)) == high_first
    assert priority_of(body, headers, Priorities(OBJECTIVES, low_first=True)) == low_first


def test_a_default_and_a_most_hold_whatever_the_clients_order() -> None:
    bounded = Priorities(OBJECTIVES, default=2, most=5)
    assert priority_of(CompletionBody(prompt="x"), {}, bounded) == 2
    assert priority_of(CompletionBody(prompt="x"), {OBJECTIVE: "unknown"}, bounded) == 2
    assert priority_of(CompletionBody(prompt="x"), {OBJECTIVE: "chat"}, bounded) == 5
    assert priority_of(CompletionBody(prompt="x", priority=900), {}, bounded) == 5
    assert priority_of(CompletionBody(prompt="x", priority=-900), {}, Priorities(low_first=True, most=5)) == 5
    assert priority_of(CompletionBody(prompt="x", priority=0), {}, bounded) == 0


@pytest.mark.parametrize("value", ["high", "1.5", "1001", "nan", ""])
def test_a_header_that_is_no_priority_is_refused(value: str) -> None:
    with pytest.raises(ApiError) as refused:
        priority_of(CompletionBody(prompt="x"), {OURS: value}, Priorities())
    assert refused.value.code == "BadPriority"


def test_the_wanted_time_of_the_first_token_is_in_seconds() -> None:
    assert ttft_of(CompletionBody(prompt="x", ttft_ms=250), {"x-slo-ttft-ms": "9"}) == 0.25
    assert ttft_of(CompletionBody(prompt="x"), {"x-slo-ttft-ms": "500"}) == 0.5
    assert ttft_of(CompletionBody(prompt="x"), {}) is None
    with pytest.raises(ApiError):
        ttft_of(CompletionBody(prompt="x"), {"x-slo-ttft-ms": "soon"})


def test_the_queue_is_told_by_class() -> None:
    metrics = Metrics("m")
    assert b"berth_engine_queue" not in metrics.text(), "no engine yet"
    metrics.engine = engine()  # never started: all wait
    for place, priority in enumerate([0, 0, 3, 900, -1]):
        metrics.engine.submit(ask(f"r{place}", [5, 6], 3, priority), Listener())
    text = metrics.text().decode()
    for name, count in (("urgent", 2), ("standard", 2), ("batch", 1)):
        assert f'berth_engine_queue{{class="{name}"}} {count}.0' in text
    assert 'vllm:num_requests_waiting{model_name="m"} 5.0' in text
