"""The committed description is the one that the types give, and what is answered is as described."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from berth_ui.openapi import ENDPOINTS, document

from .demo import asking

DESCRIBED = Path(__file__).parents[2] / "ui" / "openapi.json"


def test_the_committed_description_is_up_to_date() -> None:
    """make page-api writes it."""
    assert json.loads(DESCRIBED.read_text()) == document()


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for path in document()["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names) == len(ENDPOINTS) + 1


def test_answers_are_as_described() -> None:
    described = document()
    with asking() as ask:
        for endpoint in ENDPOINTS:
            path = endpoint.path.format(namespace="llm", name="a100-01")
            if "{namespace}" in endpoint.path:
                path = "/pods/llm/embed-7d4b9-w0"
            body = {"add": [{"like": "a100-01", "count": 1}]} if endpoint.asked is not None else None
            status, found = ask(endpoint.method, f"/api/v1{path}", body)
            name = endpoint.answer.__name__ if status == 200 else "Problem"
            schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
            Draft202012Validator(schema).validate(found)
