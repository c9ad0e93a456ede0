"""The changes of a what-if as they are typed, applied to a snapshot one after the other."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from berth_api.reasons import Reason
from berth_cli.exits import CommandError
from berth_cli.naming import find_pods
from berth_cluster.errors import DumpError
from berth_cluster.snapshot import Pod, Snapshot
from berth_planner.manifests import Manifest, ManifestError
from berth_planner.what_if import (
    WhatIfError,
    add_manifests,
    add_nodes,
    cordon,
    remove_nodes,
    set_class_priority,
    set_workload_priority,
)

STANDARD_INPUT = Path("-")
CLASS_PREFIXES = ("pc/", "priorityclass/", "priorityclasses/")
MAX_MANIFEST_BYTES = 64 << 20
PRIORITIES = range(-(2**31), 2**31)
"""A pod's priority is an int32."""


@dataclass(frozen=True, slots=True)
class Changes:
    remove: tuple[str, ...] = ()
    cordon: tuple[str, ...] = ()
    uncordon: tuple[str, ...] = ()
    add_nodes: int | None = None
    like: str | None = None
    priorities: tuple[str, ...] = ()
    """name=number."""
    manifests: tuple[Path, ...] = ()
    namespace: str | None = None

    def __bool__(self) -> bool:
        return bool(
            self.remove
            or self.cordon
            or self.uncordon
            or self.add_nodes
            or self.like
            or self.priorities
            or self.manifests
        )


@dataclass(slots=True)
class Changed:
    """The changed cluster, in words too, and the pods whose place is the question."""

    snapshot: Snapshot
    sentences: list[str] = field(default_factory=list)
    added: tuple[str, ...] = ()
    """namespace/name of pods of manifests."""
    homeless: tuple[str, ...] = ()
    """namespace/name of pods of removed nodes that something recreates."""


def apply_changes(snapshot: Snapshot, changes: Changes) -> Changed:
    """Raises CommandError for anything that this cluster does not have, or that cannot be read."""
    changed = Changed(snapshot)
    try:
        _remove(changed, changes.remove)
        for names, undo in ((changes.cordon, False), (changes.uncordon, True)):
            if names:
                changed.snapshot = cordon(changed.snapshot, names, undo=undo)
                changed.sentences.append(f"{'uncordoned' if undo else 'cordoned'}: {', '.join(names)}")
        _add_nodes(changed, changes)
        for text in changes.priorities:
            _set_priority(changed, text, changes.namespace)
        for path in changes.manifests:
            _add_manifest(changed, path, changes.namespace)
    except (WhatIfError, ManifestError, DumpError) as error:
        raise CommandError(str(error)) from error
    return changed


def _remove(changed: Changed, names: tuple[str, ...]) -> None:
    if not names:
        return
    gone = set(names)
    before = {pod.key: pod for pod in changed.snapshot.pods if pod.node in gone}
    changed.snapshot = remove_nodes(changed.snapshot, names)
    left = {pod.key for pod in changed.snapshot.pods}
    changed.homeless = tuple(key for key in before if key in left)
    changed.sentences.append(f"removed: {', '.join(names)}; {len(changed.homeless)} of its pods need another place")
    lost = [pod for pod in before.values() if _is_lost(pod, left)]
    if lost:
        named = ", ".join(pod.key for pod in lost[:3]) + (", ..." if len(lost) > 3 else "")
        changed.sentences.append(f"lost with it, since no controller recreates them: {named}")


def _is_lost(pod: Pod, left: set[str]) -> bool:
    return pod.key not in left and Reason.NO_CONTROLLER in pod.immovable and not pod.terminating


def _add_nodes(changed: Changed, changes: Changes) -> None:
    if changes.add_nodes is None and changes.like is None:
        return
    if changes.like is None:
        raise CommandError("--add-nodes needs --like NODE, the node to copy")
    count = changes.add_nodes or 1
    changed.snapshot = add_nodes(changed.snapshot, like=changes.like, count=count)
    changed.sentences.append(f"added: {count} {'node' if count == 1 else 'nodes'} like {changes.like}")


def _set_priority(changed: Changed, text: str, namespace: str | None) -> None:
    name, equals, number = text.partition("=")
    try:
        value = int(number)
    except ValueError:
        equals = ""
    if not equals or not name:
        raise CommandError(f"--priority {text!r}: write NAME=NUMBER, for example deploy/chat=1000")
    if value not in PRIORITIES:
        raise CommandError(f"--priority {text!r}: a priority is between {PRIORITIES[0]} and {PRIORITIES[-1]}")
    prefix = next((p for p in CLASS_PREFIXES if name.lower().startswith(p)), None)
    if prefix is not None:
        changed.snapshot = set_class_priority(changed.snapshot, name[len(prefix) :], value)
        changed.sentences.append(f"priority class {name[len(prefix) :]} at {value}")
        return
    workload = find_pods(changed.snapshot, name, namespace)[0].workload
    changed.snapshot = set_workload_priority(changed.snapshot, str(workload), value)
    changed.sentences.append(f"{workload} at priority {value}")


def _add_manifest(changed: Changed, path: Path, namespace: str | None) -> None:
    before = {pod.key for pod in changed.snapshot.pods}
    changed.snapshot = add_manifests(changed.snapshot, _documents(path, namespace))
    added = tuple(pod.key for pod in changed.snapshot.pods if pod.key not in before)
    changed.added += added
    changed.sentences.append(f"added from {path}: {len(added)} {'pod' if len(added) == 1 else 'pods'}")


def _documents(path: Path, namespace: str | None) -> list[Manifest]:
    import yaml

    try:
        text = sys.stdin.buffer.read(MAX_MANIFEST_BYTES + 1) if path == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error
    if len(text) > MAX_MANIFEST_BYTES:
        raise CommandError(f"{path}: more than {MAX_MANIFEST_BYTES >> 20} MiB of manifests")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        documents = [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"{path}: neither YAML nor JSON: {' '.join(str(error).split())}") from error
    if not documents:
        raise CommandError(f"{path}: no objects in it")
    for document in documents:
        if namespace and isinstance(document, dict) and isinstance(document.get("metadata"), dict):
            document["metadata"].setdefault("namespace", namespace)
    return documents
