"""A gateway for tests, as a local process."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from berth_e2e.berth_processes import answers
from berth_e2e.waiting import wait_for


@contextmanager
def gateway(kubeconfig: str | Path, folder: Path, *flags: str) -> Iterator[str]:
    """Its URL, once it is ready. Its log is `gateway.log` in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "berth_cli.main", "gateway", "--kubeconfig", str(kubeconfig), "--port", str(port)]
    log = folder / "gateway.log"
    with log.open("w") as written:
        process = subprocess.Popen([*command, "--drain-seconds", "0", *flags], stderr=written)
    try:
        wait_for("the gateway", lambda: answers(port), 60.0, seen=log.read_text)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()
