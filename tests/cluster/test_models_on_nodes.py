"""What a node says of its models is read, or says nothing; and which claims lie on nodes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from berth_cluster.findings import Findings
from berth_cluster.nodes import read_node
from berth_cluster.objects import PersistentVolume, VolumeClaim, WireNode
from berth_cluster.snapshot import Node
from berth_cluster.volumes import Volumes


def node(**annotations: str) -> Node:
    body = {
        "metadata": {"name": "n1", "annotations": {f"berth.dev/{key}": text for key, text in annotations.items()}},
        "status": {"allocatable": {"cpu": "4", "pods": "110"}},
    }
    return read_node(msgspec.json.decode(json.dumps(body), type=WireNode), Findings())


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ('{"abc":7,"aaa":8}', (("aaa", 8), ("abc", 7))),
        ("{}", ()),
        ("abc", ()),
        ('["abc"]', ()),
        ("", ()),
    ],
)
def test_a_nodes_models_are_read_and_garbage_breaks_nothing(text: str, models: tuple[tuple[str, int], ...]) -> None:
    assert node(models=text).models == models
    assert node(models=text).amounts["cpu"] == 4000


def test_a_node_that_says_nothing_has_none() -> None:
    assert node().models == ()
    assert node(other="x").models == ()


@pytest.mark.parametrize(
    ("source", "on_node"),
    [
        ({"hostPath": {"path": "/models"}}, True),
        ({"local": {"path": "/mnt/disk"}, "nodeAffinity": {"required": {"nodeSelectorTerms": []}}}, True),
        ({"nfs": {"server": "10.0.0.1", "path": "/"}}, False),
        ({"csi": {"driver": "ebs.csi.aws.com", "volumeHandle": "vol-1"}}, False),
    ],
)
def test_a_claim_lies_on_nodes_when_its_volume_is_a_folder_of_theirs(source: dict[str, Any], on_node: bool) -> None:
    volumes = Volumes()
    assert not volumes.lies_on_node("chat", "models")
    claim = {"metadata": {"namespace": "chat", "name": "models"}, "spec": {"volumeName": "pv"}}
    volumes.add_claim(msgspec.convert(claim, VolumeClaim))
    assert not volumes.lies_on_node("chat", "models")
    volumes.add_volume(msgspec.convert({"metadata": {"name": "pv"}, "spec": source}, PersistentVolume))
    assert volumes.lies_on_node("chat", "models") is on_node
    assert not volumes.lies_on_node("other", "models")
