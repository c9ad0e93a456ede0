"""Gives the scheduler what a language model made of hints, when the cluster's ConfigMap has other answers than before.

What else lies there (what was spent today) changes more often, and makes no difference to readings: then nothing is done, for new
answers mean that hints are read anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from berth_intent.improvements import Improvements, is_entry_key
from berth_scheduling.understanding import Improved

AGAIN_SECONDS = 10.0
"""Answers that come one after the other are taken together."""


class HintAnswers:
    def __init__(
        self,
        kept: Callable[[], Mapping[str, str]],
        improve: Callable[[Improved], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """kept: data of the ConfigMap, the same object while it is unchanged."""
        self._kept = kept
        self._improve = improve
        self._clock = clock
        self._seen: Mapping[str, str] | None = None
        self._answers: dict[str, str] = {}
        self._looked_at = float("-inf")

    def __len__(self) -> int:
        return len(self._answers)

    def look(self) -> None:
        """To be called about once a second."""
        kept = self._kept()
        if kept is self._seen or self._clock() - self._looked_at < AGAIN_SECONDS:
            return
        self._seen, self._looked_at = kept, self._clock()
        answers = {key: value for key, value in kept.items() if is_entry_key(key)}
        if answers != self._answers:
            self._answers = answers
            self._improve(Improvements(answers).of)
