"""Secrets that Berth is given are used, and stand nowhere; and what a language model costs is shared out between tenants.

The secrets are canaries: every cluster of the run is searched for them when it is taken down (conftest). Here they are planted.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.canary import CANARIES, leaks
from berth_e2e.cluster import Cluster
from berth_e2e.objects import namespace, node, pod
from berth_e2e.waiting import wait_for

KEY = CANARIES["the hint model's key"]
DAILY_CALLS = 12
HINTS = {"mallory": 40, "alice": 3}


class Model(ThreadingHTTPServer):
    """A real HTTP server in a language model's place: wants the key, and quotes it in its errors as some proxies do."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: Counter[str] = Counter()
        self.refuse = 1
        super().__init__(("127.0.0.1", 0), _Answers)


class _Answers(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        question = self.rfile.read(int(self.headers["Content-Length"])).decode()
        key = self.headers.get("Authorization", "")
        self.server.keys[key] += 1
        if self.server.refuse > 0:
            self.server.refuse -= 1
            self._say(500, {"error": {"message": f"backend failed for {key}"}})
            return
        self.server.asked.append(question)
        content = json.dumps({"preferences": [], "unparsed": []})
        choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        self._say(200, {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 10}})

    def _say(self, status: int, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def asking(binaries: Path, model: Model, tmp_path: Path) -> Iterator[Cluster]:
    key = tmp_path / "key"
    key.write_text(f"{KEY}\n")
    flags = (
        *("--hint-backend", "openai", "--hint-model", "m", "--hint-api-key-file", str(key)),
        *("--hint-base-url", f"http://127.0.0.1:{model.server_port}/v1", "--hint-daily-calls", str(DAILY_CALLS)),
        *("--log-level", "debug"),
    )
    env = {"HF_TOKEN": CANARIES["the Hugging Face token"]}
    with Cluster.start(f"e2e-{os.getpid()}-secrets", berth=Berth(pairs=1, operator_flags=flags, env=env)) as cluster:
        cluster.create(node("node-0", gpus=8))
        wait_for("a node", lambda: cluster.ready_nodes() == ["node-0"] and cluster.served_nodes() == {"node-0"})
        yield cluster


def _service(name: str, uri: str, **model: Any) -> dict[str, Any]:
    spec = {"model": {"uri": uri, "credentialsSecretRef": {"name": "weights"}, **model}, "resources": {"gpus": 0}}
    metadata = {"name": name, "namespace": "alice"}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec}


@pytest.mark.slow
def test_secrets_are_used_and_stand_nowhere_and_one_tenant_cannot_spend_the_budget(
    asking: Cluster, model: Model
) -> None:
    for name in HINTS:
        asking.create(namespace(name))
    given = {"AWS_SECRET_ACCESS_KEY": CANARIES["the S3 key"], "HF_TOKEN": CANARIES["the Hugging Face token"]}
    metadata = {"name": "weights", "namespace": "alice"}
    asking.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": given})
    asking.create(_service("bucket", "s3://models/m"), _service("hub", "hf://org/name"))
    languages = {"hints": {"languageModel": {"namespaces": list(HINTS)}}}
    policy = {"apiVersion": "berth.dev/v1alpha1", "kind": "PackingPolicy", "metadata": {"name": "p"}, "spec": languages}
    asking.create(policy)
    for name, count in HINTS.items():
        for i in range(count):
            text = f"snuggle up to the {name}{i:02} thing please, if the moon allows"
            body = pod(
                f"{name}-{i}", namespace=name, annotations={"berth.dev/allocation-hint": text}, scheduler="berth"
            )
            asking.create(body)

    def asked(name: str) -> int:
        return sum(name in question for question in model.asked)

    def told() -> object:
        return Counter(n for n in HINTS for q in model.asked if n in q), asking.processes["operator-0"].log_tail()

    wait_for("alice's questions", lambda: asked("alice") >= HINTS["alice"] - 1, 60.0, seen=told)
    wait_for("mallory's share", lambda: asked("mallory") >= 1, 30.0, seen=told)
    of_services = {"labelSelector": "berth.dev/llm-service"}
    wait_for("services' pods", lambda: len(asking.api.items("/api/v1/namespaces/alice/pods", **of_services)) == 2, 30.0)
    assert set(model.keys) == {f"Bearer {KEY}"}, "it was used"
    assert sum(model.keys.values()) <= DAILY_CALLS
    assert asked("mallory") <= DAILY_CALLS // 2
    _fetch_by_a_signed_url(asking)
    assert leaks(asking) == []


def _fetch_by_a_signed_url(cluster: Cluster) -> None:
    """From nobody: its words about that go to a log that is searched, and its argument is gone with it."""
    url = f"https://127.0.0.1:1/berth-model.json?X-Amz-Signature={CANARIES['a signature of a URL']}"
    command = [sys.executable, "-m", "berth_operator.weights.main", url, "--tries", "1"]
    with (cluster.state.folder / "logs" / "berth-fetch.log").open("w") as log:
        run = subprocess.run(
            [*command, "--cache", str(cluster.state.folder / "cache")], stdout=log, stderr=log, timeout=60, check=False
        )
    assert run.returncode == 1
    assert "127.0.0.1:1" in (cluster.state.folder / "logs" / "berth-fetch.log").read_text()


def test_what_looks_for_secrets_finds_them(cluster: Cluster) -> None:
    """In an object, in base64, in a log: each is found, and taken away again before the run's own look."""
    secret = CANARIES["the S3 key"]
    metadata = {"name": "leak", "namespace": "default"}
    path = "/api/v1/namespaces/default/configmaps/leak"
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": f"key={secret}"}})
    assert leaks(cluster) == ["the S3 key stands in an object of configmaps"]
    for lead in ("", "a", "ab"):
        encoded = base64.b64encode(f"{lead}{secret}:more".encode()).decode()
        cluster.api.merge(path, {"data": {"a": encoded}})
        assert leaks(cluster) == ["the S3 key stands in an object of configmaps"], lead
    cluster.api.delete(path)
    log = cluster.state.folder / "logs" / "leak.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(f"Authorization: {secret}")
    assert leaks(cluster) == ["the S3 key stands in logs/leak.log"]
    log.unlink()
    assert leaks(cluster) == []
