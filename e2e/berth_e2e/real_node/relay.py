"""Carries TCP from the bridge's address to the API server, which listens on loopback only.

python -m berth_e2e.real_node.relay 10.250.0.1 24680
"""

from __future__ import annotations

import asyncio
import sys

CHUNK = 1 << 16


async def relay(host: str, port: int) -> None:
    """Serves until cancelled."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.close()  # the API server is away: the kubelet sees a closed connection, as it would without the relay
            return
        await asyncio.gather(_copy(reader, forth), _copy(back, writer))

    server = await asyncio.start_server(serve, host, port)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # one end broke off: the other learns it by the close below
    finally:
        writer.close()


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], int(sys.argv[2])))
