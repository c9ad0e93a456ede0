"""A rule of a CRD: what a schema alone cannot say, in CEL, with the sentence that a person reads when it is broken."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    cel: str
    message: str
