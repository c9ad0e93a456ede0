"""Reads the live cluster through `kubectl get --raw`, so that whatever logs a person in (exec plugins, SSO) works here too.

One process a kind, a few at a time; each answers with the API server's own JSON, which is smaller and quicker than
`-o json`. Nodes and pods must be readable. A kind that is forbidden is left out with a warning that says what the plan
then does not know; a kind that the cluster does not have is left out silently. The official Python client would cost
3 s to import.

Answers are spooled to temporary files: memory stays flat while several hundred MB of pods arrive.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from berth_cli.exits import CommandError, Exit

KUBECTL = "kubectl"
REQUEST_SECONDS = 120
"""For one kind, login included."""
MAX_BYTES = 2 << 30
"""Of one kind; 300,000 real pods are about this."""
PROCESSES = 4
CHUNK = 1 << 20
STDERR_KEPT = 4096


@dataclass(frozen=True)
class Kind:
    """`lost`: what cannot be known when this kind may not be read; None when there is no plan without it."""

    name: str
    path: str
    lost: str | None


KINDS = (
    Kind("nodes", "/api/v1/nodes", None),
    Kind("pods", "/api/v1/pods?fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed", None),
    Kind("storageclasses", "/apis/storage.k8s.io/v1/storageclasses", "pods with unbound volumes wait"),
    Kind("namespaces", "/api/v1/namespaces", "affinity terms with a namespaceSelector match nothing"),
    Kind("persistentvolumes", "/api/v1/persistentvolumes", "pods with volumes stay where they are"),
    Kind("persistentvolumeclaims", "/api/v1/persistentvolumeclaims", "pods with volumes stay where they are"),
    Kind(
        "poddisruptionbudgets",
        "/apis/policy/v1/poddisruptionbudgets",
        "disruption budgets are not honoured in this plan (the Eviction API still would)",
    ),
    Kind("replicasets", "/apis/apps/v1/replicasets", "Deployments are guessed from their ReplicaSets' names"),
    Kind("deployments", "/apis/apps/v1/deployments", "owners are known by reference only"),
    Kind("statefulsets", "/apis/apps/v1/statefulsets", "owners are known by reference only"),
    Kind("daemonsets", "/apis/apps/v1/daemonsets", "owners are known by reference only"),
    Kind("jobs", "/apis/batch/v1/jobs", "pods of Jobs stay where they are"),
    Kind("cronjobs", "/apis/batch/v1/cronjobs", "owners are known by reference only"),
    Kind("priorityclasses", "/apis/scheduling.k8s.io/v1/priorityclasses", "priority classes have no names"),
    Kind("replicationcontrollers", "/api/v1/replicationcontrollers", "owners are known by reference only"),
    Kind("leaderworkersets", "/apis/leaderworkerset.x-k8s.io/v1/leaderworkersets", "gangs are known by label only"),
    Kind("workloads", "/apis/scheduling.k8s.io/v1alpha1/workloads", "pod groups are not kept together"),
    # beta in 1.37; a cluster that serves two versions answers with the same objects in each
    *(
        Kind("podgroups", f"/apis/scheduling.k8s.io/{version}/podgroups", "pod groups are not kept together")
        for version in ("v1beta1", "v1alpha3", "v1alpha2")
    ),
)


def read_cluster(
    *, context: str | None, kubeconfig: Path | None, warn: Callable[[str], None], kinds: Sequence[Kind] = KINDS
) -> list[Answer]:
    """One open file a kind, at its beginning. Raises CommandError (exit code 3) when nodes or pods cannot be read."""
    base = [KUBECTL]
    if context:
        base.append(f"--context={context}")
    if kubeconfig:
        base.append(f"--kubeconfig={kubeconfig}")
    # the first call alone: a login is asked for once, and a cluster that is not there is reported once
    first = _get(base, kinds[0])
    if isinstance(first, _Failure):
        raise _refused(kinds[0], first)
    with ThreadPoolExecutor(PROCESSES) as pool:
        answers = [first, *pool.map(lambda kind: _get(base, kind), kinds[1:])]
    files: dict[str, Answer] = {}
    said: set[str] = set()
    for kind, answer in zip(kinds, answers, strict=True):
        if not isinstance(answer, _Failure):
            files.setdefault(kind.name, answer)
        elif kind.lost is None:
            raise _refused(kind, answer)
        elif not answer.is_absent and kind.name not in said:
            said.add(kind.name)
            warn(f"cannot read {kind.name}: {answer.sentence}; so {kind.lost}")
    return list(files.values())


class Answer(io.BufferedRandom):
    """A spooled answer, named for the sentences about what is wrong in it."""

    name = ""

    def __init__(self, name: str) -> None:
        super().__init__(tempfile.TemporaryFile(prefix="berth-", buffering=0))  # noqa: SIM115 (this object closes it)
        self.name = name


@dataclass(frozen=True)
class _Failure:
    sentence: str

    @property
    def is_absent(self) -> bool:
        return "NotFound" in self.sentence or "could not find the requested resource" in self.sentence

    @property
    def is_forbidden(self) -> bool:
        return "orbidden" in self.sentence

    @property
    def has_no_config(self) -> bool:
        return "localhost:8080" in self.sentence or "no configuration" in self.sentence


def _get(base: list[str], kind: Kind) -> Answer | _Failure:
    answer = Answer(f"{kind.name} of the cluster")
    command = [*base, f"--request-timeout={REQUEST_SECONDS}s", "get", "--raw", kind.path]
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    except FileNotFoundError:
        raise CommandError(
            "KubectlFailed: kubectl is not on the PATH",
            hint="Install kubectl, or plan from a file: berth plan --dump dump.json (see docs/dumps.md).",
            code=Exit.UNREACHABLE,
        ) from None
    except OSError as error:
        return _Failure(f"kubectl does not start: {error.strerror}")
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(REQUEST_SECONDS + 5, stop)
    timer.start()
    said: list[bytes] = []
    listener = threading.Thread(target=_keep_tail, args=(process.stderr, said), daemon=True)
    listener.start()
    size = 0
    try:
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            size += len(chunk)
            if size > MAX_BYTES:
                return _Failure(f"more than {MAX_BYTES >> 30} GiB")
            answer.write(chunk)
        code = process.wait()
    finally:
        timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        listener.join()
    if late.is_set():
        return _Failure(f"no answer within {REQUEST_SECONDS} s")
    if code != 0:
        return _Failure(_last_sentence(b"".join(said)) or f"kubectl ended with {code}")
    answer.seek(0)
    return answer


def _keep_tail(stream: IO[bytes] | None, kept: list[bytes]) -> None:
    if stream is None:
        return
    while chunk := stream.read(STDERR_KEPT):
        kept.append(chunk)
        del kept[:-2]


def _last_sentence(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else ""


def _refused(kind: Kind, failure: _Failure) -> CommandError:
    if failure.has_no_config:
        hint = "No kubeconfig names a cluster. Give --context or --kubeconfig, or plan from a file with --dump."
    elif failure.is_forbidden:
        hint = f"Reading needs `list` on {kind.name} in all namespaces: kubectl auth can-i list {kind.name} -A"
    else:
        hint = "Check with `kubectl get nodes`, or plan from a file with --dump."
    return CommandError(f"KubectlFailed: cannot read {kind.name}: {failure.sentence}", hint=hint, code=Exit.UNREACHABLE)
