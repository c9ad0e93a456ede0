"""By which labels a workload's pods are selected: those that people gave them, that all share, and that outlast a rollout."""

from __future__ import annotations

from pathlib import Path

import pytest

from berth_cli.hint_cluster import selecting, workloads_in
from berth_cluster.dump import read_dumps
from berth_cluster.snapshot import Snapshot

from .scenes import dump, node, pod


def snapshot(folder: Path, *labels: dict[str, str], namespace: str = "llm") -> Snapshot:
    pods = []
    for i, own in enumerate(labels):
        made = pod(f"db-{i}", gpus=0, on="n", app="db", namespace=namespace)
        made["metadata"]["labels"] = own
        pods.append(made)
    return read_dumps([dump(folder / "dump.json", node("n"), *pods)])


@pytest.mark.parametrize(
    ("labels", "selected"),
    [
        (({"app": "db", "pod-template-hash": "1", "version": "3"},), {"app": "db"}),
        (
            ({"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "orders", "x": "y"},),
            {"app.kubernetes.io/name": "postgres", "app.kubernetes.io/instance": "orders"},
        ),
        (({"role": "primary", "team": "a"}, {"role": "replica", "team": "a"}), {"team": "a"}),
        (
            ({"team": "a", "controller-revision-hash": "1", "statefulset.kubernetes.io/pod-name": "db-0"},),
            {"team": "a"},
        ),
        (({"pod-template-hash": "1"},), {}),
        (({"app": "one"}, {"app": "two"}), {}),
    ],
)
def test_labels_that_select(tmp_path: Path, labels: tuple[dict[str, str], ...], selected: dict[str, str]) -> None:
    assert selecting(snapshot(tmp_path, *labels).pods) == selected


def test_a_workload_without_a_lasting_label_is_left_to_be_assumed(tmp_path: Path) -> None:
    found = snapshot(tmp_path, {"pod-template-hash": "1"})
    assert workloads_in(found, {found.pods[0].workload.name}) == {}


def test_its_own_namespace_need_not_be_named(tmp_path: Path) -> None:
    found = snapshot(tmp_path, {"app": "db"}, namespace="data")
    name = found.pods[0].workload.name
    assert workloads_in(found, {name}, "data")[name].namespaces == ()
    assert workloads_in(found, {name}, "shop")[name].namespaces == ("data",)
