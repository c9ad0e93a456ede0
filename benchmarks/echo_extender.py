"""The least an extender can do on this stack: decode the names, answer them. What `extender_latency` measures against.

python -m benchmarks.echo_extender 9600
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import uvloop

from berth_extender.server import Server, take_port

Message = MutableMapping[str, Any]
_JSON = (b"content-type", b"application/json")


class Args(msgspec.Struct, rename="pascal"):
    pod: msgspec.Raw = msgspec.Raw(b"null")
    node_names: list[str] = []


class FilterResult(msgspec.Struct, rename="pascal"):
    node_names: list[str]


class HostPriority(msgspec.Struct, rename="pascal"):
    host: str
    score: int = 0


_decode = msgspec.json.Decoder(Args).decode
_encode = msgspec.json.Encoder().encode


async def echo(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Every node passes filter; prioritize scores all of them 0."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    names = _decode(b"".join(parts)).node_names
    answer = _encode(FilterResult(names) if scope["path"] == "/filter" else [HostPriority(name) for name in names])
    headers = [_JSON, (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def serve(port: int) -> None:
    with take_port("127.0.0.1", port) as listening:
        await Server(echo, listening).run_until(asyncio.Event())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
