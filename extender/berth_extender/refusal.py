"""The answer to a request that is not what kube-scheduler sends: a 4xx with a reason code and a sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from berth_api.reasons import Reason

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


class _Body(msgspec.Struct, frozen=True):
    reason: str
    message: str


def refusal_body(reason: Reason, message: str) -> bytes:
    return msgspec.json.encode(_Body(reason, message))


class Refusal(Exception):  # noqa: N818 (it is an answer, and named as one)
    """Ends a request with `status` and {"reason", "message"}; `close`: the rest of the body is not worth reading."""

    def __init__(
        self,
        status: int,
        reason: Reason,
        message: str,
        *,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.headers = headers
        self.close = close

    async def send(self, send: Send) -> None:
        body = refusal_body(self.reason, self.message)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            *self.headers,
            *(((b"connection", b"close"),) if self.close else ()),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
