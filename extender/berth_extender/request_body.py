"""Takes the body of a POST off the wire, as far as it is JSON, short enough and on time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from berth_api.reasons import Reason
from berth_extender.refusal import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_POST_ONLY = ((b"allow", b"POST"),)


class Gone(Exception):  # noqa: N818 (an event, not a fault)
    """The caller has hung up; nobody waits for an answer."""


def check_head(scope: Scope, max_body: int) -> None:
    """Method, media type and announced length. Raises Refusal."""
    if scope["method"] != "POST":
        message = f"{scope['path']} takes POST, not {scope['method']}"
        raise Refusal(405, Reason.METHOD_NOT_ALLOWED, message, headers=_POST_ONLY, close=True)
    for name, value in scope["headers"]:
        if name == b"content-type":
            if value.partition(b";")[0].strip().lower() != b"application/json":
                message = f"the body must be application/json, not {value[:80].decode('latin-1')}"
                raise Refusal(415, Reason.UNSUPPORTED_MEDIA_TYPE, message, close=True)
        elif name == b"content-length" and int(value) > max_body:
            raise _too_large(max_body)


async def read_body(receive: Receive, max_body: int, seconds: float) -> bytes:
    """The whole body. Raises Refusal when it is too long or too slow, Gone when the caller has left."""
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part: bytes = message.get("body", b"")
                length += len(part)
                if length > max_body:
                    raise _too_large(max_body)
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        late = f"the body was not here after {seconds:g} s"
        raise Refusal(408, Reason.BODY_TIMEOUT, late, close=True) from None


def _too_large(max_body: int) -> Refusal:
    message = f"the body is longer than {max_body} bytes; set nodeCacheCapable: true, so that only names are sent"
    return Refusal(413, Reason.TOO_LARGE, message, close=True)
