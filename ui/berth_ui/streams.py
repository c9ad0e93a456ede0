"""`/api/v1/changes`: server-sent events, each a `Change`.

The first event has everything in its overview and says which revision that is. Whoever comes back with `Last-Event-ID` gets what came
since, if that is still known; else an event whose `since` is not theirs, which tells to load the harbour anew. Nothing is queued for a
reader: it is sent what has come since its last event as fast as it reads. Rights are looked up again now and then, and a stream whose
caller lost some ends.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
from fastapi import Request, Response
from starlette.responses import StreamingResponse

from berth_api.reasons import Reason
from berth_ui.answers import Answers
from berth_ui.callers import Caller, RefusedError
from berth_ui.feed import Feed
from berth_ui.wire import Problem

MAX_STREAMS = 200
MAX_OF_ONE = 20
"""Of one caller."""
ALIVE_SECONDS = 15.0
"""A comment when nothing else came, so that whoever is between does not take it for dead."""
LOOK_AGAIN_SECONDS = 30.0
RETRY_MILLISECONDS = 2_000

_encode = msgspec.json.Encoder().encode


class Streams:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._open: Counter[str] = Counter()
        self._clock = clock

    def open(
        self,
        request: Request,
        caller: Caller,
        again: Callable[[], Awaitable[Caller]],
        feed: Feed,
        answers: Answers,
    ) -> Response:
        """again: who asks, as the API server says by then."""
        if self._open.total() >= MAX_STREAMS or self._open[caller.name] >= MAX_OF_ONE:
            told = Problem(reason=Reason.BUSY, message="too many pages are open; ask again in some seconds")
            return Response(_encode(told), 429, {"Retry-After": "10"}, "application/json")
        events = self._events(caller, again, feed, answers, _revision(request.headers.get("Last-Event-ID", "")))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _events(
        self,
        caller: Caller,
        again: Callable[[], Awaitable[Caller]],
        feed: Feed,
        answers: Answers,
        revision: int | None,
    ) -> AsyncIterator[bytes]:
        self._open[caller.name] += 1
        looked = self._clock()
        try:
            yield b"retry: %d\n\n" % RETRY_MILLISECONDS
            change = answers.change(caller, revision)
            yield _event(change.revision, change)
            while True:
                revision = change.revision
                came = await feed.wait(revision, ALIVE_SECONDS)
                if self._clock() - looked > LOOK_AGAIN_SECONDS:
                    looked = self._clock()
                    try:
                        now = await again()
                    except RefusedError:
                        return
                    if now.rights != caller.rights:
                        return
                if came:
                    change = answers.change(caller, revision)
                    yield _event(change.revision, change)
                else:
                    yield b": alive\n\n"
        finally:
            self._open[caller.name] -= 1
            self._open = +self._open


def _event(revision: int, change: object) -> bytes:
    return b"id: %d\nevent: change\ndata: %s\n\n" % (revision, _encode(change))


def _revision(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else None
