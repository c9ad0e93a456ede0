"""A request that its engine must leave goes on at another one, with the text that it would have had."""

from __future__ import annotations

import base64
import functools
import json
import random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_engine import Listener
from test_server import Process

from berth_engine.engine import Engine
from berth_engine.handover import BadHandover, hand_over, take_over
from berth_engine.launch import CacheSize, launch
from berth_engine.models import Loaded, load
from berth_engine.request import Finish, Request, Sampling
from berth_engine.scheduler import Limits

TOKENS = 40


@functools.cache
def loaded() -> Loaded:
    return load("tiny-mixtral", device="cpu")


def engine() -> Engine:
    return launch(loaded(), Limits(), CacheSize(blocks=40))


def asked(seed: int, temperature: float, stop: tuple[str, ...] = ()) -> Request:
    prompt = [random.Random(seed).randrange(3, 250) for _ in range(30)]
    return Request("r", prompt, Sampling(TOKENS, temperature, seed=seed, ignore_eos=True, stop=stop))


def run(request: Request, tokens: int | None = None) -> tuple[str, Finish | None]:
    """The text that an engine tells, to the end or until it has to leave after so many tokens."""
    own, heard = engine(), Listener()
    own.submit(request, heard, loaded().vocabulary)
    while not own.idle:
        if tokens is not None and len(request.output) >= tokens:
            own.abort(Finish.DRAINING)
        own.step()
    return "".join(event.text for event in heard.events), heard.events[-1].finish


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_wherever_it_is_cut_the_text_is_the_same(seed: int, temperature: float) -> None:
    whole = asked(seed, temperature)
    text, _ = run(whole)
    for cut in (1, 7, TOKENS - 1):
        first = asked(seed, temperature)
        begun, finish = run(first, cut)
        assert finish is Finish.DRAINING
        second = asked(seed, temperature)
        second.output = take_over(hand_over(first.prompt, first.output), second.prompt, loaded().vocabulary, TOKENS - 1)
        second.taken_over = len(second.output)
        rest, finish = run(second)
        assert (begun + rest, finish, second.output) == (text, Finish.LENGTH, whole.output)


def test_what_was_held_back_for_a_stop_string_is_said_by_who_takes_over() -> None:
    text, _ = run(asked(5, 0.0))
    place = next(at for at in range(8, len(text) - 4) if text.find(text[at : at + 3]) == at)
    stop = text[place : place + 3]
    expected, _ = run(asked(5, 0.0, (stop,)))
    for cut in range(1, 30):
        first = asked(5, 0.0, (stop,))
        begun, finish = run(first, cut)
        if finish is Finish.STOP:
            break
        second = asked(5, 0.0, (stop,))
        second.output, second.taken_over = list(first.output), len(first.output)
        rest, finish = run(second)
        assert (begun + rest, finish) == (expected, Finish.STOP)


@given(st.lists(st.integers(0, 2**40), min_size=1), st.lists(st.integers(0, 99), max_size=20))
def test_what_is_handed_over_is_taken_over(prompt: list[int], output: list[int]) -> None:
    assert take_over(hand_over(prompt, output), prompt, 100, 20) == output


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadHandover):
        take_over(text, [1, 2, 3], 100, 20)


def encoded(body: Any) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def test_what_does_not_belong_to_the_request_is_refused() -> None:
    good = hand_over([1, 2], [3])
    of = json.loads(base64.b64decode(good))["of"]
    for text, prompt in (
        (good, [1, 3]),
        (hand_over([1, 2], [100]), [1, 2]),
        (hand_over([1, 2], [-1]), [1, 2]),
        (hand_over([1, 2], [3] * 21), [1, 2]),
        (encoded({"of": of, "output": "abc"}), [1, 2]),
        (encoded({"of": of, "output": [True]}), [1, 2]),
        (encoded({"of": of}), [1, 2]),
        (encoded([of]), [1, 2]),
    ):
        with pytest.raises(BadHandover):
            take_over(text, prompt, 100, 20)


def streamed(
    server: Process, path: str, body: dict[str, Any], leave_after: int | None = None
) -> tuple[str, str | None]:
    """The text, and what was handed over."""
    said, resume, pieces = "", None, 0
    with httpx.stream("POST", f"{server.url}{path}", json={**body, "stream": True}, timeout=60) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if not line.startswith("data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                assert chunk["error"]["code"] == "EngineDraining"
                return said, chunk["error"]["resume"]
            choice = chunk["choices"][0]
            said += choice.get("text") or choice.get("delta", {}).get("content") or ""
            pieces += 1
            if pieces == leave_after:
                server.process.terminate()
    return said, resume


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
def test_a_stream_goes_on_at_another_server(path: str) -> None:
    asks: dict[str, Any] = {"messages": [{"role": "user", "content": "Tell me of the sea"}]}
    if path == "/v1/completions":
        asks = {"prompt": "Once upon a time"}
    body = {**asks, "max_tokens": 1500, "ignore_eos": True, "temperature": 0.7, "seed": 3}
    staying, leaving = Process(), Process("--drain-seconds", "0")
    try:
        whole, _ = streamed(staying, path, body)
        begun, resume = streamed(leaving, path, body, leave_after=25)
        assert resume is not None
        assert 0 < len(begun) < len(whole)
        rest, _ = streamed(staying, path, {**body, "berth_resume": resume})
        assert begun + rest == whole
        answer = httpx.post(f"{staying.url}{path}", json={**body, "berth_resume": resume}, timeout=60).json()
        choice = answer["choices"][0]
        assert (choice.get("text") or choice["message"]["content"]) == whole
        assert answer["usage"]["completion_tokens"] == 1500
        other = httpx.post(f"{staying.url}/v1/completions", json={"prompt": "another", "berth_resume": resume})
        assert (other.status_code, other.json()["error"]["code"]) == (400, "BadHandover")
    finally:
        leaving.process.wait(60)
        assert staying.end() == 0
