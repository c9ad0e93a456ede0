"""Labels, annotations and names of what a service owns. Selectors never change, so neither do these."""

from __future__ import annotations

from collections.abc import Mapping

from berth_api.annotations import SERVICE_LABEL

REVISION_LABEL = "berth.dev/revision"
"""On pods: which template they were made from."""
MANAGED_BY = "app.kubernetes.io/managed-by"
OPERATOR = "berth-operator"
FIELD_MANAGER = "berth-operator"

ENGINE_CONTAINER = "engine"
FETCH_CONTAINER = "berth-fetch"


def labels(service: str) -> dict[str, str]:
    """On every object of the service."""
    return {
        MANAGED_BY: OPERATOR,
        "app.kubernetes.io/name": "llm-service",
        "app.kubernetes.io/instance": service,
        SERVICE_LABEL: service,
    }


def selector(service: str) -> dict[str, str]:
    """What the Deployment, the Service and the budget select pods by."""
    return {SERVICE_LABEL: service}


def service_of(object_labels: Mapping[str, str] | None) -> str:
    return (object_labels or {}).get(SERVICE_LABEL, "")
