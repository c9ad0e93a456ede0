"""Odd things in the input that were handled: counted once a sentence, with one example, in an order that no file decides."""

from __future__ import annotations

from berth_api.reasons import Reason
from berth_cluster.snapshot import InputWarning


class Findings:
    """Collects warnings while a dump is read. The example kept is the first by name, whatever the order of reading."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Reason, str], tuple[int, str]] = {}

    def add(self, reason: Reason, message: str, example: str = "") -> None:
        count, first = self._seen.get((reason, message), (0, example))
        self._seen[reason, message] = (count + 1, min(first, example))

    def warnings(self) -> tuple[InputWarning, ...]:
        """Sorted by code, then sentence."""
        return tuple(
            InputWarning(reason, message, count, example)
            for (reason, message), (count, example) in sorted(self._seen.items())
        )
