"""`LLMService.spec.inferencePool`: the service as a backend of the Gateway API."""

from __future__ import annotations

from pydantic import Field

from berth_api.resource import ApiModel


class EndpointPicker(ApiModel):
    """Who chooses among the replicas."""

    name: str = Field(min_length=1, max_length=63, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    """Its Service, in the namespace of the LLMService."""
    port: int = Field(default=9_002, ge=1, le=65_535)
    """Of that Service."""


class InferencePool(ApiModel):
    """The service as an InferencePool."""

    endpoint_picker: EndpointPicker
    """The endpoint picker that gateways ask for each request. An InferencePool cannot be without one; Berth does not run it."""
