"""Asks each replica now and then how full it is, by the gauges that Berth's engine and vLLM both export."""

from __future__ import annotations

import asyncio
import re

import aiohttp

from berth_gateway.replicas import Models, Replica

EVERY_SECONDS = 1.0
ANSWER_SECONDS = 1.0
MAX_ANSWER = 2**20
MOST = 1e9
"""Requests that a replica may say it has."""
_GAUGE = re.compile(
    rb"^vllm:(num_requests_waiting|num_requests_running|kv_cache_usage_perc)(?:\{[^}]*\})? ([0-9.eE+-]+)$", re.MULTILINE
)


async def keep_asking(models: Models, client: aiohttp.ClientSession, every: float = EVERY_SECONDS) -> None:
    """Until cancelled. Who does not answer keeps what was known."""
    while True:
        replicas = [replica for model in models.by_name.values() for replica in model.replicas.values()]
        await asyncio.gather(*(_ask(client, replica) for replica in replicas))
        await asyncio.sleep(every)


async def _ask(client: aiohttp.ClientSession, replica: Replica) -> None:
    try:
        async with client.get(
            f"http://{replica.address}/metrics",
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            allow_redirects=False,  # an engine is a tenant's: it must not send us anywhere
        ) as answer:
            read(replica, await answer.content.read(MAX_ANSWER))
    except (aiohttp.ClientError, TimeoutError):
        return


def read(replica: Replica, text: bytes) -> None:
    for name, value in _GAUGE.findall(text):
        number = _number(value)
        if number is None:
            continue
        if name == b"num_requests_waiting":
            replica.waiting = int(number)
        elif name == b"num_requests_running":
            replica.running = int(number)
        else:
            replica.kv_use = number


def _number(text: bytes) -> float | None:
    """None: what an engine says is a tenant's text, and may be no number, or none that counts requests."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= MOST else None
