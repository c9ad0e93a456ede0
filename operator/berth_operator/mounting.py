"""A further ASGI app on the operator's port, over the operator's own view of the cluster: the dashboard, which this room must not know.

The command line makes the one and hands it to the other (`run_operator`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from berth_cluster.connection import Connection
from berth_cluster.live import LiveCluster


class Mounted(Protocol):
    @property
    def app(self) -> ASGIApp:
        """Gets every path that is not the operator's own."""
        ...

    async def run(self) -> None:
        """What it does beside answering, until cancelled; started again when it fails."""
        ...


Mount = Callable[[Connection, LiveCluster, CollectorRegistry], Mounted]
