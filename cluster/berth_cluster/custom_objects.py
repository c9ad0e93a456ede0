"""`PackingPlan` and `PackingPolicy` as they come from the API server.

Only the envelope is decoded on the hot path: of a plan, whose spec may list a thousand moves, everything but `approved` and
`cancelled` is fixed, so the spec is read again only when its generation changes, not with each step of its status.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from pydantic import ValidationError

from berth_api.packing_plan import PackingPlan, PackingPlanStatus
from berth_api.packing_policy import PackingPolicy
from berth_api.resource import Metadata, Resource
from berth_cluster.errors import FieldError
from berth_cluster.objects import Wire

Kind = TypeVar("Kind", bound=Resource)


class CustomMeta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    generate_name: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class WireCustom(Wire, frozen=True):
    metadata: CustomMeta = CustomMeta()
    spec: Any = None
    status: Any = None


def read_plan(wire: WireCustom, known: PackingPlan | None) -> PackingPlan:
    """known: the plan of that name as it was before. Raises FieldError."""
    meta = _given(wire.metadata)
    try:
        if known is not None and (known.metadata.uid, known.metadata.generation) == (
            wire.metadata.uid,
            wire.metadata.generation,
        ):
            return PackingPlan(
                metadata=Metadata.model_validate(meta),
                spec=known.spec,
                status=PackingPlanStatus.model_validate(wire.status or {}),
            )
        return PackingPlan.model_validate({"metadata": meta, "spec": wire.spec, "status": wire.status or {}})
    except ValidationError as error:
        raise _field_error(error) from error


def read_policy(wire: WireCustom, known: PackingPolicy | None) -> PackingPolicy:
    """Raises FieldError."""
    return read_custom(wire, PackingPolicy)


def read_custom(wire: WireCustom, kind: type[Kind]) -> Kind:
    """Any of our kinds, read whole. Raises FieldError."""
    try:
        return kind.model_validate(
            {"metadata": _given(wire.metadata), "spec": wire.spec or {}, "status": wire.status or {}}
        )
    except ValidationError as error:
        raise _field_error(error) from error


def _given(meta: CustomMeta) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(meta)
    return {name: value for name, value in fields.items() if value is not None}


def _field_error(error: ValidationError) -> FieldError:
    first = error.errors(include_url=False, include_input=False)[0]
    return FieldError(".".join(str(part) for part in first["loc"]), first["msg"])
