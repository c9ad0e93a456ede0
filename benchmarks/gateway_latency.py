"""What the gateway adds to a request and to a streamed chunk: python -m benchmarks.gateway_latency --seed 1

An HTTP server in an engine's place answers at once; a client asks it directly and through the gateway in turns, so that whatever
else the machine does meets both alike. Client, gateway and engine are processes of their own. The first byte of a stream and
the way of each of its chunks, from the engine's sending it to the client's reading it, are compared too (one clock for all, that of the machine).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import msgspec
import numpy as np
from aiohttp import web
from rich.console import Console
from rich.table import Table

from benchmarks.record import Machine, this_machine

CALLS = 2_000
WARM_UP_CALLS = 100
CHUNKS = 20
TARGET_MS = 1.0
PROMPT_WORDS = 300


class Figures(msgspec.Struct, frozen=True):
    """Milliseconds: directly, through the gateway, and the difference of the medians."""

    what: str
    direct_p50: float
    direct_p99: float
    through_p50: float
    through_p99: float
    added_p50: float


class Report(msgspec.Struct, frozen=True):
    seed: int
    machine: Machine
    figures: tuple[Figures, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--calls", type=int, default=CALLS)
    arguments.add_argument("--out", type=Path, metavar="FILE", help="JSON")
    arguments.add_argument("--serve", choices=("engine", "gateway"), help=argparse.SUPPRESS)
    arguments.add_argument("--engine", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        asyncio.run(_engine() if chosen.serve == "engine" else _gateway(chosen.engine))
        return
    machine = this_machine()
    figures = asyncio.run(_measure(chosen.seed, chosen.calls))
    table = Table(
        title="what the gateway adds, milliseconds",
        caption=f"load {machine.load_average:.1f}, target {TARGET_MS} at the median",
    )
    for name in ("what", "direct p50", "p99", "through p50", "p99", "added p50"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for row in figures:
        numbers = (row.direct_p50, row.direct_p99, row.through_p50, row.through_p99, row.added_p50)
        table.add_row(row.what, *(f"{number:.2f}" for number in numbers))
    Console().print(table)
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        chosen.out.write_bytes(msgspec.json.format(msgspec.json.encode(Report(chosen.seed, machine, tuple(figures)))))


async def _engine() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if not asked.get("stream"):
            return web.json_response({"choices": [{"text": "yes"}]})
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for number in range(CHUNKS):
            await stream.write(b"data: " + json.dumps({"number": number, "at": time.perf_counter()}).encode() + b"\n\n")
            await asyncio.sleep(0.002)
        await stream.write(b"data: [DONE]\n\n")
        return stream

    app = web.Application()
    app.router.add_post("/v1/completions", answer)
    await _serve(app)


async def _gateway(engine: str) -> None:
    from berth_gateway.replicas import Model, Models
    from berth_gateway.server import Gateway

    model = Model("model", "service")
    model.update({"pod": engine})
    models = Models()
    models.by_name["model"] = model

    async def wake(_service: str, _sleeps: bool) -> None:
        return

    await _serve(Gateway(models, wake).app())


async def _serve(app: web.Application) -> None:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def _process(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """And its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gateway_latency", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, f"127.0.0.1:{process.stdout.readline().strip()}"


async def _measure(seed: int, calls: int) -> list[Figures]:
    chance = random.Random(seed)
    engine, direct = _process("--serve", "engine")
    gateway, through = _process("--serve", "gateway", "--engine", direct)
    try:
        async with aiohttp.ClientSession() as client:
            whole: dict[str, list[float]] = {direct: [], through: []}
            first: dict[str, list[float]] = {direct: [], through: []}
            chunks: dict[str, list[float]] = {direct: [], through: []}
            for number in range(WARM_UP_CALLS + calls):
                prompt = " ".join(chance.choice(("pack", "rack", "node", "zone")) for _ in range(PROMPT_WORDS))
                for address in chance.sample((direct, through), 2):
                    seconds = await _ask(client, address, prompt)
                    if number >= WARM_UP_CALLS:
                        whole[address].append(seconds)
            for _ in range(calls // 20):
                for address in chance.sample((direct, through), 2):
                    begun, late = await _stream(client, address, "stream")
                    first[address].append(begun)
                    chunks[address] += late
    finally:
        for process in (gateway, engine):
            process.terminate()
            process.wait()
    return [
        _figures("a request", whole[direct], whole[through]),
        _figures("first chunk of a stream", first[direct], first[through]),
        _figures("a chunk, from engine to client", chunks[direct], chunks[through]),
    ]


async def _ask(client: aiohttp.ClientSession, address: str, prompt: str) -> float:
    begin = time.perf_counter()
    async with client.post(f"http://{address}/v1/completions", json={"model": "model", "prompt": prompt}) as answer:
        await answer.read()
        assert answer.status == 200
    return time.perf_counter() - begin


async def _stream(client: aiohttp.ClientSession, address: str, prompt: str) -> tuple[float, list[float]]:
    """Seconds to the first chunk, and of each chunk on its way."""
    begin = time.perf_counter()
    asked = {"model": "model", "prompt": prompt, "stream": True}
    late: list[float] = []
    first = 0.0
    async with client.post(f"http://{address}/v1/completions", json=asked) as answer:
        async for line in answer.content:
            now = time.perf_counter()
            if line.startswith(b'data: {"number'):
                first = first or now - begin
                late.append(now - json.loads(line[6:])["at"])
    assert len(late) == CHUNKS
    return first, late


def _figures(what: str, direct: list[float], through: list[float]) -> Figures:
    one, other = (1e3 * np.percentile(seconds, (50, 99)) for seconds in (direct, through))
    return Figures(what, *(float(x) for x in (*one, *other, other[0] - one[0])))


if __name__ == "__main__":
    main()
