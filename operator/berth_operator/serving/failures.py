"""Why a pod of a service does not run, in a code and a sentence: from how its containers wait or ended.

Engines and `berth-fetch` leave their last word as JSON {"code", "message"} in the termination message; that is believed first,
for they know most. Then come what the kubelet says and the exit code. What a container wrote is shown to whoever may read the
service, so it is cut, and taken for words only.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from berth_api.reasons import Reason
from berth_operator.serving.seen import MAX_MESSAGE, ContainerStatus, SeenPod

SIGKILL = 137
MAX_LOG = 400
"""Characters of a log's end that are told."""

_IMAGE = frozenset(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"))
_CONFIG = frozenset(("CreateContainerConfigError", "CreateContainerError", "RunContainerError"))
_OF_POD = {
    "Evicted": Reason.EVICTED,
    "NodeLost": Reason.NODE_LOST,
    "UnexpectedAdmissionError": Reason.DEVICE_UNAVAILABLE,
}
_CODE = re.compile(r"[A-Z][A-Za-z0-9]{1,62}")


class Failure(msgspec.Struct, frozen=True):
    reason: str
    message: str
    pod: str
    container: str = ""
    exit_code: int | None = None
    at: datetime | None = None


class _LastWord(msgspec.Struct):
    code: str
    message: str = ""


def failure_of(pod: SeenPod) -> Failure | None:
    """What keeps the pod from serving, or ended it; None when nothing has gone wrong."""
    if pod.status.phase == "Failed" and pod.status.reason:
        reason = _OF_POD.get(pod.status.reason, Reason.POD_FAILED)
        return Failure(reason, f"{pod.status.reason}: {_cut(pod.status.message)}", pod.name)
    for container in pod.statuses:
        found = _of_container(pod, container)
        if found is not None:
            return found
    return None


def _of_container(pod: SeenPod, container: ContainerStatus) -> Failure | None:
    waiting, ended = container.state.waiting, container.ended
    if waiting is not None and waiting.reason in _IMAGE:
        message = f"image {container.image} cannot be pulled: {_cut(waiting.message or waiting.reason)}"
        return Failure(Reason.IMAGE_PULL_FAILED, message, pod.name, container.name)
    if waiting is not None and waiting.reason in _CONFIG:
        return Failure(Reason.CONTAINER_NOT_CREATED, _cut(waiting.message or waiting.reason), pod.name, container.name)
    if container.state.running is not None and (container.ready or ended is None):
        return None
    if ended is None or (ended.exit_code == 0 and not ended.signal):
        return None
    code, at = ended.exit_code, ended.finished_at
    word = _last_word(ended.message)
    if word is not None:
        return Failure(word.code, _cut(word.message), pod.name, container.name, code, at)
    if ended.reason == "OOMKilled":
        message = (
            f"container {container.name} was killed for using more memory than its limit; raise spec.resources.memory"
        )
        return Failure(Reason.OUT_OF_MEMORY, message, pod.name, container.name, code, at)
    if "StartError" in ended.reason or "ContainerCannotRun" in ended.reason:
        return Failure(
            Reason.CONTAINER_NOT_CREATED, _cut(ended.message or ended.reason), pod.name, container.name, code, at
        )
    said = f"; it said last: {_end_of(ended.message)}" if ended.message.strip() else ""
    how = "was killed (signal 9)" if code == SIGKILL else f"ended with exit code {code}"
    again = f", {container.restart_count} restarts" if container.restart_count else ""
    return Failure(
        Reason.CRASH_LOOPING, f"container {container.name} {how}{again}{said}", pod.name, container.name, code, at
    )


def _last_word(text: str) -> _LastWord | None:
    """JSON in the last line of a termination message, if it has a code as conditions take it."""
    line = text.strip().rsplit("\n", 1)[-1]
    if not line.startswith("{"):
        return None
    try:
        word = msgspec.json.decode(line, type=_LastWord)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    return word if _CODE.fullmatch(word.code) else None


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "..."


def _end_of(text: str) -> str:
    """Of a log the last lines say most."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_LOG else "..." + text[3 - MAX_LOG :]
