"""The CRDs are what the models say, fit where they must fit, and explain each field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_api.crds import DEFINITIONS, MAX_BYTES, Definition, at, definition, file_name, main, render

FOLDER = Path(__file__).parents[2] / "manifests" / "crds"
KIND = pytest.mark.parametrize("of", DEFINITIONS, ids=lambda of: of.kind)
NOT_STRUCTURAL = {"$ref", "anyOf", "oneOf", "allOf", "$defs", "const", "title", "exclusiveMinimum"}


def schema_of(of: Definition) -> dict[str, Any]:
    return definition(of)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def fields(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
    if "items" in schema:
        yield f"{path}[]", schema["items"]
        yield from fields(schema["items"], f"{path}[]")


@KIND
def test_what_is_checked_in_is_what_the_models_say(of: Definition) -> None:
    assert (FOLDER / file_name(of)).read_text() == render(of), "run: python -m berth_api.crds manifests/crds"


def test_nothing_else_lies_beside_them() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file_name(of) for of in DEFINITIONS}


@KIND
def test_it_can_be_applied_client_side(of: Definition) -> None:
    assert len(render(of).encode()) < MAX_BYTES


@KIND
def test_every_field_is_explained_and_bounded(of: Definition) -> None:
    for path, field in fields(schema_of(of), of.kind):
        assert not field.keys() & NOT_STRUCTURAL, path
        if path.endswith("[]") or path.count(".") == 1:
            continue
        assert field.get("description"), f"{path} has no description"
        if field.get("type") == "array":
            assert "maxItems" in field, f"{path} has no end"
        if field.get("type") == "string":
            assert field.keys() & {"maxLength", "enum", "format", "pattern"}, f"{path} has no end"


@KIND
def test_rules_stand_where_they_were_meant(of: Definition) -> None:
    schema = schema_of(of)
    for path, rules in of.rules.items():
        assert [v["rule"] for v in at(schema, path)["x-kubernetes-validations"]] == [rule.cel for rule in rules]


def test_wrong_usage_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: python -m berth_api.crds FOLDER" in capsys.readouterr().err
