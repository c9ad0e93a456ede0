"""JSON that is nested deeper than a decoder can follow: cut where it is too deep, so that what is around it can still be read.

The API server takes 10,000 levels where a schema leaves a field open (LLMService's podTemplate); msgspec gives up at Python's
recursion limit, for a whole page because of one object in it. Costs a pass over the text, 20 to 60 ms a MB; only for texts that a
decoder has given up on.
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels that are kept. A page, its list, an object and a pod template's deepest field of use have some 20."""
CUT = b'"\\u0000nested too deep"'
"""In the place of what was deeper. No text that the API server stores is spelt like this: it writes other escapes for NUL."""

_PARTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{\[]|[}\]]', re.DOTALL)


def cut_deep(text: bytes) -> bytes:
    """The same JSON with CUT in the place of every value below DEEPEST levels; what is no JSON is still none."""
    kept: list[bytes] = []
    depth = begin = 0
    for part in _PARTS.finditer(text):
        match part[0]:
            case b"{" | b"[":
                depth += 1
                if depth == DEEPEST + 1:
                    kept += (text[begin : part.start()], CUT)
            case b"}" | b"]":
                depth -= 1
                if depth == DEEPEST:
                    begin = part.end()
    return b"".join((*kept, text[begin:])) if depth == 0 else text
