"""Values of Kubernetes' own that our kinds hand on: quantities, and objects whose schema is the pod's, not ours.

What is handed on is checked by the API server when the pods' template is applied, in its own words; copying its schema here would
cost 100 KB a field and be old with the next release.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

QUANTITY = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"


def _written(value: object) -> object:
    """`cpu: 4` and `cpu: "4"` are the same."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_written),
    WithJsonSchema({"x-kubernetes-int-or-string": True, "pattern": QUANTITY, "maxLength": 32}),
]
"""A resource.Quantity that is not negative: 500m, 4, 64Gi."""

PassedThrough = Annotated[
    dict[str, Any], WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
]
"""An object of the pod's own API."""
