"""The line between Berth and the API server, to be cut: a relay on 127.0.0.1 that its processes connect through.

    with Line(cluster.state) as line:
        cluster.add_berth(Berth(through=line.port))
        line.cut()          # every connection ends at once; new ones are let through
        line.silence()      # connections stay open and nothing passes any more, nor on new ones
        line.restore()      # ends the silent ones; new ones are let through

TLS goes through untouched.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

import yaml

from berth_e2e.state import ClusterState

CHUNK = 1 << 16
START_SECONDS = 5.0
RESET = struct.pack("ii", 1, 0)
"""Linger for no time: the connection ends with RST, as when a firewall or a peer drops it."""


class Line:
    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self.port = 0
        """Where it listens, once it is entered."""

    @property
    def connections(self) -> int:
        return len(self._writers) // 2

    def __enter__(self) -> Line:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(START_SECONDS)

    def cut(self) -> None:
        self._call(self._reset_all)

    def silence(self) -> None:
        self._call(self._passing.clear)

    def restore(self) -> None:
        self._call(self._reset_all)
        self._call(self._passing.set)

    def _call(self, act: Callable[[], None]) -> None:
        async def acted() -> None:
            act()

        asyncio.run_coroutine_threadsafe(acted(), self._loop).result(START_SECONDS)

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, RESET)
            writer.transport.abort()

    def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        self._reset_all()

    async def _listen(self) -> None:
        self._passing.set()
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = self._state.ports["kube-apiserver"]
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()  # the API server is away: so is this end of the line
            return
        ends = {writer, there_writer}
        self._writers |= ends
        try:
            await asyncio.gather(self._pass_on(reader, there_writer), self._pass_on(there_reader, writer))
        finally:
            self._writers -= ends
            for end in ends:
                end.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


def kubeconfig_through(kubeconfig: Path, port: int) -> Path:
    """Writes one beside it that differs in the port alone."""
    told = yaml.safe_load(kubeconfig.read_text())
    for cluster in told["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{port}"
    made = kubeconfig.with_suffix(".through-line")
    made.write_text(yaml.safe_dump(told))
    return made
