"""What our kinds have in common: group, version, metadata, conditions, and how Python names become JSON's.

The pydantic models are the source of the CRDs (`crds`): what a field's description says here is what `kubectl explain`
prints. Reading is lenient about fields that a newer version may have added, writing says exactly what is modelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "berth.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


class ApiModel(BaseModel):
    """snake_case in Python, camelCase in JSON; unknown fields are left out."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    def to_json(self) -> dict[str, Any]:
        """The object as the API server takes it: JSON values, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Metadata(ApiModel):
    """The part of ObjectMeta that Berth reads."""

    name: str = ""
    namespace: str = ""
    """Empty of kinds that are cluster-wide."""
    generate_name: str | None = None
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Condition(ApiModel):
    """metav1.Condition."""

    type: str = Field(max_length=316)
    """What it is about."""
    status: Literal["True", "False", "Unknown"]
    """True, False or Unknown."""
    reason: str = Field(max_length=1_024, description="CamelCase.")
    message: str = Field(default="", max_length=32_768)
    """The same for people."""
    last_transition_time: datetime
    """When status last changed."""
    observed_generation: int = 0
    """Generation of the spec that it speaks of."""


class Resource(ApiModel):
    """An object of ours: `kind`, `spec` and `status` come with each kind."""

    api_version: Literal["berth.dev/v1alpha1"] = "berth.dev/v1alpha1"
    metadata: Metadata = Metadata()


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    return next((c for c in conditions if c.type == type_), None)


def with_condition(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """The conditions with one set: its transition time stays when its status does."""
    kept = list(conditions)
    for i, old in enumerate(kept):
        if old.type == new.type:
            if old.status == new.status:
                new = new.model_copy(update={"last_transition_time": old.last_transition_time})
            kept[i] = new
            return kept
    return [*kept, new]
