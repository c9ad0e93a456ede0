"""The dashboard on a person's own machine: on loopback, for whoever has the address that was printed, and for no page of others.

Any page in the browser, and any user of the machine, can reach a loopback port. So the address carries a random word of this process,
which is exchanged for a cookie that no other site can send (SameSite=Strict, HttpOnly); without either nothing is answered. `Host` must
name loopback, or another name could be pointed here (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from berth_api.reasons import Reason
from berth_cluster.connection import Connection
from berth_cluster.live import EVERYTHING, LiveCluster
from berth_ui.callers import LIST_NODES, LIST_PODS, Callers, OwnLogin, RefusedError
from berth_ui.history import Recorder
from berth_ui.live_source import LiveSource
from berth_ui.recording import Recording, Sampler
from berth_ui.server import build_app, problem
from berth_ui.services import ServiceWatch
from berth_ui.source import Source
from berth_ui.thinking import Thinker

SYNC_SECONDS = 60.0
COOKIE = "berth-ui"
WORD = "key"
LOOPBACK = frozenset(("127.0.0.1", "localhost", "[::1]"))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            yield


async def serve_alone(
    source: Source,
    thinker: Thinker,
    port: int,
    say: Callable[[str], None],
    callers: Callers | None = None,
    recorder: Recorder | None = None,
) -> None:
    """Until Ctrl-C. say: is told the address, once it answers. OSError when the port is taken."""
    listening = socket.create_server(("127.0.0.1", port))
    word = secrets.token_urlsafe(24)
    app = build_app(source, thinker, callers, recorder)
    keep_to(app, word)
    thinker.open()
    say(f"http://127.0.0.1:{listening.getsockname()[1]}/ui/?{WORD}={word}")
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    try:
        await server.serve([listening])
    finally:
        thinker.close()


async def serve_live_alone(
    connection: Connection,
    name: str,
    port: int,
    system_namespace: str,
    say: Callable[[str], None],
    history: Path | None = None,
) -> None:
    """With one person's login, until Ctrl-C. Raises RefusedError when they may not look, TimeoutError when the cluster cannot be listed,
    OSError when the port is taken."""
    login = OwnLogin(connection)
    for attributes in (LIST_NODES, LIST_PODS):
        if not await login.may(attributes):
            raise RefusedError(
                403,
                Reason.FORBIDDEN,
                f"you may not list {attributes.resource} in all namespaces; open the page that the operator serves, which shows what you may see",
            )
    cluster = LiveCluster(connection, kinds=EVERYTHING, system_namespace=system_namespace)
    services = ServiceWatch(connection)
    thinker = Thinker("berth")
    tasks = [asyncio.create_task(cluster.run()), asyncio.create_task(services.run())]
    try:
        if not await cluster.wait_synced(SYNC_SECONDS):
            raise TimeoutError(f"the cluster was not listed within {SYNC_SECONDS:.0f} s")
        source = LiveSource(name, cluster, services, thinker)
        recorder = Recorder(Sampler(source), history)
        Recording(source, recorder)
        source.history_fails = lambda: recorder.fails
        source.begin()
        tasks += [asyncio.create_task(source.run()), asyncio.create_task(recorder.run())]
        await serve_alone(source, thinker, port, say, login, recorder)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def keep_to(app: FastAPI, word: str) -> None:
    """Answers only who has the word."""
    app.add_middleware(Knows, word=word)


class Knows:
    """A middleware that streams pass."""

    def __init__(self, app: ASGIApp, word: str) -> None:
        self._app = app
        self._word = word.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        instead = self._instead(Request(scope)) if scope["type"] == "http" else None
        await (instead or self._app)(scope, receive, send)

    def _instead(self, request: Request) -> Response | None:
        """None: go on."""
        host = request.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in LOOPBACK:
            return problem(403, Reason.WRONG_HOST, "ask by the address that berth ui printed")
        given = request.query_params.get(WORD)
        if given is not None and request.method == "GET" and secrets.compare_digest(given.encode(), self._word):
            moved = RedirectResponse(request.url.path)
            moved.set_cookie(COOKIE, self._word.decode(), httponly=True, samesite="strict", path="/")
            return moved
        if not secrets.compare_digest(request.cookies.get(COOKIE, "").encode(), self._word):
            return problem(401, Reason.NO_KEY, "open the whole address that berth ui printed, with its key")
        if request.method != "GET" and not _is_same(request):
            return problem(403, Reason.WRONG_ORIGIN, "another site may not act here")
        return None


def _is_same(request: Request) -> bool:
    """A browser says where a request that writes comes from."""
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("Host", "")
