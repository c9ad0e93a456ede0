"""The engine's thread: what comes in at any time is known a slice later, and everybody hears an end."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
import torch
from families import BLOCK, HEAD_DIM, KV_HEADS, LAYERS, ask, model

from berth_engine.admission import QueueLimits, Refused
from berth_engine.attention import PagedCache
from berth_engine.batch import Pass
from berth_engine.byte_tokenizer import byte_tokenizer
from berth_engine.engine import Engine, Event
from berth_engine.kv_cache import BlockPool
from berth_engine.request import Finish, Request, Sampling
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits, Preemptive

WAIT = 60.0  # seconds; far beyond what any of this takes


class Listener:
    """Collects the events of one request."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.begun = threading.Event()
        self.ended = threading.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.begun.set()
        if event.finish:
            self.ended.set()

    @property
    def finish(self) -> Finish | None:
        assert self.ended.wait(WAIT)
        return self.events[-1].finish


class Rigged(Runner):
    """A runner whose model wants to say these tokens, one after another."""

    def __init__(self, built: object, cache: PagedCache, tokens: list[int]) -> None:
        super().__init__(built, cache)
        self._tokens = iter(tokens)

    def finish(self, done: Pass) -> dict[str, torch.Tensor]:
        token = next(self._tokens)
        return {
            name: torch.nn.functional.one_hot(torch.tensor(token), len(row)).float()
            for name, row in super().finish(done).items()
        }


def engine(
    device: int = 100, queue: QueueLimits | None = None, max_batch: int = 4, arm_tokens: int | None = None
) -> Engine:
    cache = PagedCache(LAYERS, device, device, BLOCK, KV_HEADS, HEAD_DIM, torch.float32, torch.device("cpu"))
    runner = Runner(model("mixtral"), cache, arm_tokens)
    policy = Preemptive(Limits(max_batch=max_batch, token_budget=32))
    return Engine(runner, policy, BlockPool(device, device, BLOCK), queue=queue or QueueLimits(), max_context=400)


def test_requests_end_with_all_their_tokens() -> None:
    served, heard = engine(), [Listener() for _ in range(6)]
    served.start()
    for place, listener in enumerate(heard):
        served.submit(ask(f"r{place}", range(3, 20 + place), 5), listener)
    assert [listener.finish for listener in heard] == [Finish.LENGTH] * 6
    assert all(sum(len(event.tokens) for event in listener.events) == 5 for listener in heard)
    served.stop()
    assert served.idle
    assert served.gauges().kv_use == 0


def test_whoever_leaves_frees_its_blocks_and_hears_it() -> None:
    served, long = engine(), Listener()
    served.start()
    served.submit(ask("long", range(3, 50), 300), long)
    assert long.begun.wait(WAIT)
    served.cancel("long")
    served.cancel("never here")
    assert long.finish is Finish.CANCELLED
    assert served.gauges().kv_use == 0
    assert 0 < long.events[-1].output_tokens < 300
    served.stop()


def test_draining_refuses_newcomers_and_ends_the_rest_with_what_they_have() -> None:
    served, long = engine(), Listener()
    served.start()
    served.submit(ask("long", range(3, 50), 300), long)
    assert long.begun.wait(WAIT)
    served.drain()
    with pytest.raises(Refused) as refused:
        served.submit(ask("late", [3], 1), Listener())
    assert (refused.value.reason, refused.value.status) == ("Draining", 503)
    served.abort(Finish.DRAINING)
    assert long.finish is Finish.DRAINING
    assert sum(len(event.tokens) for event in long.events) == long.events[-1].output_tokens > 0
    served.stop()


def test_a_full_class_is_refused_and_another_is_not() -> None:
    served = engine(queue=QueueLimits(requests=2))  # never started: all wait
    for place in range(2):
        served.submit(ask(f"r{place}", [5, 6], 3), Listener())
    with pytest.raises(Refused) as refused:
        served.submit(ask("r2", [5, 6], 3), Listener())
    assert (refused.value.reason, refused.value.status) == ("QueueFull", 429)
    assert refused.value.retry_after is not None
    served.submit(ask("urgent", [5, 6], 3, 1), Listener())
    assert served.gauges().waiting == {0: 2, 1: 1}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (ask("empty", [], 3), "EmptyPrompt"),
        (ask("long", range(3, 300), 200), "ContextTooLong"),
        (ask("large", range(3, 100), 300), "ContextTooLong"),
    ],
)
def test_what_can_never_be_served_is_refused_at_once(request_: Request, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        engine(device=20).submit(request_, Listener())
    assert (refused.value.reason, refused.value.status) == (reason, 400)


def test_an_id_is_used_once() -> None:
    served = engine()
    served.submit(ask("same", [5], 1), Listener())
    with pytest.raises(Refused, match="same"):
        served.submit(ask("same", [5], 1), Listener())


def test_when_the_device_fails_everybody_hears_it_and_nobody_is_taken_in() -> None:
    class Failing(Runner):
        def run_slice(self, running: object) -> bool:
            raise RuntimeError("out of luck")

    served, listeners = engine(), [Listener(), Listener()]
    served.runner = Failing(model("mixtral"), served.runner.cache)  # type: ignore[attr-defined]
    for place, listener in enumerate(listeners):
        served.submit(ask(f"r{place}", [5, 6], 3), listener)
    served.start()
    assert all(listener.finish is Finish.ERROR for listener in listeners)
    assert "out of luck" in listeners[0].events[-1].error
    with pytest.raises(Refused) as refused:
        served.submit(ask("late", [5], 1), Listener())
    assert refused.value.reason == "EngineFailed"
    assert not served.alive


def test_an_urgent_request_waits_one_slice_at_most() -> None:
    """Counted, not timed: from its arrival between two slices to its own first slice."""
    served = engine(max_batch=1)
    waits: list[int] = []

    def arrive(name: str, tell: Callable[[Event], None]) -> Request:
        request = Request(name, list(range(3, 20)), Sampling(max_tokens=1), priority=7)
        served.submit(request, tell)
        return request

    served.submit(ask("long", range(3, 200), 60), Listener())
    urgent, came = None, 0
    for slices in range(600):
        if urgent is None and slices % 7 == 3:
            urgent, came = arrive(f"u{slices}", Listener()), slices
        if not served.step():
            break
        if urgent is not None and urgent.started is not None:
            waits.append(slices - came)
            urgent = None
    assert len(waits) > 30
    assert max(waits) == 0, "its first slice is the very next one"


def test_an_armed_pass_is_left_between_two_experts() -> None:
    served = engine(arm_tokens=8)
    served.submit(ask("long", range(3, 100), 2), Listener())
    served.step()
    served.step()
    long = served.roster.running
    assert long is not None
    assert long.layer == 0, "two slices, and the first layer is not done"
    assert long.work.inside is not None
    served.submit(ask("urgent", [5, 6], 1, 1), Listener())
    served.step()
    urgent = served.roster.running
    assert urgent is not None
    assert [chunk.request.id for chunk in urgent.chunks] == ["urgent"]
    assert long.work.inside is not None, "it stands where it stood"


def test_a_request_whose_numbers_are_none_ends_alone() -> None:
    class Broken(Runner):
        def finish(self, done: Pass) -> dict[str, torch.Tensor]:
            logits = super().finish(done)
            return {name: row * float("nan") if name == "broken" else row for name, row in logits.items()}

    served = engine()
    served.runner = Broken(model("mixtral"), served.runner.cache)  # type: ignore[attr-defined]
    served.start()
    heard = {name: Listener() for name in ("alone", "broken", "beside")}
    broken = Request("broken", [5, 6], Sampling(max_tokens=3, temperature=1.0))
    served.submit(broken, heard["broken"])  # a pass of its own
    assert heard["broken"].finish is Finish.ERROR
    served.submit(ask("beside", [7, 8], 6), heard["beside"])
    assert "finite" in heard["broken"].events[-1].error
    assert heard["beside"].finish is Finish.LENGTH
    served.submit(Request("broken", [5, 6], Sampling(max_tokens=3, temperature=1.0)), Listener())
    served.submit(ask("alone", [5, 6], 3), heard["alone"])
    assert heard["alone"].finish is Finish.LENGTH
    assert served.alive
    served.stop()
    served.roster.check()


def test_a_token_that_stops_is_not_part_of_the_text() -> None:
    built = engine()
    served = Engine(built.runner, Preemptive(), BlockPool(100, 100, BLOCK), tokenizer=byte_tokenizer(), eos=frozenset())
    served.runner = Rigged(model("mixtral"), built.runner.cache, byte_tokenizer().encode("ab!c"))  # type: ignore[attr-defined]
    heard = Listener()
    stop = byte_tokenizer().encode("!")
    served.submit(Request("r", [5, 6], Sampling(max_tokens=9, stop_tokens=frozenset(stop))), heard)
    while not served.idle:
        served.step()
    assert heard.finish is Finish.STOP
    assert "".join(event.text for event in heard.events) == "ab"
