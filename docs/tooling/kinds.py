"""docs/reference/kinds.md: every field of the three kinds, from the definitions that the API server gets.

The descriptions are the models' own, so that `kubectl explain` and this page say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from berth_api.crds import DEFINITIONS, Definition, definition
from berth_api.field_table import table
from docs.tooling.markdown import cell

Json = dict[str, Any]

RULES = "x-kubernetes-validations"


def page() -> str:
    parts = [
        "# Kinds and fields",
        "API group `berth.dev`, version `v1alpha1`. `kubectl explain packingpolicy.spec.budgets` says the same in a cluster. What the\n"
        "fields are for, with examples: [LLMService](../llmservice.md), [PackingPolicy and PackingPlan](../custom-resources.md).",
        *(_kind(of) for of in DEFINITIONS),
    ]
    return "\n\n".join(parts) + "\n"


def _kind(of: Definition) -> str:
    made = definition(of)
    version = made["spec"]["versions"][0]
    scope = "of a namespace" if of.namespaced else "of the cluster"
    columns = ", ".join(
        f"{c['name']}{' (wide)' if c.get('priority') else ''}" for c in version["additionalPrinterColumns"]
    )
    parts = [
        f"## {of.kind}",
        of.about,
        f"`{of.plural}.berth.dev`, short `{of.short}`, {scope}. `kubectl get {of.short}` shows: {columns}.",
        table(of).rstrip(),
        *_rules(version["schema"]["openAPIV3Schema"]),
    ]
    return "\n\n".join(parts)


def _rules(schema: Json) -> list[str]:
    """What the schema refuses beyond types, with its own words."""
    found = list(_found(schema, ""))
    if not found:
        return []
    rows = [f"| `{path or 'the object'}` | {cell(message)} |" for path, message in found]
    return ["\n".join(["| refused | because |", "| --- | --- |", *rows])]


def _found(schema: Json, path: str) -> Iterator[tuple[str, str]]:
    for rule in schema.get(RULES, ()):
        yield path, rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _found(field, f"{path}.{name}" if path else name)
    if isinstance(items := schema.get("items"), dict):
        yield from _found(items, f"{path}[]")
