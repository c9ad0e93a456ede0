"""Durations as people type them: 1s, 500ms, 2m, 1m30s, or plain seconds."""

from __future__ import annotations

import re

MAX_SECONDS = 24 * 3600.0

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


def seconds_of(text: str) -> float:
    """Raises ValueError with a sentence when `text` is no duration, or not above zero and at most a day."""
    text = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text)
    elif text and _PART.sub("", text) == "":
        seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    else:
        raise ValueError(f"{text!r} is not a duration: write 500ms, 1s, 2m or 1m30s")
    if not 0 < seconds <= MAX_SECONDS:
        raise ValueError(f"{text!r} is out of range: more than zero, at most 24h")
    return seconds


def spoken(seconds: float) -> str:
    """1.2 ms, 0.31 s, 12.0 s, 2 min 5 s."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 90:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
