"""The service as an InferencePool of the Gateway API Inference Extension, and what is said of it. Pure.

A pool names the pods and the endpoint picker that chooses among them, which v1 requires; the picker is a program of its own, which
somebody else runs. So there is a pool only where `spec.inferencePool` names one. `failureMode` and whatever else others set in the
pool stays theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from berth_api.llm_service import LLMService
from berth_api.reasons import Reason
from berth_operator.serving.children import Manifest, manifest
from berth_operator.serving.engines import engine_of
from berth_operator.serving.names import selector
from berth_operator.serving.status import Verdict
from berth_operator.serving.view import Owned


def build_inference_pool(service: LLMService) -> list[Manifest]:
    """None where no endpoint picker is named."""
    asked = service.spec.inference_pool
    if asked is None:
        return []
    picker = asked.endpoint_picker
    spec = {
        "selector": {"matchLabels": selector(service.metadata.name)},
        "targetPorts": [{"number": engine_of(service, "").port}],
        "endpointPickerRef": {"name": picker.name, "port": {"number": picker.port}},
    }
    return [manifest(service, "inference.networking.k8s.io/v1", "InferencePool", service.metadata.name, spec)]


def pool_verdict(
    service: LLMService, has_kind: bool, standing: Owned | None, refused: Verdict | None = None
) -> Verdict | None:
    """Of InferencePoolAccepted; None where no pool is asked for."""
    if service.spec.inference_pool is None:
        return None
    if not has_kind:
        return (
            "False",
            Reason.INFERENCE_POOL_MISSING,
            "the cluster has no InferencePool (inference.networking.k8s.io/v1): install the Gateway API Inference Extension, "
            "or take spec.inferencePool away",
        )
    if refused is not None:
        return refused
    accepted = ""
    for parent, conditions in _parents(standing):
        for type_ in ("Accepted", "ResolvedRefs"):
            found = conditions.get(type_, {})
            if found.get("status") == "False":
                return "False", Reason.POOL_REFUSED, f"{parent}: {found.get('reason', '')}: {found.get('message', '')}"
        if conditions.get("Accepted", {}).get("status") == "True":
            accepted = accepted or parent
    if accepted:
        return "True", Reason.POOL_ACCEPTED, f"{accepted} sends requests to it"
    return "Unknown", Reason.POOL_PENDING, "no gateway has taken it up; an HTTPRoute must name it as a backend"


def _parents(standing: Owned | None) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Who has taken the pool up, and their conditions by type."""
    status = standing.status if standing is not None and isinstance(standing.status, dict) else {}
    for parent in status.get("parents") or ():
        named = parent.get("parentRef") or {}
        conditions = {one.get("type", ""): one for one in parent.get("conditions") or ()}
        yield f"{named.get('kind', 'Gateway')} {named.get('name', '')}".strip(), conditions
