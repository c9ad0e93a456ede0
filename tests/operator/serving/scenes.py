"""Services and pods for tests, in a line or two."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from berth_api.llm_service import LLMService
from berth_operator.serving.names import REVISION_LABEL, SERVICE_LABEL
from berth_operator.serving.pod_template import Images, build_pod_template
from berth_operator.serving.seen import SeenPod
from berth_operator.serving.status import Observed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
IMAGES = Images(engine="engine:1", vllm="vllm:1", fetch="fetch:1")
DIGEST = "sha256:" + "ab" * 32


def service(uri: str = "s3://models/llama", generation: int = 3, **spec: Any) -> LLMService:
    model = {"uri": uri, **spec.pop("model", {})}
    body = {
        "metadata": {"name": "llama", "namespace": "chat", "uid": "u-1", "generation": generation},
        "spec": {"model": model, **spec},
    }
    return LLMService.model_validate(body)


def revision(of: LLMService) -> str:
    return str(build_pod_template(of, IMAGES)["metadata"]["labels"][REVISION_LABEL])


def pod(
    name: str, *, revision: str, node: str = "node-1", ready: bool = False, leaves: bool = False, phase: str = "Running",
    fetch: dict[str, Any] | None = None, engine: dict[str, Any] | None = None, why: str = "", said: str = "",
    unready_since: str | None = None, annotations: dict[str, str] | None = None,
) -> SeenPod:  # fmt: skip
    """fetch, engine: the state of the container, as the kubelet reports it."""
    conditions: list[dict[str, Any]] = [
        {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": unready_since}
    ]
    if not node:
        conditions.append({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said})
    body = {
        "metadata": {
            "name": name,
            "namespace": "chat",
            "uid": f"uid-{name}",
            "labels": {SERVICE_LABEL: "llama", REVISION_LABEL: revision},
            "annotations": ({"berth.dev/why": why} if why else {}) | (annotations or {}),
            "deletionTimestamp": "2026-11-23T11:59:00Z" if leaves else None,
        },
        "spec": {"nodeName": node or None},
        "status": {
            "phase": phase if node else "Pending",
            "conditions": conditions,
            "initContainerStatuses": [] if fetch is None else [{"name": "berth-fetch", "image": "fetch:1", **fetch}],
            "containerStatuses": [] if engine is None else [{"name": "engine", "image": "engine:1", **engine}],
        },
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=SeenPod)


def ended(code: int, message: str = "", reason: str = "Error", restarts: int = 1) -> dict[str, Any]:
    """A container that ended and waits to be started again."""
    return {
        "restartCount": restarts,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"exitCode": code, "reason": reason, "message": message}},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def observed(of: LLMService, *pods: SeenPod, desired: int = 1, routed: tuple[str, ...] = (), **more: Any) -> Observed:
    return Observed(of, desired, revision(of), pods, routed, **more)
