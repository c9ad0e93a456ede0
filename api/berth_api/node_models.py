"""The annotation `berth.dev/models` on a node: which models lie there, and how large each is.

A JSON object of model (as in the label `berth.dev/model` of pods) to bytes, keys sorted. Written by the operator, read by whoever
places pods. What cannot be read says nothing: a node without the annotation is as good a node as before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

MODELS = "berth.dev/models"
MAX_MODELS = 64
"""Of one node. 4 KiB with names of 40 digits; an object's annotations may take 256 KiB together."""
MAX_TEXT = 8_192
MAX_NAME = 63
"""A label's value is no longer."""
MAX_BYTES = 2**53

Models = tuple[tuple[str, int], ...]
"""Model and bytes, sorted by model."""

_decoder = msgspec.json.Decoder(dict[str, int])


def written(models: Iterable[tuple[str, int]]) -> str | None:
    """What the annotation says of these, the first MAX_MODELS of them; None: it is not there."""
    kept = _sound(models)
    return json.dumps(dict(kept), separators=(",", ":")) if kept else None


def read(text: str | None) -> Models:
    """The same back. Anything else is nothing."""
    if not text or len(text) > MAX_TEXT:
        return ()
    try:
        return _sound(sorted(_decoder.decode(text).items()))
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return ()


def _sound(models: Iterable[tuple[str, int]]) -> Models:
    kept: dict[str, int] = {}
    for name, size in models:
        if len(kept) < MAX_MODELS and name and name.isascii() and len(name) <= MAX_NAME and 0 <= size <= MAX_BYTES:
            kept.setdefault(name, size)
    return tuple(sorted(kept.items()))
