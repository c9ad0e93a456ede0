"""Handlers of our own kinds, by kopf: an event of a PackingPlan or PackingPolicy wakes the planning loop at once.

They wake and do nothing else. What the objects say is read from the cluster's cache; kopf's event may come before that, so
the loop also looks at every tick. `on.event` handlers leave no annotation and no finalizer on the objects.

kopf runs in a thread of its own. In the process's event loop it would take over SIGTERM and SIGINT, and when it ends it cancels
every task begun since, ours too (kopf 1.45: `spawn_tasks`, `run_tasks`). It keeps a watch a kind and one of CRDs; it costs what importing it costs, about 5 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

from berth_api.resource import GROUP, VERSION
from berth_cluster.connection import Connection, Credentials

PLURALS = ("packingplans", "packingpolicies")
STOP_SECONDS = 5.0


class OwnKinds:
    """`run` it while leading."""

    def __init__(self, connection: Connection, wake: Callable[[], None]) -> None:
        self._connection = connection
        self._wake = wake

    async def run(self) -> None:
        """Until cancelled. Raises whatever ended kopf."""
        loop = asyncio.get_running_loop()
        credentials = await self._connection.credentials()
        stop = threading.Event()
        ended: asyncio.Future[None] = loop.create_future()

        def end(error: BaseException | None) -> None:
            if not ended.done():
                ended.set_exception(RuntimeError("kopf ended") if error is None else error)

        def serve() -> None:
            error: BaseException | None = None
            try:
                _run_kopf(credentials, lambda: loop.call_soon_threadsafe(self._wake), stop)
            except Exception as raised:
                error = raised
            if not stop.is_set():
                loop.call_soon_threadsafe(end, error)

        thread = threading.Thread(target=serve, name="kopf", daemon=True)
        thread.start()
        try:
            await ended
        finally:
            stop.set()
            await asyncio.to_thread(thread.join, STOP_SECONDS)


@contextlib.contextmanager
def _without_client() -> Iterator[None]:
    """kopf would load every model of the official client, 42 MB and a second, to know them if a handler returned one; where there
    is no client it does without."""
    if "kubernetes" in sys.modules:
        yield
        return
    sys.modules["kubernetes"] = None  # type: ignore[assignment] # how Python is told that there is none
    try:
        yield
    finally:
        del sys.modules["kubernetes"]


def _run_kopf(credentials: Credentials, wake: Callable[[], object], stop: threading.Event) -> None:
    with _without_client():
        import kopf

    logging.getLogger("kopf").setLevel(logging.WARNING)
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)  # warns that it leaves signals alone
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    async def configure(settings: kopf.OperatorSettings, **_: object) -> None:
        settings.posting.enabled = False
        settings.peering.standalone = True

    @kopf.on.login(registry=registry)
    async def login(**_: object) -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(
            server=credentials.host,
            ca_path=credentials.ca_file,
            insecure=not credentials.verify,
            certificate_path=credentials.certificate_file,
            private_key_path=credentials.key_file,
            scheme=credentials.scheme,
            token=credentials.token,
        )

    for plural in PLURALS:

        @kopf.on.event(GROUP, VERSION, plural, registry=registry)
        async def changed(**_: object) -> None:
            wake()

    # nobody is told it, but without one kopf asks for the user's name, and the image's user 65532 has none
    identity = cast(Any, "berth-operator")
    kopf.run(registry=registry, standalone=True, clusterwide=True, stop_flag=stop, identity=identity)
