"""Values as values.schema.json allows them, for hypothesis: the part of JSON Schema that the file uses, and an error for the rest."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

KNOWN = {
    *("type", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "items", "minItems", "uniqueItems"),
    *("properties", "additionalProperties", "minProperties", "required", "$schema", "title"),
}
TEXT = st.text(st.sampled_from("abz09-._/:#{}[]&*!|>'\"%@` ,?~\\"), max_size=12)
"""What YAML would take for something else where a template does not quote."""


def values(schema: Json) -> st.SearchStrategy[Any]:
    unknown = schema.keys() - KNOWN
    if unknown:
        raise NotImplementedError(f"values.schema.json uses {unknown}: teach this strategy")
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_OF[kind](schema) for kind in kinds])


def _object(schema: Json) -> st.SearchStrategy[Any]:
    fields = {key: values(of) for key, of in schema.get("properties", {}).items() if key != "global"}
    needed = {key: fields.pop(key) for key in schema.get("required", ())}
    known = st.fixed_dictionaries(needed, optional=fields)
    further = schema.get("additionalProperties")
    if not isinstance(further, dict):
        return known
    keys = st.from_regex(r"\A[a-z]([-a-z0-9]{0,8}[a-z0-9])?\Z")
    return st.dictionaries(keys, values(further), min_size=schema.get("minProperties", 0), max_size=2)


def _array(schema: Json) -> st.SearchStrategy[Any]:
    most = 2 if schema["items"].get("type") != "object" else 1
    return st.lists(
        values(schema["items"]),
        min_size=schema.get("minItems", 0),
        max_size=most,
        unique=bool(schema.get("uniqueItems")),
    )


def _string(schema: Json) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    if "pattern" not in schema:
        return TEXT.filter(lambda text: len(text) >= least)
    # \Z: in Python $ would take a line's end, too; ASCII: Go's \w is
    pattern = re.compile(schema["pattern"].removesuffix("$") + r"\Z", re.ASCII)
    return st.from_regex(pattern, alphabet=st.characters(min_codepoint=33, max_codepoint=126)).filter(
        lambda text: len(text) <= min(most, 200)
    )


def _whole(schema: Json) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum", 0), schema.get("maximum", 10_000))


_OF = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _whole,
    "number": _whole,
    "boolean": lambda _: st.booleans(),
}
