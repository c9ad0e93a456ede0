"""Answers as they come: a mailbox between the engine's thread and asyncio, and server-sent events out of it.

The engine drops an event and goes on; it never waits for a reader. What a slow reader has not taken yet waits in PIECES
pieces of news at most, later ones joined to the last; so a mailbox never holds more than the request's own output (bounded by
max_tokens), and the request still ends and frees its cache in time. A client that has gone is noticed by the HTTP server; the
request is cancelled then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Callable

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from berth_engine.answers import Answer, News
from berth_engine.engine import Event
from berth_engine.handover import hand_over
from berth_engine.request import Finish

PIECES = 256  # of news that wait for a reader, each a chunk of its own
DONE = b"data: [DONE]\n\n"


class Mailbox:
    """The news of one request. `put` is for the engine's thread, `take` for the loop's."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news: deque[News] = deque()
        self._some = asyncio.Event()

    def put(self, event: Event) -> None:
        counts = event.prompt_tokens, event.output_tokens, event.cached_tokens
        if not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # it closed in between: nobody reads any more
                self._loop.call_soon_threadsafe(self._join, event, counts)

    async def take(self) -> News:
        """What is new; waits until something is."""
        while not self._news:
            self._some.clear()
            await self._some.wait()
        return self._news.popleft()

    async def all(self) -> News:
        """Everything, when it has ended."""
        everything = await self.take()
        while everything.finish is None:
            everything.join(await self.take())
        return everything

    def _join(self, event: Event, counts: tuple[int, int, int]) -> None:
        news = News(event.text, list(event.tokens), event.finish, event.error, *counts)
        request = event.request
        if event.finish is Finish.DRAINING and request.sampling.logprobs is None:
            news.resume = hand_over(request.prompt, request.output)
        if len(self._news) < PIECES:
            self._news.append(news)
        else:
            self._news[-1].join(news)
        self._some.set()


class EventStream(StreamingResponse):
    """A streamed answer; `leave` is called when it is over, however it ended."""

    def __init__(
        self, mailbox: Mailbox, answer: Answer, include_usage: bool, leave: Callable[[], None], stall: float,
        on_stall: Callable[[], None],
    ) -> None:  # fmt: skip
        """`stall`: seconds that one piece may take to find room in the reader's buffers; then it is over, and told."""
        super().__init__(
            events(mailbox, answer, include_usage), media_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )  # fmt: skip
        self._leave, self._stall, self._on_stall = leave, stall, on_stall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stalled = False

        async def send_in_time(message: Message) -> None:
            nonlocal stalled
            try:
                async with asyncio.timeout(self._stall):
                    await send(message)
            except TimeoutError:
                stalled = True
                raise

        try:
            await super().__call__(scope, receive, send_in_time)
        except Exception:  # as which one it arrives here is starlette's affair
            if not stalled:
                raise
            self._on_stall()
        finally:
            self._leave()


async def events(mailbox: Mailbox, answer: Answer, include_usage: bool) -> AsyncIterator[bytes]:
    """The chunks, then usage if wanted, then [DONE]; or, after what there was, an error event and nothing more."""
    opening = answer.opening()
    if opening is not None:
        yield _event(opening)
    while True:
        news = await mailbox.take()
        failure = news.failure()
        if failure is None or news.text or news.tokens:
            yield _event(answer.chunk(news))
        if failure is not None:
            yield failure.event()
            return
        if news.finish is not None:
            break
    if include_usage:
        yield _event(answer.usage(news))
    yield DONE


def _event(body: dict[str, object]) -> bytes:
    # in ASCII: some clients part lines at U+2028 and its like
    return b"data: " + json.dumps(body).encode() + b"\n\n"
