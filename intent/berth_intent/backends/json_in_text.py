"""The JSON object in what a model said: alone, in a fence, or after it has thought aloud. Linear in the text, whatever it is."""

from __future__ import annotations

import msgspec

MAX_TRIES = 8
"""Opening braces that are tried: prose has few."""
_THOUGHT_ALOUD = "</think>"


def json_object(text: str) -> msgspec.Raw | None:
    """The first that can be decoded; None when there is none."""
    said = text.rpartition(_THOUGHT_ALOUD)[2].strip()
    end = said.rfind("}") + 1
    start = -1
    for _ in range(MAX_TRIES):
        start = said.find("{", start + 1)
        if start < 0 or start >= end:
            return None
        candidate = said[start:end].encode(errors="replace")
        try:
            msgspec.json.decode(candidate, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError):
            continue
        return msgspec.Raw(candidate)
    return None
