"""An S3 server over a folder, versitygw, on one address; a model can be pushed to it, and pods are given a Secret for it."""

from __future__ import annotations

import base64
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth_e2e import tools
from berth_e2e.waiting import wait_for

START_SECONDS = 20.0
PUSH_SECONDS = 60.0
BUCKET = "models"


@dataclass(frozen=True)
class Bucket:
    url: str
    environment: Mapping[str, str]
    """By which S3's clients find it and are let in."""

    def push(self, folder: Path, name: str) -> str:
        """By our own command line, to s3://models/NAME; returns the digest."""
        push = [sys.executable, "-m", "berth_cli.main", "model", "push", str(folder), f"s3://{BUCKET}/{name}"]
        told = subprocess.run(
            push,
            check=True,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=PUSH_SECONDS,
        ).stdout
        return next(word for word in told.split() if word.startswith("sha256:"))

    def secret(self, name: str, namespace: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in self.environment.items()},
        }


@contextmanager
def bucket(folder: Path, address: str = "127.0.0.1", *, secret: str = "secret-of-the-bucket") -> Iterator[Bucket]:
    """`address`: loopback, or a bridge of the cluster's own. Its files and its log lie in the folder."""
    binary = tools.built_alone(tools.VERSITYGW) / "versitygw"
    with socket.create_server((address, 0)) as free:
        port = free.getsockname()[1]
    files = folder / "s3"
    (files / BUCKET).mkdir(parents=True)  # a folder at the top is a bucket
    environment = {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": f"http://{address}:{port}",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    root = {"ROOT_ACCESS_KEY": "somebody", "ROOT_SECRET_KEY": secret}
    log = folder / "s3.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [binary, "--port", f"{address}:{port}", "posix", str(files)],
            env={**os.environ, **root},
            stdout=written,
            stderr=written,
        )

    def answers() -> bool:
        assert server.poll() is None, log.read_text()[-2_000:]
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            return False
        return True

    try:
        wait_for("the S3 server", answers, START_SECONDS, seen=lambda: log.read_text()[-2_000:])
        yield Bucket(environment["AWS_ENDPOINT_URL"], environment)
    finally:
        server.terminate()
        server.wait(START_SECONDS)
