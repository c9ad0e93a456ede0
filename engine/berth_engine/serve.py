"""Run one engine and its server in this process: load, warm up, serve, and drain on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
from dataclasses import dataclass

import uvicorn

from berth_engine.admission import QueueLimits
from berth_engine.engine import Engine
from berth_engine.launch import CacheSize, launch
from berth_engine.models import load
from berth_engine.request import Finish, Request, Sampling
from berth_engine.scheduler import Limits
from berth_engine.server import Served, create_app

log = logging.getLogger(__name__)

LAST_WORDS = 2.0  # seconds for ended answers to reach their clients


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of `berth-engine serve`, as main.py describes them."""

    model: str
    host: str
    port: int
    served_model_name: str
    dtype: str
    device: str
    digest: str | None
    max_batch: int
    token_budget: int
    shared_tokens: int
    arm_tokens: int | None
    patience: float
    max_queue: int
    kv_blocks: int | None
    kv_share: float
    host_kv_blocks: int | None
    priority_order: str
    objectives: tuple[str, ...]
    drain_seconds: float


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises ModelRefused or ValueError with a sentence for the user."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    if settings.priority_order not in ("high-first", "low-first"):
        raise ValueError(f"--priority-order is high-first or low-first, not {settings.priority_order}")
    objectives = dict(_objective(text) for text in settings.objectives)
    limits = Limits(settings.max_batch, settings.token_budget, settings.shared_tokens, settings.patience)
    loaded = load(
        settings.model, dtype=settings.dtype, device=settings.device, digest=settings.digest,
        progress=lambda done, total: log.info("checked %d of %d MiB", done >> 20, total >> 20),
    )  # fmt: skip
    engine = launch(
        loaded, limits, CacheSize(settings.kv_share, settings.kv_blocks, settings.host_kv_blocks),
        QueueLimits(settings.max_queue), settings.arm_tokens,
    )  # fmt: skip
    engine.start()
    _warm_up(engine)
    served = Served(settings.served_model_name or loaded.name, settings.priority_order == "low-first", objectives)
    log.info(
        "serving %s on %s:%d, %d blocks of keys and values",
        served.model_name,
        settings.host,
        settings.port,
        engine.roster.pool.device,
    )
    asyncio.run(_serve(engine, served, settings))
    engine.stop()


async def _serve(engine: Engine, served: Served, settings: Settings) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(engine, served), host=settings.host, port=settings.port, log_level="warning", lifespan="off"
        )
    )
    # uvicorn's own handlers would cut running answers; ours drain first
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def ask_to_end() -> None:
        if told.is_set():
            server.force_exit = True
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_end)
    serving = asyncio.create_task(server.serve())
    ending = asyncio.create_task(told.wait())
    await asyncio.wait([serving, ending], return_when=asyncio.FIRST_COMPLETED)
    if ending.done():
        engine.drain()
        log.info("draining: %d requests left, at most %g s", engine.left, settings.drain_seconds)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_idle(engine, server), settings.drain_seconds)
        engine.abort(Finish.DRAINING)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_idle(engine, server), LAST_WORDS)
        server.should_exit = True
    ending.cancel()
    await serving


async def _idle(engine: Engine, server: uvicorn.Server) -> None:
    while not engine.idle and not server.force_exit:
        await asyncio.sleep(0.02)


def _warm_up(engine: Engine) -> None:
    """Ready means that a token was produced."""
    done = threading.Event()
    engine.submit(Request("warm-up", [0], Sampling(max_tokens=1)), lambda event: done.set() if event.finish else None)
    done.wait()
    if engine.failed:
        raise ValueError(f"EngineFailed: the first token could not be produced: {engine.failed}")


def _objective(text: str) -> tuple[str, int]:
    name, _, priority = text.partition("=")
    try:
        return name, int(priority)
    except ValueError as error:
        raise ValueError(f"--objective is NAME=PRIORITY with an integer, not {text!r}") from error
