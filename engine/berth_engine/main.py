"""The command line. torch is imported only once the options are right, so that --help is quick."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from enum import StrEnum
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer
import uvicorn

from berth_engine.last_word import leave
from berth_engine.request import MAX_PRIORITY

if TYPE_CHECKING:
    from berth_engine.server import Service

log = logging.getLogger(__name__)

GRACE = 5  # seconds for the last bytes of answers after the drain

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


class _Progress:
    """Tells how far the check of a model's files is, every tenth of it."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, done: int, total: int) -> None:
        tenths = 10 * done // max(1, total)
        if tenths > self._told:
            self._told = tenths
            log.info("checked %d %% of %.1f GiB", 10 * tenths, total / 2**30)


class Quantization(StrEnum):
    INT8 = "int8"


class Order(StrEnum):
    HIGH_FIRST = "high-first"
    LOW_FIRST = "low-first"


class Server(uvicorn.Server):
    """uvicorn, but the first SIGTERM or SIGINT drains, the second ends what runs, the third the process at once."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self.service = service
        self.loop: asyncio.AbstractEventLoop | None = None
        self._signals = 0

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 2:
            os._exit(128 + sig)
        if self.loop is None:
            os._exit(0)
        self.service.hurried = self._signals > 1
        self.loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self.service.drain().add_done_callback(lambda _: setattr(self, "should_exit", True))


@app.callback()
def berth_engine() -> None:
    """Serve mixture-of-experts models; an urgent request interrupts a long one between two layers."""


@app.command()
def serve(
    model: Annotated[str, typer.Argument(help="A folder as berth-fetch wrote it, or a built-in name such as tiny-mixtral.")],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    served_model_name: Annotated[str | None, typer.Option(help="Name clients use; the model's own if left out.")] = None,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda; cuda is an error where there is no GPU.")] = "auto",
    quantize: Annotated[Quantization | None, typer.Option(help="int8: experts in 8 bits, about half the memory of bfloat16.")] = None,
    digest: Annotated[str | None, typer.Option(help="Check the folder against this digest before loading.")] = None,
    max_batch: Annotated[int, typer.Option(min=1, help="Requests that compute together.")] = 32,
    token_budget: Annotated[int, typer.Option(min=1, help="Tokens that compute together; prompts are cut to it.")] = 512,
    shared_tokens: Annotated[int, typer.Option(min=1, help="Prompt tokens of less urgent requests that may share a pass.")] = 128,
    arm_tokens: Annotated[int | None, typer.Option(min=1, help="From so many tokens on a pass may stop between two experts; never if left out.")] = None,
    cuda_graphs: Annotated[bool, typer.Option("--cuda-graphs", help="Layers of decode passes as CUDA graphs. Never run on a GPU yet: compare before you rely on it.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds a request may get nowhere because of more urgent ones.")] = 10.0,
    handicap_ms: Annotated[float, typer.Option(min=0, help="What a token still to compute counts as, beside the time of arrival; 0: first come, first served.")] = 1.0,
    max_queue: Annotated[int, typer.Option(min=1, help="Requests that may wait, for each priority.")] = 1024,
    kv_blocks: Annotated[int | None, typer.Option(min=1, help="Cache blocks on the device; as many as fit if left out.")] = None,
    kv_share: Annotated[float, typer.Option(min=0.01, max=1, help="Share of the free memory for the cache.")] = 0.9,
    host_kv: Annotated[int | None, typer.Option(min=0, help="Cache blocks in host memory; as many as the device's if left out.")] = None,
    priority_order: Annotated[Order, typer.Option(help="Whether high or low numbers are urgent; vLLM's clients mean low.")] = Order.HIGH_FIRST,
    objective: Annotated[list[str] | None, typer.Option(help="NAME=PRIORITY for x-gateway-inference-objective (higher is more urgent); repeatable.")] = None,
    default_priority: Annotated[int, typer.Option(min=-MAX_PRIORITY, max=MAX_PRIORITY, help="Of requests that ask for none.")] = 0,
    max_priority: Annotated[int, typer.Option(min=-MAX_PRIORITY, max=MAX_PRIORITY, help="Requests that ask for more get this.")] = MAX_PRIORITY,
    drain_seconds: Annotated[float, typer.Option(min=0, help="Seconds that running requests get after SIGTERM.")] = 30.0,
    stall_seconds: Annotated[float, typer.Option(min=0.1, help="Seconds a stream waits for a reader that takes nothing.")] = 60.0,
) -> None:  # fmt: skip
    """Serve MODEL over an OpenAI-compatible API."""
    objectives = dict(_objective(pair) for pair in objective or [])
    if default_priority > max_priority:
        raise typer.BadParameter(f"must not be above --max-priority ({max_priority})", param_hint="--default-priority")
    if cuda_graphs and device == "cpu":
        raise typer.BadParameter("needs a GPU; leave it out with --device cpu", param_hint="--cuda-graphs")
    if cuda_graphs and quantize is not None:
        raise typer.BadParameter(
            "experts in 8 bits cannot be recorded; leave one of the two out", param_hint="--cuda-graphs"
        )
    if token_budget < max_batch:
        raise typer.BadParameter(f"must be at least --max-batch ({max_batch})", param_hint="--token-budget")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    log.info("loading %s", model)
    from berth_engine.openai_api import Priorities
    from berth_engine.server import Service, build_app

    priorities = Priorities(objectives, priority_order is Order.LOW_FIRST, default_priority, max_priority)
    service = Service(
        served_model_name or os.path.basename(model.rstrip("/")), priorities, drain_seconds, stall_seconds
    )
    config = uvicorn.Config(build_app(service), host, port, timeout_graceful_shutdown=GRACE, log_level="warning")
    server = Server(config, service)
    failures: list[tuple[str, str]] = []  # reason code and sentence

    def load() -> None:
        import torch

        from berth_engine.admission import QueueLimits
        from berth_engine.launch import CacheSize, NoRoomForCache, launch
        from berth_engine.manifest import ModelRefused
        from berth_engine.models import load
        from berth_engine.scheduler import Limits

        try:
            loaded = load(model, dtype=dtype, device=device, digest=digest, quantize=quantize, progress=_Progress())
            limits = Limits(max_batch, token_budget, shared_tokens, patience, handicap=handicap_ms / 1000)
            engine = launch(
                loaded, limits, CacheSize(kv_share, kv_blocks, host_kv), QueueLimits(max_queue), arm_tokens, cuda_graphs
            )
            engine.start()
            service.open(engine, loaded)
            weights = ", ".join(f"{kind} {size / 2**30:.2f}" for kind, size in loaded.weights.items())
            log.info("%s has %.2f GiB of weights (%s)", service.name, sum(loaded.weights.values()) / 2**30, weights)
            log.info("serving %s on http://%s:%d, %d tokens of cache", service.name, host, port, engine.roster.pool.device * engine.roster.pool.size)  # fmt: skip
        except ModelRefused as error:
            failures.append((error.reason, error.message))
        except NoRoomForCache as error:
            failures.append(("NoRoomForCache", str(error)))
        except torch.OutOfMemoryError as error:
            failures.append(
                ("GPUOutOfMemory", f"{error}: lower --kv-share or --max-batch, quantize, or take a larger GPU")
            )
        except Exception as error:  # whatever it is, a server without a model is of no use
            log.exception("loading failed")
            failures.append(("LoadFailed", str(error)))
        if failures:
            server.should_exit = True

    threading.Thread(target=load, name="load", daemon=True).start()
    server.run()
    if failures:
        print(": ".join(failures[0]), file=sys.stderr)
        leave(*failures[0])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(2 if failures else 0 if server.started else 1)  # no waiting for a load that a signal cut short


@app.command()
def quantize_report(
    model: Annotated[str, typer.Argument(help="A folder (of a config.json alone: sizes only), or a built-in name.")],
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16: what int8 is compared with.")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda; it needs room for the model unquantized.")] = "auto",
    tokens: Annotated[int, typer.Option(min=1, max=8192, help="Random tokens to run, where no prompt is given.")] = 256,
    prompt: Annotated[str | None, typer.Option(help="Text to run instead; says more of a trained model.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random tokens.")] = 0,
) -> None:  # fmt: skip
    """Tell what experts in int8 change for MODEL: bytes, and errors of experts and logits."""
    from berth_engine.manifest import ModelRefused
    from berth_engine.quantize_report import lines, report

    try:
        found = report(model, dtype=dtype, device=device, tokens=tokens, prompt=prompt, seed=seed)
    except ModelRefused as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    for line in lines(found):
        print(line)


def _objective(pair: str) -> tuple[str, int]:
    name, sign, number = pair.partition("=")
    try:
        if not name or not sign:
            raise ValueError
        return name, int(number)
    except ValueError:
        raise typer.BadParameter(f"{pair} is not NAME=PRIORITY", param_hint="--objective") from None


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    app()


if __name__ == "__main__":
    main()
