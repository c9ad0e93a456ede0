"""The HTTP side of the gateway: OpenAI's paths, who is served, and what a kubelet and a Prometheus ask.

| path | what |
| --- | --- |
| `POST /v1/completions`, `/v1/chat/completions` | to a replica of the model that the body names |
| `GET /v1/models` | the models of the namespace |
| `GET /healthz`, `/readyz`, `/metrics` | as everywhere |

SIGTERM: new requests are refused with 503 `Draining`; those under way go on to their end, or the grace time's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from berth_gateway.forwarding import MAX_BODY, Forwarder
from berth_gateway.holding import Holding
from berth_gateway.metrics import Metrics
from berth_gateway.refusals import Refused
from berth_gateway.replicas import Models

PATHS = ("/v1/completions", "/v1/chat/completions")


class Gateway:
    """Build it, open it, serve its app."""

    def __init__(
        self,
        models: Models,
        wake: Callable[[str, bool], Awaitable[None]],
        *,
        holding: Holding | None = None,
        is_synced: Callable[[], bool] = lambda: True,
        metrics: Metrics | None = None,
    ) -> None:
        self.models = models
        self.metrics = metrics or Metrics()
        self.forwarder = Forwarder(models, holding or Holding(), wake, self.metrics)
        self.leaves = False
        """Unready: others should ask elsewhere from now on."""
        self.drains = False
        """New requests are refused."""
        self.under_way = 0
        self._is_synced = is_synced

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        for path in PATHS:
            app.router.add_post(path, self._forward)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.cleanup_ctx.append(self._client)
        return app

    async def _client(self, _app: web.Application):  # type: ignore[no-untyped-def]  # aiohttp's own shape
        await self.forwarder.open()
        yield
        await self.forwarder.close()

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        if self.drains:
            refused = Refused(503, "Draining", "this gateway is about to leave; send the request again", 1)
            return web.json_response(refused.body, status=503, headers={**refused.headers, "Connection": "close"})
        self.under_way += 1
        try:
            answer = await self.forwarder.handle(request)
        finally:
            self.under_way -= 1
        self.metrics.requests.labels(f"{answer.status // 100}xx").inc()
        return answer

    async def _models(self, _request: web.Request) -> web.Response:
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": self.models.by_name[name].service}
            for name in self.models.names()
        ]
        return web.json_response({"object": "list", "data": data})

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        if self.leaves or self.drains or not self._is_synced():
            return web.Response(
                text="draining\n" if self.leaves or self.drains else "the services have not been listed yet\n",
                status=503,
            )
        return web.Response(text="ok\n")

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self.metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
