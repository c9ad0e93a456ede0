"""Names as people type them, to pods of a snapshot: web-0, llm/web-0, pod/web-0, deploy/web, llm/deploy/web."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from berth_cli.exits import CommandError
from berth_cluster.snapshot import Pod, Snapshot

SHORT_KINDS = {
    "po": "pod",
    "deploy": "deployment",
    "rs": "replicaset",
    "rc": "replicationcontroller",
    "sts": "statefulset",
    "ds": "daemonset",
    "cj": "cronjob",
    "lws": "leaderworkerset",
    "llmsvc": "llmservice",
}
SUGGESTIONS = 3


def find_pods(snapshot: Snapshot, name: str, namespace: str | None) -> tuple[Pod, ...]:
    """The pod, or all pods of the workload. Raises CommandError when there is none, or one in several namespaces."""
    namespace, kind, bare = _parse(name, namespace)
    found = [
        pod for pod in snapshot.pods if (namespace is None or pod.namespace == namespace) and _is_meant(pod, kind, bare)
    ]
    if not found:
        raise _unknown(snapshot, name, namespace, bare)
    namespaces = sorted({pod.namespace for pod in found})
    if len(namespaces) > 1:
        raise CommandError(f"{name} is in the namespaces {', '.join(namespaces)}", hint="Choose one with -n.")
    exact = tuple(pod for pod in found if pod.name == bare and kind in ("", "pod"))
    if exact:
        return exact
    workloads = sorted({pod.workload for pod in found})
    if len(workloads) > 1:
        kinds = ", ".join(f"{w.kind.lower()}/{w.name}" for w in workloads)
        raise CommandError(f"{name} names several workloads: {kinds}", hint="Name one of them.")
    return tuple(found)


def _parse(name: str, namespace: str | None) -> tuple[str | None, str, str]:
    """Namespace, kind in small letters ('' for any), name."""
    parts = [part for part in name.split("/") if part]
    if not 1 <= len(parts) <= 3:
        raise CommandError(f"{name!r} is no name of a pod or workload", hint="Write web-0, deploy/web or llm/web-0.")
    if len(parts) == 1:
        return namespace, "", parts[0]
    if len(parts) == 2 and not _is_kind(parts[0]):
        return _one_namespace(parts[0], namespace), "", parts[1]
    if len(parts) == 2:
        return namespace, _kind(parts[0]), parts[1]
    if _is_kind(parts[0]) and not _is_kind(parts[1]):  # pod/llm/web-0: meant all the same
        parts[0], parts[1] = parts[1], parts[0]
    return _one_namespace(parts[0], namespace), _kind(parts[1]), parts[2]


def _one_namespace(said: str, option: str | None) -> str:
    if option not in (None, said):
        raise CommandError(f"the name says namespace {said}, -n says {option}")
    return said


_KINDS = frozenset(SHORT_KINDS.values()) | {"job"}


def _is_kind(word: str) -> bool:
    return _kind(word) in _KINDS or "." in word


def _kind(word: str) -> str:
    word = word.lower().partition(".")[0]
    word = SHORT_KINDS.get(word, word)
    return word[:-1] if word.endswith("s") and word[:-1] in _KINDS else word


def _is_meant(pod: Pod, kind: str, name: str) -> bool:
    if kind in ("", "pod") and pod.name == name:
        return True
    return pod.workload.name == name and kind in ("", pod.workload.kind.lower())


def _unknown(snapshot: Snapshot, name: str, namespace: str | None, bare: str) -> CommandError:
    known: Sequence[str] = sorted(
        {n for pod in snapshot.pods if namespace in (None, pod.namespace) for n in (pod.name, pod.workload.name)}
    )
    close: Sequence[str] = get_close_matches(bare, known, SUGGESTIONS)
    if not known and namespace:  # no such namespace, or an empty one
        elsewhere = {f"{p.namespace}/{n}" for p in snapshot.pods for n in (p.name, p.workload.name) if n == bare}
        close = sorted(elsewhere)[:SUGGESTIONS]
    where = f" in namespace {namespace}" if namespace else ""
    hint = f"Did you mean {', '.join(close)}?" if close else "`berth why` without a name lists all that wait."
    return CommandError(f"UnknownPod: no pod or workload {name!r}{where}", hint=hint)
