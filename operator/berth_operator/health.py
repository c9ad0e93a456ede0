"""`/healthz`, `/readyz` and `/metrics`: what a kubelet and a Prometheus ask.

Ready is who has seen the cluster once; a standby is ready too, or a rolling update would wait for ever. Healthy is who still
goes round: a leader whose planning loop has stood still for `STUCK_SECONDS` should be started again. An API server that does
not answer makes nobody unhealthy: a restart would not bring it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.types import ASGIApp

STUCK_SECONDS = 900.0
"""A round solves at most twice, each time at most its budget (300 s) and some."""


def health_app(
    *,
    is_synced: Callable[[], bool],
    seconds_standing_still: Callable[[], float],
    registry: CollectorRegistry,
    beside: ASGIApp | None = None,
) -> FastAPI:
    """beside: gets all other paths."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/healthz")
    def healthz() -> Response:
        still = seconds_standing_still()
        if still > STUCK_SECONDS:
            return Response(f"the planning loop has stood still for {still:.0f} s\n", 503, media_type="text/plain")
        return Response("ok\n", media_type="text/plain")

    @app.get("/readyz")
    def readyz() -> Response:
        if not is_synced():
            return Response("the cluster has not been listed yet\n", 503, media_type="text/plain")
        return Response("ok\n", media_type="text/plain")

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    if beside is not None:
        app.mount("", beside)
    return app


class HealthServer(uvicorn.Server):
    """Leaves signals to the process."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
