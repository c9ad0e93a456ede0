"""A request's way to a replica and its answer's way back, chunk by chunk as they come.

Another replica is tried only where nothing can have been done twice: the connection was refused, or the engine said that it did
not begin (503 `Loading`, `Draining` or `EngineFailed`, 429 `QueueFull`). A stream that an engine had to end in the middle (`EngineDraining`) goes
on elsewhere from the tokens that the engine handed over, in the same answer; the client sees a pause.

Costs beside the network: reading the body once as JSON for `model`, `stream` and the session; answers are not looked into, but
for the last event of a stream, and streams go on by whole lines.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import msgspec
from aiohttp import web

from berth_gateway.choice import choose
from berth_gateway.holding import Holding
from berth_gateway.metrics import Metrics
from berth_gateway.refusals import Refused
from berth_gateway.replicas import Model, Models, Replica

MAX_BODY = 4 * 2**20
MAX_ANSWER = 64 * 2**20
"""Of an answer that is no stream, which is held as a whole."""
PIECE = 2**18
MAX_TRIES = 4
CONNECT_SECONDS = 2.0
SHUN_SECONDS = 2.0
RETRY_SECONDS = 1
"""Where an engine that did not begin says nothing of when to come again."""
MAX_LINE = 16 * 2**20
"""Of a stream. Several times what hands over the longest generation; a longer line goes on as it comes."""
COMMENT_SECONDS = 10.0
"""Between the comments that tell a waiting stream that it is not forgotten."""
SESSION_HEADER = "X-Session-Id"
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: of clients and of engines, who may both send JSON that is nested without end."""
_NOT_BEGUN = frozenset(("Loading", "Draining", "EngineFailed", "QueueFull"))
_HANDED_OVER = b'"code": "EngineDraining"'
_TOLD = ("content-type", "retry-after", "cache-control", "x-request-id")
_PASSED = (
    "content-type",
    "accept",
    "x-request-id",
    "x-berth-priority",
    "x-gateway-inference-objective",
    "x-slo-ttft-ms",
    "traceparent",
)
"""Headers that go on to the engine. Not Authorization: it is for this door, if for any."""


class _Asked(msgspec.Struct):
    """What the gateway reads of a request."""

    model: str
    stream: bool = False
    user: str | None = None
    prompt_cache_key: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    message: str = ""
    resume: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error


_read_asked = msgspec.json.Decoder(_Asked).decode
_read_error = msgspec.json.Decoder(_ErrorBody).decode


@dataclass(slots=True)
class _Request:
    path: str
    body: bytes
    headers: dict[str, str]
    asked: _Asked
    session: str | None


class Forwarder:
    """wake: told that a service is asked, by its name and whether it sleeps."""

    def __init__(
        self,
        models: Models,
        holding: Holding,
        wake: Callable[[str, bool], Awaitable[None]],
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._holding = holding
        self._wake = wake
        self._metrics = metrics
        self._clock = clock
        self._client: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30, enable_cleanup_closed=True)
        self._client = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            auto_decompress=False,
        )

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            asked = await _read(request)
            model = self._models.by_name.get(asked.asked.model)
            if model is None:
                known = ", ".join(self._models.names()) or "none yet"
                raise Refused(404, "ModelNotFound", f"no service here serves {asked.asked.model!r}; there are: {known}")
            return await self._answer(request, asked, model)
        except _Over as over:
            return over.answer
        except Refused as refused:
            self._metrics.refused.labels(refused.code).inc()
            return web.json_response(refused.body, status=refused.status, headers=refused.headers)

    async def _answer(self, request: web.Request, asked: _Request, model: Model) -> web.StreamResponse:
        begun = None if model.replicas else await self._held(request, asked, model)
        awake = asyncio.create_task(self._keep_awake(model)) if model.may_sleep else None
        try:
            return await self._tried(request, asked, model, begun)
        except Refused as refused:
            if begun is None:
                raise
            return await self._refused_inside(begun, refused)
        finally:
            if awake is not None:
                awake.cancel()

    async def _keep_awake(self, model: Model) -> None:
        """As long as a request is under way."""
        while True:
            await self._wake(model.service, False)
            await asyncio.sleep(COMMENT_SECONDS)

    async def _tried(
        self, request: web.Request, asked: _Request, model: Model, begun: web.StreamResponse | None
    ) -> web.StreamResponse:
        """By one replica after another, until one has begun. Raises Refused."""
        tried: list[str] = []
        last: Refused | None = None
        while len(tried) < MAX_TRIES:
            replica = choose(model.open_replicas(self._clock(), tried), asked.session)
            if replica is None:
                break
            tried.append(replica.name)
            replica.sent += 1
            try:
                return await self._through(request, asked, model, replica, begun)
            except _NotBegun as failed:
                last = failed.refused
                replica.shunned_until = self._clock() + SHUN_SECONDS
                self._metrics.retries.inc()
            finally:
                replica.sent -= 1
        raise last or Refused(503, "NoReplica", f"no replica of {model.name} answers just now; come again", 2)

    async def _refused_inside(self, begun: web.StreamResponse, refused: Refused) -> web.StreamResponse:
        """Of an answer that has begun."""
        self._metrics.refused.labels(refused.code).inc()
        await begun.write(refused.event())
        return begun

    async def _held(self, request: web.Request, asked: _Request, model: Model) -> web.StreamResponse | None:
        """Until somebody answers. A stream is begun meanwhile, and told what it waits for. Raises Refused."""
        with self._holding.place(model), self._metrics.waits(model.name):
            await self._wake(model.service, True)
            if not asked.asked.stream:
                if not await self._holding.wait(model):
                    raise _still_asleep(model)
                return None
            begun = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
            await begun.prepare(request)
            deadline = self._clock() + self._holding.seconds
            while self._clock() < deadline:
                await begun.write(f": {model.name} is waking, please wait\n\n".encode())
                if await self._holding.wait(model, min(COMMENT_SECONDS, deadline - self._clock())):
                    return begun
            await begun.write(_still_asleep(model).event())
            self._metrics.refused.labels("StillAsleep").inc()
            raise _Over(begun)

    async def _through(
        self, request: web.Request, asked: _Request, model: Model, replica: Replica, begun: web.StreamResponse | None
    ) -> web.StreamResponse:
        """One replica's answer. Raises _NotBegun when another one may be asked."""
        assert self._client is not None
        try:
            upstream = await self._client.post(
                f"http://{replica.address}{asked.path}",
                data=asked.body,
                headers=asked.headers,
                allow_redirects=False,  # an engine is a tenant's: it must not send us anywhere
            )
        except (aiohttp.ClientConnectorError, aiohttp.ServerTimeoutError) as error:
            raise _NotBegun(Refused(503, "ReplicaUnreachable", f"{replica.name}: {error}", 1)) from error
        except aiohttp.ClientError as error:
            raise _broke_off(replica, error) from error
        async with upstream:
            if 300 <= upstream.status < 400:
                raise Refused(502, "ReplicaFailed", f"{replica.name} answers with a redirect, which is not followed")
            if not upstream.headers.get("Content-Type", "").startswith("text/event-stream"):
                return await self._whole(request, replica, upstream, begun)
            if begun is None:
                begun = web.StreamResponse(status=upstream.status, headers=_told(upstream))
                await begun.prepare(request)
            resume = await self._stream(replica, upstream, begun)
        return begun if resume is None else await self._go_on(request, asked, model, replica, resume, begun)

    async def _whole(
        self, request: web.Request, replica: Replica, upstream: aiohttp.ClientResponse, begun: web.StreamResponse | None
    ) -> web.StreamResponse:
        """An answer that is no stream. Raises _NotBegun, Refused."""
        try:
            body = await _bounded(upstream)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _broke_off(replica, error) from error
        if len(body) > MAX_ANSWER:
            raise Refused(
                502, "ReplicaFailed", f"{replica.name} answers with more than {MAX_ANSWER >> 20} MiB: ask for a stream"
            )
        said = _error_of(body) if upstream.status in (429, 503) else None
        if said is not None and said.code in _NOT_BEGUN:
            raise _NotBegun(Refused(upstream.status, said.code, said.message, _retry_after(upstream)))
        if begun is None:
            return web.Response(status=upstream.status, body=body, headers=_told(upstream))
        await begun.write(b"data: " + body.strip() + b"\n\n")  # an error; the stream was begun while the service woke
        return begun

    async def _stream(
        self, replica: Replica, upstream: aiohttp.ClientResponse, begun: web.StreamResponse
    ) -> str | None:
        """Pass a stream on, line by line; by what the rest can be had elsewhere, if the replica ends it in the middle."""
        line = b""
        while True:
            try:
                chunk = await upstream.content.readany()
            except (aiohttp.ClientError, TimeoutError) as error:
                await self._refused_inside(begun, _broke_off(replica, error))
                return None
            end = chunk.rfind(b"\n") + 1
            if chunk and not end and len(line) < MAX_LINE:
                line += chunk
                continue
            lines = line + chunk[:end] if end else line + chunk
            line = chunk[end:] if end else b""
            if _HANDED_OVER in lines:
                before, resume = _handed_over(lines)
                if resume is not None:
                    await begun.write(before)
                    return resume
            if lines:
                await begun.write(lines)
            if not chunk:
                return None

    async def _go_on(
        self, request: web.Request, asked: _Request, model: Model, left: Replica, resume: str, begun: web.StreamResponse
    ) -> web.StreamResponse:
        """The rest of a stream, from another replica. Raises Refused."""
        self._metrics.continued.inc()
        left.shunned_until = self._clock() + 10 * SHUN_SECONDS
        body = json.loads(asked.body)
        body["berth_resume"] = resume
        again = _Request(asked.path, json.dumps(body).encode(), asked.headers, asked.asked, asked.session)
        if not model.open_replicas(self._clock()):
            await self._holding.wait(model, COMMENT_SECONDS)
        try:
            return await self._tried(request, again, model, begun)
        except Refused as refused:
            message = f"the replica left and no other of {model.name} took over: {refused.message}"
            return await self._refused_inside(begun, Refused(503, "EngineDraining", message, 1))


class _NotBegun(Exception):  # noqa: N818
    """Another replica may be asked."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.message)
        self.refused = refused


class _Over(Exception):  # noqa: N818
    """The answer has been given, such as it is."""

    def __init__(self, answer: web.StreamResponse) -> None:
        super().__init__()
        self.answer = answer


async def _read(request: web.Request) -> _Request:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise Refused(413, "BodyTooLarge", f"a body has {MAX_BODY} bytes at most") from None
    try:
        asked = _read_asked(body)
    except UNREADABLE as error:
        raise Refused(400, "BadRequest", f"the body is not a request: {error}") from None
    headers = {name: value for name, value in request.headers.items() if name.lower() in _PASSED}
    session = request.headers.get(SESSION_HEADER) or asked.prompt_cache_key or asked.user
    return _Request(request.path, body, headers, asked, session)


def _told(upstream: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in upstream.headers.items() if name.lower() in _TOLD}


async def _bounded(upstream: aiohttp.ClientResponse) -> bytes:
    """The body, or a byte more than MAX_ANSWER of it."""
    parts, size = [], 0
    while size <= MAX_ANSWER and (part := await upstream.content.read(min(MAX_ANSWER + 1 - size, PIECE))):
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _handed_over(lines: bytes) -> tuple[bytes, str | None]:
    """What comes before the event that ends a stream in the middle, and by what the rest can be had."""
    begin = lines.rfind(b"data: ", 0, lines.index(_HANDED_OVER))
    said = None if begin < 0 else _error_of(lines[begin + len(b"data: ") :].split(b"\n", 1)[0])
    return (lines, None) if said is None else (lines[:begin], said.resume)


def _error_of(body: bytes) -> _Error | None:
    try:
        return _read_error(body).error
    except UNREADABLE:
        return None


def _retry_after(upstream: aiohttp.ClientResponse) -> int:
    """Seconds; a date, which HTTP allows too, is not what engines say."""
    said = upstream.headers.get("Retry-After", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 6 else RETRY_SECONDS


def _broke_off(replica: Replica, error: Exception) -> Refused:
    return Refused(502, "ReplicaFailed", f"{replica.name} broke off: {error}; it may have computed an answer")


def _still_asleep(model: Model) -> Refused:
    return Refused(
        503,
        "StillAsleep",
        f"{model.name} did not wake in time: kubectl describe llmservice {model.service} tells why",
        30,
    )
