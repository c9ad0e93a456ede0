"""The Alibaba GPU trace (openb, clusterdata 2023) as the dump of a Kubernetes cluster.

    imported = import_openb(Path("openb_node_list_all_node.csv"), Path("openb_pod_list_default.csv"))
    Path("openb.json").write_bytes(imported.body)

The trace lists nodes and pods, not who stood where, so every pod comes out Pending and unbound, whatever its column says
it ended as. Columns become what Kubernetes would have: cpu_milli, memory_mib and num_gpu the requests, model the label
nvidia.com/gpu.product, gpu_spec (models separated by |) a selector for it, qos a label, creation_time (seconds from the
trace's beginning, which is set to TRACE_BEGINS) the creationTimestamp and, as it stood, an annotation. A pod that asks
for a share of a GPU (gpu_milli below 1000) asks for one whole GPU here, and the notes say how many do. Each pod has a
ReplicaSet of its own as controller, so that it may be moved. The same files give the same bytes.
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from berth_api.reasons import Reason
from berth_cluster.errors import DumpError
from berth_cluster.quantities import format_quantity

TRACE_BEGINS = datetime(2023, 1, 1, tzinfo=UTC)
"""The trace counts seconds from an unnamed moment; this one is as good as any."""

NAMESPACE = "openb"
MAX_PODS_PER_NODE = 110
"""The trace has no such figure; this is the kubelet's default and never binds before cpu does."""

GPU = "nvidia.com/gpu"
GPU_MODEL = "nvidia.com/gpu.product"
QOS_LABEL = "openb.berth.dev/qos"
CREATION_ANNOTATION = "openb.berth.dev/creation-time"
WHOLE_GPU = 1000
MAX_ROWS = 300_000
MAX_SECONDS = 10**10

PRIORITY_OF_QOS = {"Guaranteed": 400, "LS": 300, "Burstable": 200, "BE": 100}
"""Latency-sensitive above burstable above best effort; the figures only order them."""

_NODE_COLUMNS = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
_POD_COLUMNS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec", "qos", "creation_time")
_UID_SPACE = uuid.UUID("6f70656e-6200-5000-8000-000000000000")

Json = dict[str, object]


class OpenbImport(msgspec.Struct, frozen=True):
    """A Kubernetes List as JSON, and what a reader of it should know."""

    body: bytes
    nodes: int
    pods: int
    shared_gpu_pods: int
    """Pods that asked for a share of a GPU and count as one whole GPU."""
    notes: tuple[str, ...]


class _Row:
    """One line of a CSV, which knows its place for complaints."""

    def __init__(self, file: Path, line: int, cells: dict[str, str]) -> None:
        self._file, self._line, self._cells = file, line, cells

    def text(self, column: str) -> str:
        return (self._cells.get(column) or "").strip()

    def number(self, column: str, most: int = 1 << 40) -> int:
        text = self.text(column)
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= most):
            raise self.error(column, f"{text!r} is not a whole number from 0 to {most}")
        return int(text)

    def error(self, column: str, message: str, reason: Reason = Reason.BAD_FIELD) -> DumpError:
        return DumpError(reason, str(self._file), f"line {self._line}", column, message)


def import_openb(nodes: Path, pods: Path, *, priority_from_qos: bool = False) -> OpenbImport:
    """Both CSVs as one List. With `priority_from_qos` a PriorityClass for each qos, else all pods have priority 0.

    Raises DumpError for files that are not what they should be.
    """
    node_items = [_node(row) for row in _distinct(nodes, _NODE_COLUMNS, "sn")]
    rows = list(_distinct(pods, _POD_COLUMNS, "name"))
    shared = sum(0 < row.number("gpu_milli") < WHOLE_GPU and row.number("num_gpu") == 1 for row in rows)
    pod_items = [_pod(row, priority_from_qos) for row in rows]
    classes = [_priority_class(qos, value) for qos, value in PRIORITY_OF_QOS.items()] if priority_from_qos else []
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    items = [namespace, *classes, *node_items, *pod_items]
    notes = (
        f"{shared} pods ask for a share of a GPU; each counts as one whole GPU",
        f"all {len(rows)} pods are pending, whatever phase the trace gives them",
        f"a node takes at most {MAX_PODS_PER_NODE} pods, the kubelet's default; the trace does not say",
        f"the trace's second 0 is {TRACE_BEGINS:%Y-%m-%dT%H:%M:%SZ}",
    )
    body = msgspec.json.encode({"apiVersion": "v1", "items": items, "kind": "List", "metadata": {}})
    return OpenbImport(body + b"\n", len(node_items), len(rows), shared, notes)


def _node(row: _Row) -> Json:
    name, gpus, model = row.text("sn"), row.number("gpu"), row.text("model")
    labels = {"kubernetes.io/hostname": name, **({GPU_MODEL: model} if model else {})}
    amounts = {
        "cpu": format_quantity("cpu", row.number("cpu_milli")),
        "memory": f"{row.number('memory_mib')}Mi",
        **({GPU: str(gpus)} if gpus else {}),
        "pods": str(MAX_PODS_PER_NODE),
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"labels": labels, "name": name, "uid": _uid("Node", name)},
        "status": {
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [{"status": "True", "type": "Ready"}],
        },
    }


def _pod(row: _Row, priority_from_qos: bool) -> Json:
    name, qos, gpus = row.text("name"), row.text("qos"), row.number("num_gpu")
    seconds = row.number("creation_time", MAX_SECONDS)
    requests = {
        "cpu": format_quantity("cpu", row.number("cpu_milli")),
        "memory": f"{row.number('memory_mib')}Mi",
        **({GPU: str(gpus)} if gpus else {}),
    }
    resources = {"limits": {GPU: str(gpus)}, "requests": requests} if gpus else {"requests": requests}
    spec: Json = {"containers": [{"image": "pause", "name": "main", "resources": resources}]}
    if gpus:
        spec |= _model_selector([m for m in row.text("gpu_spec").split("|") if m])
    if priority_from_qos:
        if qos not in PRIORITY_OF_QOS:
            raise row.error("qos", f"{qos!r} is none of {', '.join(PRIORITY_OF_QOS)}")
        spec |= {"priority": PRIORITY_OF_QOS[qos], "priorityClassName": _class_name(qos)}
    else:
        spec["priority"] = 0
    owner = {
        "apiVersion": "apps/v1",
        "controller": True,
        "kind": "ReplicaSet",
        "name": name,
        "uid": _uid("ReplicaSet", name),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {CREATION_ANNOTATION: str(seconds)},
            "creationTimestamp": f"{TRACE_BEGINS + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}",
            "labels": {QOS_LABEL: qos} if qos else {},
            "name": name,
            "namespace": NAMESPACE,
            "ownerReferences": [owner],
            "uid": _uid("Pod", name),
        },
        "spec": spec,
        "status": {"phase": "Pending"},
    }


def _model_selector(models: Sequence[str]) -> Json:
    if not models:
        return {}
    if len(models) == 1:
        return {"nodeSelector": {GPU_MODEL: models[0]}}
    term = {"matchExpressions": [{"key": GPU_MODEL, "operator": "In", "values": list(models)}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"affinity": {"nodeAffinity": required}}


def _priority_class(qos: str, value: int) -> Json:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": _class_name(qos)},
        "value": value,
    }


def _class_name(qos: str) -> str:
    return f"openb-{qos.lower()}"


def _uid(kind: str, name: str) -> str:
    return str(uuid.uuid5(_UID_SPACE, f"{kind}/{name}"))


def _distinct(file: Path, columns: Sequence[str], key: str) -> Iterator[_Row]:
    seen: dict[str, None] = {}
    for row in _rows(file, columns):
        name = row.text(key)
        if not name:
            raise row.error(key, "is empty")
        if name in seen:
            raise row.error(key, f"{name!r} stands there twice", Reason.DUPLICATE_NAME)
        seen[name] = None
        yield row


def _rows(file: Path, columns: Sequence[str]) -> Iterator[_Row]:
    fail: Callable[[Reason, str], DumpError] = lambda reason, message: DumpError(reason, str(file), "", "", message)  # noqa: E731
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            missing = [c for c in columns if c not in (reader.fieldnames or ())]
            if missing:
                raise fail(Reason.BAD_FIELD, f"has no column {', '.join(missing)}; is it the right openb file?")
            for cells in reader:
                if reader.line_num > MAX_ROWS:
                    raise fail(Reason.TOO_LARGE, f"has more than {MAX_ROWS} lines")
                yield _Row(file, reader.line_num, cells)
    except OSError as error:
        raise fail(Reason.UNREADABLE, f"cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise fail(Reason.UNREADABLE, f"is not a CSV file in UTF-8: {error}") from error
