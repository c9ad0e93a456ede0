"""Weights on real nodes: pushed to an S3 server, fetched and verified by the init container, served by the engine. Slow."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from berth_e2e.berth_processes import Berth
from berth_e2e.canary import CANARIES
from berth_e2e.cluster import Cluster
from berth_e2e.real_node.fetch_image import FETCH_IMAGE, built_fetch_image
from berth_e2e.state import ROOT
from berth_e2e.tiny_service import PACKAGES, SECONDS, SERVICES, ask, condition, serving_pods, tiny, wait_until

CANARY = CANARIES["the S3 key"]
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": CANARY, "AWS_EC2_METADATA_DISABLED": "true"}
SAVE = """
import sys
from berth_engine.models import load
loaded = load("tiny-mixtral", device="cpu")
loaded.model.save_pretrained(sys.argv[1])
loaded.tokenizer.save_pretrained(sys.argv[1])
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
    pytest.mark.skipif(PACKAGES is None, reason="the engine's environment is missing: make engine"),
]


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    berth = Berth(pairs=1, operator_flags=("--fetch-image", FETCH_IMAGE))
    with Cluster.start(f"serving-weights-{os.getpid()}", real=1, berth=berth) as cluster:
        for node in cluster.real.values():
            node.import_image(built_fetch_image())
        yield cluster


@pytest.fixture(scope="module")
def endpoint(standing: Cluster) -> Iterator[str]:
    """An S3 server on the nodes' bridge, where nobody else comes."""
    server = ThreadedMotoServer(ip_address=standing.real["real-1"].network.host, port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def digest(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the model at s3://models/tiny."""
    folder = tmp_path_factory.mktemp("model")
    engine = ROOT / ".venv-engine" / "bin" / "python"
    subprocess.run([str(engine), "-c", SAVE, str(folder)], check=True, capture_output=True, timeout=120)
    env = {**os.environ, **CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
    make = "import boto3; boto3.client('s3').create_bucket(Bucket='models')"
    subprocess.run([sys.executable, "-c", make], check=True, env=env, timeout=60)
    push = [sys.executable, "-m", "berth_cli.main", "model", "push", str(folder), "s3://models/tiny"]
    told = subprocess.run(push, check=True, env=env, capture_output=True, text=True, timeout=60).stdout
    return next(word for word in told.split() if word.startswith("sha256:"))


@pytest.fixture(scope="module")
def secret(standing: Cluster, endpoint: str) -> None:
    values = {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
    standing.create({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bucket", "namespace": "default"},
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in values.items()},
    })  # fmt: skip


@pytest.fixture
def real(standing: Cluster, secret: None) -> Cluster:
    standing.clear(nodes=False)
    return standing


def fetched(uri: str = "s3://models/tiny", digest: str | None = None, **spec: Any) -> dict[str, Any]:
    """The tiny service with its weights from S3."""
    model = {"uri": uri, "name": "tiny", "credentialsSecretRef": {"name": "bucket"}}
    return tiny(model=model | ({"digest": digest} if digest else {}), **spec)


def test_weights_from_a_bucket_are_verified_and_served(real: Cluster, digest: str) -> None:
    real.create(fetched())
    wait_until(real, "ready", lambda: condition(real)[0] == "True")
    assert condition(real, "ModelResolved") == ("True", "Verified", digest)
    status = real.api.get(f"{SERVICES}/tiny")["status"]
    assert status["model"]["digest"] == digest
    (address,) = serving_pods(real).values()
    text = ask(address, temperature=0)["choices"][0]["text"]
    real.api.merge(f"{SERVICES}/tiny", {"spec": {"model": {"digest": digest}}})  # as the docs advise
    wait_until(
        real, "pinned", lambda: condition(real)[0] == "True" and condition(real, "Progressing")[1] == "Done"
        and serving_pods(real) != {} and address not in serving_pods(real).values(),
    )  # fmt: skip
    (address,) = serving_pods(real).values()
    assert ask(address, temperature=0)["choices"][0]["text"] == text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"digest": "sha256:" + "0" * 64}, "DigestMismatch"),
        ({"uri": "s3://models/nothing"}, "ManifestMissing"),
        ({"uri": "s3://no-such-bucket/tiny"}, "ModelNotFound"),
    ],
)
def test_weights_that_are_not_what_was_asked_for_are_never_served(
    real: Cluster, digest: str, change: dict[str, str], reason: str
) -> None:
    real.create(fetched(**change))
    wait_until(real, reason, lambda: condition(real)[1] == reason)
    assert condition(real, "ModelResolved")[:2] == ("False", reason)
    assert condition(real)[0] == "False"
    failure = real.api.get(f"{SERVICES}/tiny")["status"]["lastFailure"]
    assert (failure["reason"], failure["exitCode"]) == (reason, 1)


def test_the_secret_is_told_to_nobody(real: Cluster, digest: str) -> None:
    real.create(fetched())
    wait_until(real, "ready", lambda: condition(real)[0] == "True", SECONDS)
    (pod,) = serving_pods(real)
    told = [
        real.kubectl("logs", pod, "--all-containers"),
        real.kubectl("get", "llmservices,deployments,pods,events,replicasets", "-o", "yaml"),
        *(log.read_text(errors="replace") for log in (real.state.folder / "logs").glob("operator-*.log")),
    ]
    assert not [text for text in told if CANARY in text or base64.b64encode(CANARY.encode()).decode() in text]
