"""A small HTTP proxy before a real server, which does to an answer what the test says: late, cut, changed, refused."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHUNK = 16 << 10


@dataclass(frozen=True)
class Fault:
    status: int | None = None
    """Answered instead, with `code` as S3 words it."""
    code: str = "Injected"
    cut: int | None = None
    """Bytes of the body after which the connection ends."""
    flip: bool = False
    """The body's first byte is another one."""
    pace: float = 0.0
    """Seconds for each 16 KiB."""


Behaviour = Callable[[str, str | None], Fault | None]
"""From a path and a Range to what goes wrong."""


@dataclass
class Proxy:
    upstream: str
    behave: Behaviour = lambda path, asked: None
    on_bytes: Callable[[int], None] = lambda total: None
    """Told the number of body bytes of models' files sent so far."""
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    port: int = 0
    _server: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, name: str) -> list[str | None]:
        """Ranges asked of files whose path ends so."""
        return [asked for path, asked in self.requests if path.endswith(name)]

    def __enter__(self) -> Proxy:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                proxy.pass_on(self)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass  # clients are killed here all the time

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        path, asked = handler.path.partition("?")[0], handler.headers.get("Range")
        with self._lock:
            self.requests.append((path, asked))
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = self.behave(path, asked) or Fault()
        if fault.status is not None:
            text = f"<Error><Code>{fault.code}</Code><Message>injected</Message></Error>".encode()
            handler.send_response(fault.status)
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)
            return
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        connection.request(handler.command, handler.path, body=body, headers=dict(handler.headers.items()))
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server", "content-length"):
                handler.send_header(name, value)
        length = answer.getheader("Content-Length") if handler.command == "HEAD" else str(len(data))
        handler.send_header("Content-Length", length or "0")
        handler.end_headers()
        if fault.flip and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        self._send(handler, data if fault.cut is None else data[: fault.cut], fault, asked is not None)
        if fault.cut is not None:
            handler.close_connection = True

    def _send(self, handler: BaseHTTPRequestHandler, data: bytes, fault: Fault, counted: bool) -> None:
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            handler.wfile.write(chunk)
            if counted:
                with self._lock:
                    self.sent += len(chunk)
                    self.on_bytes(self.sent)
            if fault.pace:
                time.sleep(fault.pace)
