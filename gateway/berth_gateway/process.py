"""`berth gateway`: watches one namespace, asks its replicas how full they are, and forwards until it is told to leave.

SIGTERM: ready no more and no new requests, those under way go on, at most for the grace time; a second signal ends at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from berth_cluster.connection import Connection
from berth_gateway.discovery import Discovery
from berth_gateway.gauges import keep_asking
from berth_gateway.holding import Holding
from berth_gateway.replicas import Models
from berth_gateway.server import Gateway

log = logging.getLogger(__name__)

NOTICE_SECONDS = 5.0
"""Between being unready and refusing: proxies need that long to notice."""
LOOK_SECONDS = 0.1


class Options(msgspec.Struct, frozen=True):
    """The flags of `berth gateway`."""

    namespace: str
    kubeconfig: Path | None = None
    context: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    held: int = 256
    hold_seconds: float = 600.0
    drain_seconds: float = 60.0


async def run(options: Options) -> None:
    """Serves until SIGTERM or SIGINT. Raises OSError when the port is taken, ConfigurationError without a cluster."""
    ended = asyncio.Event()
    signals = 0

    def told() -> None:
        nonlocal signals
        signals += 1
        if signals > 1:
            os._exit(128 + signal.SIGTERM)
        ended.set()

    for received in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(received, told)
    connection = await Connection.open(options.kubeconfig, options.context)
    models = Models()
    discovery = Discovery(connection, options.namespace, models)
    holding = Holding(options.held, options.hold_seconds)
    gateway = Gateway(models, discovery.wake, holding=holding, is_synced=lambda: discovery.synced)
    runner = web.AppRunner(gateway.app(), access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, options.host, options.port).start()
        log.info("namespace %s on http://%s:%d", options.namespace, *runner.addresses[0][:2])
        async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(discovery.run(), name="watch"),
                group.create_task(keep_asking(models, client), name="gauges"),
            ]
            await ended.wait()
            await _drain(gateway, options.drain_seconds)
            for task in tasks:
                task.cancel()
    finally:
        await runner.cleanup()
        await connection.close()


async def _drain(gateway: Gateway, seconds: float) -> None:
    log.info("told to leave; %d requests are under way", gateway.under_way)
    until = time.monotonic() + seconds
    gateway.leaves = True
    await asyncio.sleep(min(NOTICE_SECONDS, seconds))
    gateway.drains = True
    while gateway.under_way and time.monotonic() < until:
        await asyncio.sleep(LOOK_SECONDS)
