"""Readers that are slow or stand still, signals at odd moments, crowds that come and go, texts that are too long to tokenize."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import openai
import pytest
from test_server import ENGINE, WAIT, Process

LONG = {"max_tokens": 4000, "stream": True, "ignore_eos": True}
# 4 MB would not be enough: so much the sockets take in themselves
CHAT = {**LONG, "messages": [{"role": "user", "content": "x"}], "logprobs": True, "top_logprobs": 20}


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    started = Process()
    yield started
    assert started.end() == 0


def reader(server: Process) -> socket.socket:
    """A connection with next to no buffer that asked for a long stream."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", httpx.URL(server.url).port))
    connection.settimeout(WAIT)
    body = json.dumps(CHAT).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


@pytest.mark.slow
def test_a_slow_reader_gets_everything(server: Process) -> None:
    with reader(server) as slow:
        got = bytearray()
        while b"data: " not in got:
            got += slow.recv(100)
        server.until("berth_engine_kv_cache_usage", 0)  # generated to its end without waiting for the reader
        while part := slow.recv(1 << 16):
            got += part
    assert b"data: [DONE]" in got
    lines = [line for line in bytes(got).replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"data: {")]
    tokens = [
        token for line in lines for token in (json.loads(line[6:])["choices"][0]["logprobs"] or {}).get("content", [])
    ]
    assert len(tokens) == LONG["max_tokens"]


def test_a_reader_that_stands_still_is_left() -> None:
    server = Process("--stall-seconds", "2")
    before = server.metric("berth_engine_stalled_readers_total")
    with reader(server) as stalled:
        assert stalled.recv(100)
        server.until("berth_engine_stalled_readers_total", before + 1)
        server.until("berth_engine_kv_cache_usage", 0)
        got = b""
        while part := stalled.recv(1 << 16):
            got = got[-100:] + part
    assert b"data: [DONE]" not in got
    assert server.end() == 0


def test_a_crowd_of_which_half_goes_away(server: Process) -> None:
    async def crowd() -> list[str]:
        client = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0, timeout=WAIT)

        async def one(place: int) -> str:
            stream = await client.completions.create(
                model="tiny-mixtral", prompt="Once upon", max_tokens=6 if place % 2 else 2000, temperature=0, stream=True,
                extra_body={"ignore_eos": True, "priority": place % 3},
            )  # fmt: skip
            said = ""
            async for piece in stream:
                said += piece.choices[0].text
                if place % 2 == 0:
                    await stream.close()
                    return ""
            return said

        return await asyncio.gather(*(one(place) for place in range(200)))

    said = asyncio.run(crowd())
    assert len(set(said[1::2])) == 1
    assert said[1]
    for gauge in ("berth_engine_kv_cache_usage", "berth_engine_running", "vllm:num_requests_waiting"):
        server.until(gauge, 0)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("completions", {"prompt": "x" * 3_000_000}),
        ("chat/completions", {"messages": [{"role": "user", "content": "x" * 3_000_000}]}),
    ],
)
def test_a_text_that_cannot_fit_is_refused(server: Process, path: str, body: dict[str, object]) -> None:
    answer = httpx.post(f"{server.url}/v1/{path}", json=body, timeout=WAIT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "ContextTooLong")
    assert "characters" in answer.json()["error"]["message"], "it was not tokenized"


def test_a_second_sigterm_ends_what_runs_and_tells_it() -> None:
    ending = Process("--drain-seconds", "1000")
    with httpx.stream("POST", f"{ending.url}/v1/completions", json={**LONG, "prompt": "x"}, timeout=WAIT) as stream:
        lines = stream.iter_lines()
        next(lines)
        ending.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + WAIT
        while httpx.get(f"{ending.url}/ready").json() != {"status": "draining"}:
            assert time.monotonic() < until
        ending.process.send_signal(signal.SIGTERM)
        said = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    assert said[-1]["error"]["code"] == "EngineDraining"
    assert ending.process.wait(WAIT) == 0


def test_sigterm_while_the_model_loads() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from berth_engine.main import main; main()", "serve", "tiny-mixtral"]
    process = subprocess.Popen([*command, "--port", str(port)], env={**os.environ, "PYTHONPATH": str(ENGINE)})
    until = time.monotonic() + WAIT
    while True:
        assert time.monotonic() < until
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/ready").json() == {"status": "loading"}
            break
        except httpx.TransportError:
            time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT) == 0
