"""Every client of ours before real servers whose certificates are wrong: it sends nothing, and says what to do. A private authority works."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from berth_cluster.connection import ApiError, Connection
from berth_intent.backends.api_key import ApiKey
from berth_intent.backends.backend import BackendError
from berth_intent.backends.openai_compatible import OpenAICompatibleBackend
from berth_intent.vocabulary import NOTHING_KNOWN

from .authority import WRONG, Authority, Server, serving, wrong

SECRET = "key-that-must-not-arrive"

Client = Callable[[Server, Path, Path, pytest.MonkeyPatch], str]
"""By server, file of trusted authorities and folder; what it says when it fails."""


def fetch(*args: str, env: dict[str, str]) -> str:
    command = [sys.executable, "-m", "berth_operator.weights.main", *args, "--tries", "1"]
    given = {"PATH": "", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    run = subprocess.run(command, env={**given, **env}, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1, run.stderr
    assert SECRET not in run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


def fetch_https(server: Server, trusted: Path, folder: Path, _: pytest.MonkeyPatch) -> str:
    url = f"{server.url}/berth-model.json?X-Amz-Signature={SECRET}"
    return fetch(url, "--cache", str(folder / "c"), "--ca-bundle", str(trusted), env={})


def fetch_s3(server: Server, trusted: Path, folder: Path, _: pytest.MonkeyPatch) -> str:
    options = ("--endpoint-url", server.url, "--ca-bundle", str(trusted))
    return fetch("s3://bucket/m", "--cache", str(folder / "c"), *options, env={})


def fetch_s3_by_environment(server: Server, trusted: Path, folder: Path, _: pytest.MonkeyPatch) -> str:
    """As a credentialsSecretRef gives it: AWS's own names."""
    env = {"AWS_CA_BUNDLE": str(trusted), "AWS_ENDPOINT_URL": server.url}
    return fetch("s3://bucket/m", "--cache", str(folder / "c"), env=env)


def fetch_hub(server: Server, trusted: Path, folder: Path, _: pytest.MonkeyPatch) -> str:
    options = ("--endpoint-url", server.url, "--ca-bundle", str(trusted))
    return fetch("hf://org/name", "--cache", str(folder / "c"), *options, env={"HF_TOKEN": SECRET})


def hint_model(server: Server, trusted: Path, folder: Path, patch: pytest.MonkeyPatch) -> str:
    patch.setenv("SSL_CERT_FILE", str(trusted))
    (folder / "key").write_text(SECRET)

    async def ask() -> str:
        backend = OpenAICompatibleBackend.open(f"{server.url}/v1", "m", ApiKey(folder / "key"))
        try:
            with pytest.raises(BackendError) as raised:
                await backend.ask("near kafka", NOTHING_KNOWN, 10.0)
        finally:
            await backend.close()
        return str(raised.value)

    return asyncio.run(ask())


def kubernetes(server: Server, trusted: Path, folder: Path, _: pytest.MonkeyPatch) -> str:
    """Of the extender, the operator and the gateway alike."""
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server.url, "certificate-authority": str(trusted)}}],
        "users": [{"name": "u", "user": {"token": SECRET}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))

    async def ask() -> str:
        connection = await Connection.open(file)
        try:
            with pytest.raises(ApiError) as raised:
                await connection.request("GET", "/api/v1/pods")
        finally:
            await connection.close()
        return str(raised.value)

    return asyncio.run(ask())


CLIENTS: dict[str, Client] = {
    "fetch https": fetch_https,
    "fetch s3": fetch_s3,
    "fetch s3 by environment": fetch_s3_by_environment,
    "fetch hf": fetch_hub,
    "hint model": hint_model,
    "kubernetes": kubernetes,
}


@pytest.fixture(params=CLIENTS.values(), ids=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    found: Client = request.param
    return found


@pytest.mark.parametrize("kind", WRONG)
def test_nothing_is_sent_and_the_certificate_is_named(
    kind: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = Authority(tmp_path, "trusted")
    with serving(wrong(kind, trusted, tmp_path)) as server:
        said = client(server, trusted.file, tmp_path, monkeypatch)
    assert server.asked == []
    assert "certificate" in said.lower() or (kind == "none at all" and "ssl" in said.lower())


def test_a_private_authority_works_where_it_is_named(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = Authority(tmp_path, "trusted")
    with serving(trusted.issue(tmp_path)) as server:
        said = client(server, trusted.file, tmp_path, monkeypatch)
    assert server.asked, said
    assert "certificate" not in said.lower()
