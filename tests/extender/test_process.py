"""`berth extender` as a process, against a server that lists and watches an empty cluster."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from .serving import pod, request

START_SECONDS = 30.0


class EmptyCluster(ThreadingHTTPServer):
    """Answers every list with one node where nodes are asked for, keeps watches open, takes Leases."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leases: set[str] = set()
        self.has_lease = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: EmptyCluster

    def do_GET(self) -> None:
        if "watch=" in self.path:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            time.sleep(60)
            return
        path = self.path.partition("?")[0]
        items = [NODE] if path.endswith("/nodes") else []
        self._say({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items})

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.leases.add(self.path.partition("?")[0].rsplit("/", 1)[1])
        self.server.has_lease.set()
        self._say({})

    def do_DELETE(self) -> None:
        self.server.leases.discard(self.path.rsplit("/", 1)[1])
        self._say({})

    def _say(self, what: Any) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base's own word)
        pass


NODE = {
    "metadata": {"name": "n1", "uid": "n1"},
    "status": {"allocatable": {"cpu": "8", "pods": "110"}, "conditions": [{"type": "Ready", "status": "True"}]},
}


class Process:
    """The running command."""

    def __init__(self, api: EmptyCluster, folder: Path) -> None:
        self.api = api
        self.port, self.metrics_port = _free_port(), _free_port()
        config = folder / "kubeconfig"
        named = {"name": "test"}
        server = {"server": f"http://127.0.0.1:{api.server_address[1]}"}
        config.write_text(
            yaml.safe_dump(
                {
                    "clusters": [named | {"cluster": server}],
                    "users": [named | {"user": {}}],
                    "contexts": [named | {"context": {"cluster": "test", "user": "test"}}],
                    "current-context": "test",
                }
            )
        )
        command = [sys.executable, "-m", "berth_cli.main", "extender", "--kubeconfig", str(config)]
        command += ["--port", str(self.port), "--metrics-port", str(self.metrics_port), "--identity", "it"]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(command, stdout=log, stderr=log)

    def wait_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while self.status("/readyz") != 200:
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def status(self, path: str) -> int | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.metrics_port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return None
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPConnection:
        """A kept connection that has been answered once."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", "/filter", QUESTION, {"Content-Type": "application/json"})
        assert json.loads(connection.getresponse().read())["NodeNames"] == ["n1", "n2"]
        return connection


QUESTION = json.dumps(request(pod("a"), "n1", "n2"))


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    api = EmptyCluster()
    threading.Thread(target=api.serve_forever, daemon=True).start()
    running = Process(api, tmp_path)
    try:
        running.wait_ready()
        yield running
    finally:
        running.popen.kill()
        running.popen.wait()
        api.shutdown()
        api.server_close()


def test_its_life(process: Process) -> None:
    """Ready, asked, hung up on, told to end."""
    process.connect().close()
    assert process.api.has_lease.wait(5)
    assert process.api.leases == {"berth-extender-it"}
    assert process.status("/metrics") == 200

    # callers that give up while it hangs, as kube-scheduler does after a second: their answers go nowhere
    callers = [process.connect() for _ in range(5)]
    os.kill(process.popen.pid, signal.SIGSTOP)
    for caller in callers:
        caller.request("POST", "/filter", QUESTION, {"Content-Type": "application/json"})
        caller.close()
    os.kill(process.popen.pid, signal.SIGCONT)
    process.connect().close()

    process.popen.terminate()
    assert process.popen.wait(timeout=5) == 0, process.log.read_text()
    assert process.api.leases == set()


def test_a_port_that_is_taken_or_given_twice_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for flags in (["--port", str(port)], ["--port", "0", "--metrics-port", str(port)]):
            said = _refused(*flags)
            assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "both 9555" in _refused("--port", "9555", "--metrics-port", "9555")
    assert "both 9555" in _refused("--port", "9555", "--metrics-host", "0.0.0.0", "--metrics-port", "9555")


def _refused(*flags: str) -> str:
    """What is said at the end."""
    command = [sys.executable, "-m", "berth_cli.main", "extender", *flags]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    assert ended.returncode == 2, ended.stderr
    return ended.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
