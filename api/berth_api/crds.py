"""CustomResourceDefinitions made from the pydantic models, which stay the only source.

    python -m berth_api.crds manifests/crds

A model's JSON schema becomes a structural one: references are written out, what may be null may be absent, whole numbers and
doubles say their width, and rules that a schema cannot say are CEL with a message for people (`RULES`). Descriptions are those
of the models, so that `kubectl explain` speaks. Written files are checked in; a test makes them again and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from berth_api.llm_service import LLMServiceSpec, LLMServiceStatus
from berth_api.llm_service_rules import LLM_SERVICE_RULES
from berth_api.packing_plan import PackingPlanSpec, PackingPlanStatus
from berth_api.packing_policy import PackingPolicySpec, PackingPolicyStatus
from berth_api.packing_rules import PLAN_RULES, POLICY_RULES
from berth_api.resource import GROUP, VERSION, ApiModel
from berth_api.rule import Rule

Json = dict[str, Any]

MAX_BYTES = 200 * 1024
"""kubectl apply keeps a copy in an annotation, which may hold 256 KiB."""

SCALE: Json = {
    "scale": {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
}

MAX_MAP_ENTRIES = 64
MAX_STRING = 1_024

KUBERNETES = "x-kubernetes-"
PRESERVED = "x-kubernetes-preserve-unknown-fields"

_COPIED = (
    "type",
    "description",
    "enum",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "maxLength",
    "minLength",
    "maxItems",
)
"""With all of `x-kubernetes-`, what structural schemas know."""


class Column(NamedTuple):
    name: str
    path: str
    type: str = "string"
    priority: int = 0
    """0: always shown; 1: with -o wide."""


class Definition(NamedTuple):
    kind: str
    plural: str
    short: str
    about: str
    spec: type[ApiModel]
    status: type[ApiModel]
    columns: tuple[Column, ...]
    rules: Mapping[str, Sequence[Rule]]
    """Path of a field (dots, `[]` for items; empty: the object itself) to the rules that stand there."""
    namespaced: bool = False
    scale: bool = False
    """Whether `kubectl scale` and autoscalers may ask for replicas."""


DEFINITIONS = (
    Definition(
        "LLMService",
        "llmservices",
        "llmsvc",
        "A model that is served: which weights, by which engine, on what, how many times, and how urgent it is. "
        "status.url is where it answers, once the condition Ready is True.",
        LLMServiceSpec,
        LLMServiceStatus,
        (
            Column("Model", ".spec.model.uri"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Replicas", ".status.readyReplicas", "integer"),
            Column("Desired", ".status.desiredReplicas", "integer"),
            Column("Priority", ".spec.priority"),
            Column("Nodes", ".status.nodes[*].name"),
            Column("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
            Column("URL", ".status.url", priority=1),
            Column("Hint", ".spec.placement.hint", priority=1),
            Column("Message", ".status.conditions[?(@.type=='Ready')].message", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        LLM_SERVICE_RULES,
        namespaced=True,
        scale=True,
    ),
    Definition(
        "PackingPlan",
        "packingplans",
        "pplan",
        "A proven way to place more pods: which are evicted, which go where, in which order, and what is known about it. "
        "Approve it with spec.approved: true, stop it with spec.cancelled: true.",
        PackingPlanSpec,
        PackingPlanStatus,
        (
            Column("Policy", ".spec.policy"),
            Column("Trigger", ".spec.trigger"),
            Column("Phase", ".status.phase"),
            Column("Progress", ".status.progress"),
            Column("Moves", ".spec.certificate.disruption.moves", "integer"),
            Column("Approved", ".spec.approved", "boolean", priority=1),
            Column("Summary", ".spec.summary", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        PLAN_RULES,
    ),
    Definition(
        "PackingPolicy",
        "packingpolicies",
        "ppolicy",
        "What the planning loop may do by itself, to whom, and how much of it. Without any policy the defaults shown here hold.",
        PackingPolicySpec,
        PackingPolicyStatus,
        (
            Column("Mode", ".spec.mode"),
            Column("Moves/h", ".status.movesLastHour", "integer"),
            Column("Conflict", ".status.conditions[?(@.type=='Conflict')].status"),
            Column("Last plan", ".status.lastPlan", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        POLICY_RULES,
    ),
)


def definition(of: Definition) -> Json:
    """The CustomResourceDefinition, ready for the API server."""
    schema: Json = {
        "type": "object",
        "description": of.about,
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(of.spec),
            "status": structural(of.status, defaults=False),
        },
    }
    for path, rules in of.rules.items():
        at(schema, path)["x-kubernetes-validations"] = [{"rule": rule.cel, "message": rule.message} for rule in rules]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{of.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced" if of.namespaced else "Cluster",
            "names": {
                "kind": of.kind,
                "listKind": f"{of.kind}List",
                "plural": of.plural,
                "singular": of.kind.lower(),
                "shortNames": [of.short],
                "categories": ["berth"],
            },
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}} | (SCALE if of.scale else {}),
                    "additionalPrinterColumns": [_column(c) for c in of.columns],
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def structural(model: type[ApiModel], *, defaults: bool = True) -> Json:
    """The structural schema of a model. `defaults`: whether the API server fills in the models' defaults."""
    whole = model.model_json_schema(by_alias=True)
    return _structural(whole, whole.get("$defs", {}), defaults)


def at(schema: Json, path: str) -> Json:
    """The schema of a field: `spec.budgets.quietHours[]`."""
    for part in path.split(".") if path else ():
        schema = schema["properties"][part.removesuffix("[]")]
        if part.endswith("[]"):
            schema = schema["items"]
    return schema


def render(of: Definition) -> str:
    body: str = yaml.safe_dump(definition(of), sort_keys=False, width=110, allow_unicode=True)
    return f"# Made from the models in api/berth_api by `python -m berth_api.crds`; do not edit.\n{body}"


def file_name(of: Definition) -> str:
    return f"{GROUP}_{of.plural}.yaml"


def _column(column: Column) -> Json:
    made: Json = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return made | ({"priority": column.priority} if column.priority else {})


def _structural(schema: Json, named: Mapping[str, Json], defaults: bool) -> Json:
    schema = _plain(schema, named)
    out: Json = {
        key: schema[key] for key in (*_COPIED, *(k for k in schema if k.startswith(KUBERNETES))) if key in schema
    }
    if "const" in schema:
        out["enum"] = [schema["const"]]
    match schema.get("type"):
        case "object":
            if "properties" in schema:
                out["properties"] = {
                    name: _structural(field, named, defaults) for name, field in schema["properties"].items()
                }
                if required := schema.get("required"):
                    out["required"] = required
            elif PRESERVED not in out:
                out["additionalProperties"] = _structural(schema["additionalProperties"], named, defaults)
                out["maxProperties"] = MAX_MAP_ENTRIES
        case "array":
            out["items"] = _structural(schema["items"], named, defaults)
            out.setdefault("maxItems", MAX_MAP_ENTRIES)
        case "integer":
            out["format"] = "int64"
        case "number":
            out["format"] = "double"
        case "string" if "enum" not in out and "format" not in out:
            out.setdefault("maxLength", MAX_STRING)
    if defaults and schema.get("default") is not None:
        out["default"] = _without_nulls(schema["default"])
    if "description" in out:
        out["description"] = " ".join(str(out["description"]).split()).replace("``", "`")
    return out


def _without_nulls(value: object) -> object:
    """A default as the API server takes it: what is null is absent."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return value


def _plain(schema: Json, named: Mapping[str, Json]) -> Json:
    """References followed, and `X or null` taken as an X that may be absent."""
    while "$ref" in schema or "anyOf" in schema or "allOf" in schema:
        beside = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "allOf")}
        if "$ref" in schema:
            target = named[schema["$ref"].rsplit("/", 1)[1]]
        else:
            choices = [c for c in (schema.get("anyOf") or schema.get("allOf") or []) if c.get("type") != "null"]
            if len(choices) != 1:
                raise ValueError(f"a structural schema has no choice of types: {schema}")
            target = choices[0]
        schema = {**target, **beside}
    return schema


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m berth_api.crds FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for of in DEFINITIONS:
        path = folder / file_name(of)
        path.write_text(render(of))
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
