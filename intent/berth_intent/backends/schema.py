"""JSON Schema of an answer, made from the table of intents, for servers that hold a model to it.

Within what strict modes of the servers have in common: every field required, none besides, no bounds on numbers or lengths, no
conditions. What it cannot say, `validated` checks; that goes for everything in it too, since not every server keeps to it.
"""

from __future__ import annotations

from functools import cache

import msgspec

from berth_intent.intents import STRENGTHS, Intent, Level

NAME = "placement_wishes"
DESCRIPTION = "Placement wishes that a note states, in the order of the text."


@cache
def answer_schema() -> dict[str, object]:
    wish: dict[str, object] = {
        "intent": {"type": "string", "enum": [intent.value for intent in Intent]},
        "values": _texts(),
        "amount": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "rank": _or_null(["high", "low"]),
        "scope": _or_null([level.value for level in Level]),
        "strength": {"type": "number", "enum": sorted(STRENGTHS)},
        "text": {"type": "string"},
    }
    return _object({"preferences": {"type": "array", "items": _object(wish)}, "unparsed": _texts()})


@cache
def answer_schema_text() -> str:
    return msgspec.json.encode(answer_schema()).decode()


def _object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _texts() -> dict[str, object]:
    return {"type": "array", "items": {"type": "string"}}


def _or_null(words: list[str]) -> dict[str, object]:
    return {"anyOf": [{"type": "string", "enum": words}, {"type": "null"}]}
