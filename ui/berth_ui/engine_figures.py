"""What engines say of themselves: how many requests run and wait, how long the first token takes, how full the KV cache is.

Asked for when somebody looks at services, and as that person: through the API server's proxy to pods, which needs `get` on `pods/proxy`
in the namespace. Who may not do that, and engines that do not answer in `ASK_SECONDS`, leave the figures empty. At most `MAX_ASKED` replicas
a look, `AT_ONCE` at a time; an answer holds for `KEPT_SECONDS` for that person.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from berth_cluster.connection import ApiError
from berth_ui.callers import Caller, Callers, RefusedError
from berth_ui.wire import Replica, ServiceView

ASK_SECONDS = 1.5
KEPT_SECONDS = 10.0
MAX_ASKED = 100
MAX_KEPT = 5_000
AT_ONCE = 16
MAX_LINES = 2_000
"""That are read of what an engine says, among those that matter: they are a tenant's words, and parsing takes 10 us a line."""
PLAIN = re.compile(r"[A-Za-z0-9_./-]*")

RUNNING = ("vllm:num_requests_running",)
QUEUED = ("vllm:num_requests_waiting",)
KV_USE = ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
FIRST_TOKEN = ("berth_engine_ttft_seconds", "vllm:time_to_first_token_seconds")


class Figures(msgspec.Struct, frozen=True):
    running: float | None = None
    queued: float | None = None
    ttft_seconds: float | None = None
    kv_use: float | None = None


NONE = Figures()


class EngineFigures:
    """where: port and path of a replica's metrics, empty when it cannot be asked."""

    def __init__(
        self,
        callers: Callers,
        where: Callable[[str, str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._callers = callers
        self._where = where
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, Figures]] = OrderedDict()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def fill(self, caller: Caller, services: Sequence[ServiceView]) -> list[ServiceView]:
        """The same services, with what their replicas say."""
        asked = [(s.namespace, r.pod) for s in services for r in s.replicas if r.ready][:MAX_ASKED]
        found = dict(zip(asked, await asyncio.gather(*(self._of(caller, *one) for one in asked)), strict=True))
        return [
            replace(s, replicas=[_filled(r, found.get((s.namespace, r.pod), NONE)) for r in s.replicas])
            for s in services
        ]

    async def _of(self, caller: Caller, namespace: str, pod: str) -> Figures:
        key = (caller.name, namespace, pod)
        known = self._kept.get(key)
        if known is not None and known[0] > self._clock():
            return known[1]
        where = self._where(namespace, pod)
        figures = await self._ask(caller, namespace, pod, where) if where else NONE
        self._kept[key] = (self._clock() + KEPT_SECONDS, figures)
        self._kept.move_to_end(key)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)
        return figures

    async def _ask(self, caller: Caller, namespace: str, pod: str, where: str) -> Figures:
        port, _, path = where.partition("/")
        if not PLAIN.fullmatch(path) or ".." in path:
            return NONE  # a tenant wrote it: it must not lead out of the proxy
        address = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path}"
        try:
            async with self._at_once, asyncio.timeout(ASK_SECONDS):
                text = await self._callers.read(caller, address)
        except (ApiError, RefusedError, TimeoutError):
            return NONE
        return figures_of(text.decode(errors="replace"))


def figures_of(text: str) -> Figures:
    """Of Prometheus' text format; what is not there, or cannot be read, is None."""
    gauges: dict[str, float] = {}
    buckets: dict[str, dict[float, float]] = {}
    matters = tuple(
        f"{prefix}{name}" for name in (*RUNNING, *QUEUED, *KV_USE, *FIRST_TOKEN) for prefix in ("", "# TYPE ")
    )
    lines = [line for line in text.splitlines() if line.startswith(matters)][:MAX_LINES]
    try:
        for family in text_string_to_metric_families("\n".join(lines) + "\n"):
            for sample in family.samples:
                if sample.name.endswith("_bucket") and family.name in FIRST_TOKEN:
                    of = buckets.setdefault(family.name, {})
                    bound = float(sample.labels["le"])
                    of[bound] = of.get(bound, 0.0) + sample.value
                elif family.type == "gauge":
                    gauges[sample.name] = gauges.get(sample.name, 0.0) + sample.value
    except (ValueError, KeyError):
        return NONE
    return Figures(
        running=_first(gauges, RUNNING),
        queued=_first(gauges, QUEUED),
        kv_use=_first(gauges, KV_USE),
        ttft_seconds=next((median_of(buckets[name]) for name in FIRST_TOKEN if name in buckets), None),
    )


def median_of(buckets: Mapping[float, float]) -> float | None:
    """Of cumulative counts by upper bound, within its bucket as Prometheus' histogram_quantile reckons."""
    bounds = sorted(buckets)
    whole = buckets[bounds[-1]] if bounds else 0.0
    if not whole:
        return None
    low, below = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= whole / 2:
            if bound == float("inf"):
                return low
            inside = buckets[bound] - below
            return low + (bound - low) * ((whole / 2 - below) / inside if inside else 0.0)
        low, below = bound, buckets[bound]
    return None


def _first(gauges: Mapping[str, float], names: Iterable[str]) -> float | None:
    return next((gauges[name] for name in names if name in gauges), None)


def _filled(replica: Replica, figures: Figures) -> Replica:
    return replace(
        replica,
        running=figures.running,
        queued=figures.queued,
        ttft_seconds=figures.ttft_seconds,
        kv_use=figures.kv_use,
    )
