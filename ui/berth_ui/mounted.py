"""The dashboard within the operator's process: over the operator's own watch, each request by its caller's own token.

The process that mounts it gives its connection and its cluster; what is watched beside that are LLMServices. Every replica of the
operator serves it, whether it leads or stands by. The process that plans for readers (`thinking`) is a second one beside the operator's
solver, so that nobody who looks slows planning down.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from berth_cluster.connection import Connection
from berth_cluster.live import LiveCluster
from berth_ui.callers import BearerCallers
from berth_ui.history import Recorder
from berth_ui.live_source import LiveSource
from berth_ui.recording import Recording, Sampler
from berth_ui.server import build_app
from berth_ui.services import ServiceWatch
from berth_ui.thinking import Thinker

NAME = "cluster"
"""The API server does not say how its cluster is called."""


class MountedDashboard:
    """`app` answers; `run` keeps it current."""

    def __init__(
        self, connection: Connection, cluster: LiveCluster, registry: CollectorRegistry, history: Path | None = None
    ) -> None:
        """history: a file; None: in memory. Raises sqlite3.Error when it cannot be used."""
        self._services = ServiceWatch(connection)
        self._thinker = Thinker("berth")
        self._source = LiveSource(NAME, cluster, self._services, self._thinker)
        self._recorder = Recorder(Sampler(self._source), history)
        Recording(self._source, self._recorder, registry)
        self._source.history_fails = lambda: self._recorder.fails
        self._source.begin()
        callers = BearerCallers(connection, self._namespaces)
        self.app: FastAPI = build_app(self._source, self._thinker, callers, self._recorder)

    async def run(self) -> None:
        """Until cancelled."""
        self._thinker.open()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._services.run(), name="watch services to show")
                group.create_task(self._source.run(), name="paint")
                group.create_task(self._recorder.run(), name="record")
        finally:
            self._thinker.close()

    def _namespaces(self) -> set[str]:
        """Those that have something to show."""
        pods = {pod.namespace for pod in self._source.painted().pods.values()}
        return pods | {service.namespace for service in self._source.services()}
