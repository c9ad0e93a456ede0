"""A real HTTP server that speaks chat completions as it is told to: well, late, too much, or wrongly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Handler = Callable[[web.Request, Json], Awaitable[web.StreamResponse]]


class ModelServer:
    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Json] = []
        """Bodies of questions, in order."""
        self.headers: list[dict[str, str]] = []
        self.sent = 0
        """Bytes of endless answers that went out."""
        self.handler: Handler = says({"preferences": [], "unparsed": []})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        question = json.loads(await request.read())
        self.asked.append(question)
        self.headers.append(dict(request.headers))
        return await self.handler(request, question)

    async def endless(self, request: web.Request, question: Json) -> web.StreamResponse:
        """A body of a gigabyte."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        chunk = b" " * 65_536
        for _ in range(16_384):
            await response.write(chunk)
            self.sent += len(chunk)
        return response


def completion(content: object, **choice: object) -> Json:
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    return {
        "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop", **choice}],
        "usage": {"prompt_tokens": 1_200, "completion_tokens": 60},
    }


def says(content: object, **choice: object) -> Handler:
    return answers(200, completion(content, **choice))


def answers(status: int, body: object = None, headers: dict[str, str] | None = None) -> Handler:
    async def handler(request: web.Request, question: Json) -> web.StreamResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return web.Response(status=status, body=raw, headers=headers)

    return handler


def late(seconds: float) -> Handler:
    async def handler(request: web.Request, question: Json) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return web.json_response(completion({"preferences": [], "unparsed": []}))

    return handler


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    server = ModelServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server._answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield server
    finally:
        await runner.cleanup()


def wish(intent: str, text: str, **fields: object) -> Json:
    """As a model writes it."""
    empty: Json = {"values": [], "amount": None, "rank": None, "scope": None, "strength": 1.0}
    return {"intent": intent, **empty, "text": text, **fields}


def wishes(*preferences: Json) -> Json:
    return {"preferences": list(preferences), "unparsed": []}
