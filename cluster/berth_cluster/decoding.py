"""JSON bytes to one typed value; where that fails, the field at fault in the dump's own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw

from berth_cluster.errors import FieldError
from berth_cluster.recent import Recent

TEXTS = 8_192
"""Kept in each generation of a memory of converted texts."""

_AT = re.compile(r"^(.*?)(?: - at `(?:key in )?\$?(.*?)`)?$", re.DOTALL)

MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises: text that is no UTF-8 is told apart from text that is no JSON, or is nested without end (depth.py)."""

_ABSENT = (b"", b"null")

T = TypeVar("T")
S = TypeVar("S")


def field_error(error: Exception, path: str = "") -> FieldError:
    """`Expected `str`, got `int` - at `$.spec.nodeName`` becomes field spec.nodeName and the rest of the sentence."""
    if isinstance(error, UnicodeDecodeError):
        return FieldError(path, "has text that is not UTF-8")
    if isinstance(error, RecursionError):
        return FieldError(path, "is nested too deep")
    match = _AT.match(str(error))
    message, place = (match[1], match[2] or "") if match else (str(error), "")
    return FieldError((path + place).lstrip("."), message[:1].lower() + message[1:].replace("`", "'"))


class Once(Generic[T, S]):
    """Decodes and converts each distinct text once: pods of one template share most of theirs word for word.

    Bounded: a text that has not been seen for thousands of others is converted again.
    """

    def __init__(self, wire: type[T], path: str, convert: Callable[[T, str], S], absent: S) -> None:
        self._decode = msgspec.json.Decoder(wire).decode
        self._path = path
        self._convert = convert
        self._absent = absent
        self._known: Recent[bytes, S] = Recent(TEXTS)

    def __call__(self, raw: Raw) -> S:
        text = bytes(raw)
        if text in _ABSENT:
            return self._absent
        known = self._known.get(text)
        if known is not None:
            return known
        try:
            decoded = self._decode(text)
        except MALFORMED as error:
            raise field_error(error, self._path) from error
        found = self._convert(decoded, self._path)
        self._known.put(text, found)
        return found
