"""The gateway before two real engines: a stream whose engine is told to leave goes on at the other, in the same answer."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from berth_gateway.replicas import Model, Models
from berth_gateway.server import Gateway

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
START_SECONDS = 120.0
ASKED = {
    "model": "tiny",
    "prompt": "Once upon a time",
    "max_tokens": 1_500,
    "temperature": 0.7,
    "seed": 5,
    "ignore_eos": True,
    "stream": True,
}

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="the engine's environment is missing: make engine")


class Engine:
    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [
            PYTHON, "-c", "from berth_engine.main import main; main()", "serve", "tiny-mixtral", "--served-model-name", "tiny",
            "--port", self.address.rpartition(":")[2], "--kv-blocks", "400", "--drain-seconds", "0",
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "engine"), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(command, env=environment)

    def wait(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            assert self.process.poll() is None, "the engine ended"
            try:
                with urllib.request.urlopen(f"http://{self.address}/ready", timeout=1) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)
        raise AssertionError("the engine is not ready")

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


async def streamed(url: str, leave_after: int = 0, leaving: Engine | None = None) -> tuple[str, list[dict[str, Any]]]:
    """The text, and the errors."""
    text, errors, pieces = "", [], 0
    async with aiohttp.ClientSession() as client, client.post(f"{url}/v1/completions", json=ASKED) as answer:
        assert answer.status == 200, await answer.text()
        async for line in answer.content:
            if not line.startswith(b"data: {"):
                continue
            chunk = json.loads(line[6:])
            if "error" in chunk:
                errors.append(chunk["error"])
                continue
            text += chunk["choices"][0]["text"] if chunk["choices"] else ""
            pieces += 1
            if leaving is not None and pieces == leave_after:
                leaving.process.send_signal(signal.SIGTERM)
    return text, errors


def test_a_stream_outlives_its_engine() -> None:
    one, other = Engine(), Engine()
    try:
        one.wait()
        other.wait()

        async def run() -> None:
            model = Model("tiny", "tiny")
            model.update({"one": one.address, "other": other.address})
            model.replicas["other"].waiting = 2  # so the first is asked first
            models = Models()
            models.by_name["tiny"] = model

            async def wake(_service: str, sleeps: bool) -> None:
                assert not sleeps

            server = TestServer(Gateway(models, wake).app(), host="127.0.0.1")
            await server.start_server()
            url = f"http://127.0.0.1:{server.port}"
            whole, errors = await streamed(f"http://{other.address}")
            assert (len(whole) > 300, errors) == (True, [])
            text, errors = await streamed(url, leave_after=20, leaving=one)
            assert errors == []
            assert text == whole
            await server.close()

        asyncio.run(asyncio.wait_for(run(), 120))
        assert one.process.wait(30) == 0, "it did leave in the middle"
    finally:
        one.end()
        other.end()
