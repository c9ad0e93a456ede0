from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from berth_operator.weights import parts
from berth_operator.weights.s3 import make_client

from .faulty_proxy import Proxy
from .fetching import PIECE, Bucket, make_folder


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(parts, "PIECE", PIECE)


@pytest.fixture
def bucket(moto_address: str, tmp_path: Path, credentials: None) -> Iterator[Bucket]:
    """A bucket with a model in it, which is `tmp_path/model`."""
    direct = make_client(f"http://{moto_address}")
    name = f"b-{uuid.uuid4().hex[:12]}"
    direct.create_bucket(Bucket=name)
    with Proxy(moto_address) as proxy:
        made = Bucket(name, direct, proxy, tmp_path)
        made.push(make_folder(tmp_path / "model"))
        yield made
