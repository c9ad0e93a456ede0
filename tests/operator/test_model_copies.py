"""Which models lie on a node: only those that the next pod there would find."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest

from berth_api.node_models import MAX_MODELS, read, written
from berth_operator.residency.copies import Copy, FetchingPod, copy_of, models_by_node

DIGEST = "sha256:" + "ab" * 32
NAME = "ab" * 20
CLAIM = {"persistentVolumeClaim": {"claimName": "models"}}
HOST_PATH = {"hostPath": {"path": "/var/lib/berth"}}


def pod(
    cache: dict[str, Any] | None = None,
    *,
    node: str | None = "n1",
    label: str = NAME,
    phase: str = "Running",
    state: dict[str, Any] | None = None,
    said: str | None = None,
    container: str = "berth-fetch",
    fetched: str = "2026-11-23T12:00:00Z",
) -> FetchingPod:
    word = said if said is not None else json.dumps({"code": "Fetched", "digest": DIGEST, "bytes": 7, "folder": "/x"})
    ended = {"terminated": {"exitCode": 0, "message": word, "finishedAt": fetched}}
    body = {
        "metadata": {"name": "p", "namespace": "chat", "labels": {"berth.dev/model": label}},
        "spec": {"nodeName": node, "volumes": [{"name": "cache", **(CLAIM if cache is None else cache)}]},
        "status": {
            "phase": phase,
            "initContainerStatuses": [{"name": container, "state": ended if state is None else state}],
        },
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=FetchingPod)


def held(*pods: FetchingPod, on_node: bool = True) -> dict[str, Any]:
    return dict(models_by_node([c for p in pods if (c := copy_of(p)) is not None], lambda _ns, _claim: on_node))


def test_a_copy_in_a_folder_of_the_node_is_there_for_others() -> None:
    assert held(pod(CLAIM)) == {"n1": ((NAME, 7),)}
    assert held(pod(HOST_PATH), on_node=False) == {"n1": ((NAME, 7),)}


def test_a_copy_that_dies_with_its_pod_or_lies_on_the_network_is_on_no_node() -> None:
    assert held(pod({"emptyDir": {}})) == {}
    assert held(pod(CLAIM), on_node=False) == {}


def test_the_claim_is_asked_for_in_the_pods_own_namespace() -> None:
    asked: list[tuple[str, str]] = []
    found = copy_of(pod(CLAIM))
    assert found is not None
    models_by_node([found], lambda namespace, claim: bool(asked.append((namespace, claim))))
    assert asked == [("chat", "models")]


@pytest.mark.parametrize(
    "seen",
    [
        pod(node=None),
        pod(phase="Failed"),
        pod(phase="Succeeded"),
        pod(state={"running": {}}),
        pod(state={"terminated": {"exitCode": 1, "message": json.dumps({"digest": DIGEST, "bytes": 7})}}),
        pod(said=""),
        pod(said="no json"),
        pod(said='"\\ud800"'),
        pod(said=json.dumps({"digest": "sha256:short", "bytes": 7})),
        pod(said=json.dumps({"digest": DIGEST, "bytes": -7})),
        pod(said=json.dumps({"digest": DIGEST, "bytes": 2**60})),
        pod(container="somebody-else"),
    ],
)
def test_what_was_not_brought_is_not_there(seen: FetchingPod) -> None:
    assert held(seen) == {}


def test_a_model_goes_by_its_label_and_by_its_digest() -> None:
    assert held(pod(label="0" * 40)) == {"n1": (("0" * 40, 7), (NAME, 7))}


def test_of_too_many_the_last_fetched_are_told() -> None:
    copies = [
        Copy("n1", (f"{i:040}",), i, fetched, "chat")
        for i in range(MAX_MODELS + 9)
        if (fetched := msgspec.convert(f"2026-11-23T12:{i // 60:02}:{i % 60:02}Z", type=datetime))
    ]
    found = models_by_node(copies, lambda _ns, _claim: True)["n1"]
    assert [size for _, size in found] == list(range(9, MAX_MODELS + 9))
    assert read(written(found)) == found, "else it would be written again and again"
