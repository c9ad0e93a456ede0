"""The server as its users meet it: a process of its own, the official client, and clients that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

WAIT = 90.0  # seconds; far beyond what any of this takes
ENGINE = Path(__file__).parents[1]


class Process:
    """`berth-engine serve tiny-mixtral` on a free port of loopback."""

    def __init__(self, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-c", "from berth_engine.main import main; main()", "serve", "tiny-mixtral"]
        environment = {**os.environ, "PYTHONPATH": str(ENGINE), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--kv-blocks", "2000", *options], env=environment
        )
        until = time.monotonic() + WAIT
        while not self.ready():
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server is not ready"
            time.sleep(0.1)

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ready").status_code == 200
        except httpx.TransportError:
            return False

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=WAIT)

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)}(?:{{.*}})? (\S+)$", httpx.get(f"{self.url}/metrics").text, re.MULTILINE)
        assert found, name
        return float(found[1])

    def until(self, name: str, value: float) -> None:
        until = time.monotonic() + WAIT
        while self.metric(name) != value:
            assert time.monotonic() < until, f"{name} is {self.metric(name)}, not {value}"
            time.sleep(0.02)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT)


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    started = Process("--objective", "urgent=7")
    yield started
    assert started.end() == 0


def complete(server: Process, prompt: Any = "Once upon", **more: Any) -> Any:
    body = {"max_tokens": 12, "temperature": 0, "extra_body": {"ignore_eos": True}, **more}
    return server.client().completions.create(model="tiny-mixtral", prompt=prompt, **body)


def test_models_health_and_readiness(server: Process) -> None:
    assert [model.id for model in server.client().models.list()] == ["tiny-mixtral"]
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}


def test_a_completion_and_its_usage(server: Process) -> None:
    answer = complete(server)
    assert answer.usage.prompt_tokens == 9
    assert answer.usage.completion_tokens == 12
    assert answer.choices[0].finish_reason == "length"
    assert complete(server).choices[0].text == answer.choices[0].text


def test_streaming_says_the_same(server: Process) -> None:
    stream = complete(server, stream=True, stream_options={"include_usage": True})
    pieces = list(stream)
    assert "".join(piece.choices[0].text for piece in pieces if piece.choices) == complete(server).choices[0].text
    assert pieces[-1].usage.completion_tokens == 12
    assert [piece.choices[0].finish_reason for piece in pieces if piece.choices][-1] == "length"


def test_chat_streamed_and_whole(server: Process) -> None:
    asked: dict[str, Any] = {
        "model": "tiny-mixtral", "messages": [{"role": "user", "content": "héllo"}], "max_tokens": 10, "seed": 4,
        "extra_body": {"ignore_eos": True, "priority": 3},
    }  # fmt: skip
    whole = server.client().chat.completions.create(**asked)
    pieces = list(server.client().chat.completions.create(**asked, stream=True))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole.choices[0].message.content
    assert pieces[0].choices[0].delta.role == "assistant"


def test_log_probabilities(server: Process) -> None:
    chat = server.client().chat.completions.create(
        model="tiny-mixtral", messages=[{"role": "user", "content": "x"}], max_tokens=3, logprobs=True, top_logprobs=2,
        temperature=0, extra_body={"ignore_eos": True},
    )  # fmt: skip
    content = chat.choices[0].logprobs.content
    assert len(content) == 3
    assert all(token.top_logprobs[0].logprob == token.logprob <= 0 for token in content)
    assert len(complete(server, logprobs=1).choices[0].logprobs.token_logprobs) == 12


def test_a_stop_string_ends_the_text_before_it(server: Process) -> None:
    whole = complete(server, max_tokens=60).choices[0].text
    stop = whole[10:12]
    stopped = complete(server, max_tokens=60, stop=stop).choices[0]
    assert stopped.finish_reason == "stop"
    assert stopped.text == whole[: whole.index(stop)]


def test_a_prefix_is_computed_once(server: Process) -> None:
    prompt = "The same long beginning of all these questions. " * 4
    complete(server, prompt + "a")
    assert complete(server, prompt + "b").usage.prompt_tokens_details.cached_tokens >= 160
    salted = complete(server, prompt + "c", extra_body={"ignore_eos": True, "cache_salt": "another tenant"})
    assert salted.usage.prompt_tokens_details.cached_tokens == 0


def test_whoever_goes_away_frees_everything(server: Process) -> None:
    stream = complete(server, stream=True, max_tokens=2000)
    next(iter(stream))
    assert server.metric("berth_engine_kv_cache_usage") > 0
    stream.close()
    server.until("berth_engine_kv_cache_usage", 0)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{server.url}/v1/completions", json={"prompt": "x", "max_tokens": 3000, "ignore_eos": True}, timeout=0.5
        )
    server.until("berth_engine_kv_cache_usage", 0)


def test_an_urgent_request_overtakes_a_long_one(server: Process) -> None:
    """It arrives in the middle of a prompt, and its whole answer is there before the prompt's first token."""

    async def race() -> list[str]:
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
        order: list[str] = []

        async def ask(name: str, prompt: str, tokens: int, headers: dict[str, str]) -> None:
            await client.completions.create(
                model="tiny-mixtral",
                prompt=prompt,
                max_tokens=tokens,
                extra_headers=headers,
                extra_body={"ignore_eos": True},
            )
            order.append(name)

        long = [asyncio.create_task(ask("long", f"{place} " + "word " * 780, 60, {})) for place in range(4)]
        while server.metric("berth_engine_running") == 0:
            await asyncio.sleep(0.01)
        await asyncio.gather(ask("urgent", "quick", 3, {"x-gateway-inference-objective": "urgent"}), *long)
        return order

    assert asyncio.run(race())[0] == "urgent"


def test_two_hundred_clients_at_once(server: Process) -> None:
    async def crowd() -> list[str]:
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=WAIT)

        async def one(place: int) -> str:
            answer = await client.completions.create(
                model="tiny-mixtral", prompt="Once upon", max_tokens=5, temperature=0,
                extra_body={"ignore_eos": True, "priority": place % 3},
            )  # fmt: skip
            return str(answer.choices[0].text)

        return await asyncio.gather(*(one(place) for place in range(200)))

    answers = asyncio.run(crowd())
    assert len(answers) == 200
    assert set(answers) == {complete(server, max_tokens=5).choices[0].text}
    assert server.metric("vllm:num_requests_waiting") == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "NotJson"),
        (b"\xff\xfe", 400, "NotUtf8"),
        (b"[]", 400, "BadRequest"),
        (b"{}", 400, "BadRequest"),
        (b'{"prompt": ""}', 400, "BadRequest"),
        (b'{"prompt": [999999]}', 400, "BadPrompt"),
        (b'{"prompt": "x", "max_tokens": 0}', 400, "BadRequest"),
        (b'{"prompt": "x", "max_tokens": 100000}', 400, "ContextTooLong"),
        (b'{"prompt": "x", "temperature": "hot"}', 400, "BadRequest"),
        (b'{"prompt": "x", "n": 2}', 400, "BadRequest"),
        (b'{"prompt": "x", "priority": 1e30}', 400, "BadRequest"),
        (b'{"prompt": "x", "logit_bias": {"5": 1}}', 400, "NotSupported"),
        (b'{"prompt": "x", "model": "gpt-5"}', 404, "ModelNotFound"),
        (b'{"prompt": "' + b"x" * (9 << 20) + b'"}', 413, "BodyTooLarge"),
        (b"[" * 100_000, 400, "NotJson"),
    ],
)
def test_what_cannot_be_served_says_why(server: Process, body: bytes, status: int, code: str) -> None:
    answer = httpx.post(f"{server.url}/v1/completions", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]


def test_no_sampling_a_client_may_ask_for_ends_the_engine(server: Process) -> None:
    for odd in (
        {"temperature": 1e-40},
        {"temperature": 2, "top_p": 1e-300},
        {"seed": -(2**63)},
        {"seed": 2**63 - 1, "logprobs": 0},
    ):
        answer = httpx.post(f"{server.url}/v1/completions", json={"prompt": "x", "max_tokens": 3, **odd}, timeout=WAIT)
        assert answer.status_code == 200, odd
    assert httpx.get(f"{server.url}/health").status_code == 200


def test_unknown_ways_and_wrong_methods(server: Process) -> None:
    assert httpx.get(f"{server.url}/v1/nothing").json()["error"]["code"] == "NotFound"
    assert httpx.get(f"{server.url}/v1/completions").json()["error"]["code"] == "MethodNotAllowed"
    bad = httpx.post(f"{server.url}/v1/completions", json={"prompt": "x"}, headers={"x-berth-priority": "high"})
    assert bad.json()["error"]["code"] == "BadPriority"


def test_a_full_queue_is_told_with_retry_after() -> None:
    small = Process("--max-batch", "1", "--max-queue", "1")
    streams = [complete(small, stream=True, max_tokens=3000)]
    next(iter(streams[0]))
    waiting = httpx.Client()
    with waiting.stream("POST", f"{small.url}/v1/completions", json={"prompt": "x", "stream": True}, timeout=WAIT):
        full = httpx.post(f"{small.url}/v1/completions", json={"prompt": "x"})
        assert (full.status_code, full.json()["error"]["code"]) == (429, "QueueFull")
        assert int(full.headers["retry-after"]) >= 1
        urgent = httpx.post(f"{small.url}/v1/completions", json={"prompt": "x", "priority": 1}, timeout=WAIT)
        assert urgent.status_code == 200
    streams[0].close()
    assert small.end() == 0


def test_a_chat_without_a_length_fits_a_small_cache() -> None:
    small = Process("--kv-blocks", "8")
    chat = {"messages": [{"role": "user", "content": "hello"}], "ignore_eos": True}
    answer = httpx.post(f"{small.url}/v1/chat/completions", json=chat, timeout=WAIT).json()
    assert answer["usage"]["total_tokens"] == 8 * 16
    assert small.end() == 0


def test_sigterm_ends_what_it_cannot_finish_with_its_reason() -> None:
    ending = Process("--drain-seconds", "1")
    with httpx.stream(
        "POST",
        f"{ending.url}/v1/completions",
        json={"prompt": "x", "max_tokens": 4000, "stream": True, "ignore_eos": True},
        timeout=WAIT,
    ) as stream:
        lines = stream.iter_lines()
        next(lines)
        ending.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + WAIT
        while httpx.get(f"{ending.url}/ready").status_code != 503:
            assert time.monotonic() < until
        assert httpx.get(f"{ending.url}/ready").json() == {"status": "draining"}
        late = httpx.post(f"{ending.url}/v1/completions", json={"prompt": "x"})
        assert (late.status_code, late.json()["error"]["code"]) == (503, "Draining")
        said = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert ending.process.wait(WAIT) == 0
    assert said[-1]["error"]["code"] == "EngineDraining"
    assert len(said) > 1, "the tokens so far came before it"


def test_drain_finishes_what_runs() -> None:
    ending = Process()
    body = {
        "prompt": "x",
        "max_tokens": 300,
        "stream": True,
        "ignore_eos": True,
        "stream_options": {"include_usage": True},
    }
    with httpx.stream("POST", f"{ending.url}/v1/completions", json=body, timeout=WAIT) as stream:
        lines = stream.iter_lines()
        next(lines)
        assert httpx.post(f"{ending.url}/drain").status_code == 202
        ending.process.send_signal(signal.SIGTERM)
        rest = [line for line in lines if line]
    assert ending.process.wait(WAIT) == 0
    assert rest[-1] == "data: [DONE]"
    assert json.loads(rest[-2][6:])["usage"]["completion_tokens"] == 300


def test_wrong_options_are_told_in_a_sentence() -> None:
    def run(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from berth_engine.main import main; main()", "serve", *options]
        return subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ENGINE)}, check=False
        )

    missing = run("no-such-model")
    assert missing.returncode == 2
    assert "ModelNotFound" in missing.stderr
    assert "tiny-mixtral" in missing.stderr
    assert "Traceback" not in missing.stderr
    assert "high-first" in run("tiny-llama", "--priority-order", "odd").stderr
