"""The extender's two HTTP servers: the verbs beside kube-scheduler, and health and metrics for everybody else.

Hot paths are looked up before FastAPI sees them; health, readiness and metrics are ordinary FastAPI routes. Both servers run
in one event loop. `bind` is not offered: kube-scheduler binds well by itself, and only it knows which plugins must have
their say first; a binder of ours could add nothing but a way to fail.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from berth_api.reasons import Reason
from berth_extender.metrics import Metrics
from berth_extender.refusal import refusal_body
from berth_extender.verbs import VERBS, Receive, Scope, Send, Verbs

KEEP_ALIVE_SECONDS = 120
"""Longer than Go's client keeps an idle connection (90 s): it closes first, so no call meets a closing connection."""
DRAIN_SECONDS = 1

NO_BIND = "bind is not offered: leave bindVerb out, kube-scheduler binds by itself"

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]
Readiness = Callable[[], str]
"""Empty when ready; else what is missing."""


class Application:
    """The ASGI application of the verbs' port: verbs first, the rest is FastAPI's."""

    def __init__(self, verbs: Verbs, health: FastAPI) -> None:
        self._verbs = verbs
        self._health = health
        self._paths = {f"/{verb}": verb for verb in VERBS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        verb = self._paths.get(scope.get("path", ""))
        if verb is not None and scope["type"] == "http":
            await self._verbs(verb, scope, receive, send)
        else:
            await self._health(scope, receive, send)


def health_application(missing: Readiness) -> FastAPI:
    """/healthz and /readyz. `missing` says in a sentence what keeps the process from being ready."""
    application = FastAPI(title="Berth extender", docs_url=None, redoc_url=None, openapi_url=None)

    @application.get("/healthz")
    async def healthz() -> Response:
        """The event loop turns."""
        return Response("ok\n", media_type="text/plain")

    @application.get("/readyz")
    async def readyz() -> Response:
        sentence = missing()
        return Response(f"{sentence or 'ok'}\n", 503 if sentence else 200, media_type="text/plain")

    @application.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        reason = Reason.METHOD_NOT_ALLOWED if error.status_code == 405 else Reason.NO_SUCH_PATH
        message = NO_BIND if request.url.path == "/bind" else f"{request.method} {request.url.path}: {error.detail}"
        body = refusal_body(reason, message)
        return Response(body, error.status_code, headers=error.headers, media_type="application/json")

    return application


def metrics_application(metrics: Metrics, missing: Readiness) -> FastAPI:
    """/metrics, and health once more, for those who cannot reach the loopback address of the verbs."""
    application = health_application(missing)

    @application.get("/metrics")
    async def show_metrics() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return application


class Server(uvicorn.Server):
    """One port. It leaves the process's signals alone: two servers and the cluster's watches end together."""

    def __init__(self, application: Asgi, port: socket.socket) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._port = port

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def run_until(self, ended: asyncio.Event) -> None:
        """Serves until `ended` is set, then finishes what is under way, for `DRAIN_SECONDS` at most."""
        self._port.listen(self.config.backlog)  # from here on connections queue until uvicorn takes them
        serving = asyncio.create_task(self.serve(sockets=[self._port]))
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        self.should_exit = True
        await serving


def take_port(host: str, port: int) -> socket.socket:
    """A socket bound to it, on which nothing is served yet; port 0 takes a free one. Raises OSError that names both."""
    taken = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.setblocking(False)
    try:
        taken.bind((host, port))
    except OSError as error:
        taken.close()
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    return taken
