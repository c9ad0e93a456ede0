"""How far a fetch is, told at a sane rate: a line every few seconds, and a small file that is always whole.

Counting costs a lock and an addition; telling happens on the thread that calls `tick`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TextIO

EVERY_SECONDS = 5.0


class Progress:
    """`as_json`: each line is one JSON object {"event", ...} instead of a sentence."""

    def __init__(
        self,
        out: TextIO,
        *,
        as_json: bool = False,
        file: Path | None = None,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out, self._as_json, self._file, self._every, self._clock = out, as_json, file, every, clock
        self._lock = Lock()
        self.done = self.total = 0
        self._from = 0
        self._began = self._told = clock()

    def begin(self, total: int) -> None:
        with self._lock:
            self.done = self._from = 0
            self.total, self._began = total, self._clock()

    def add(self, count: int, *, at_hand: bool = False) -> None:
        """at_hand: these bytes were here already, and say nothing of the speed. A negative count takes bytes back."""
        with self._lock:
            self.done += count
            if at_hand:
                self._from += count

    def say(self, event: str, sentence: str) -> None:
        """Something worth a line of its own."""
        self._write(json.dumps({"event": event, "message": sentence}) if self._as_json else sentence)

    def tick(self) -> None:
        """Tells how far it is, if that was not told a moment ago."""
        now = self._clock()
        if now - self._told < self._every:
            return
        self._told = now
        with self._lock:
            done, total = self.done, self.total
            speed = max(0, done - self._from) / max(now - self._began, 1e-9)
        left = (total - done) / speed if speed else None
        facts = {"event": "progress", "done": done, "total": total, "bytesPerSecond": round(speed)}
        facts |= {"secondsLeft": round(left)} if left is not None else {}
        if self._file is not None:
            _replace(self._file, json.dumps(facts))
        share = f"{100 * done // total}%" if total else "0%"
        ahead = "" if left is None else f", {left / 60:.0f} min left" if left >= 90 else f", {left:.0f} s left"
        sentence = f"{in_words(done)} of {in_words(total)} ({share}), {in_words(round(speed))}/s{ahead}"
        self._write(json.dumps(facts) if self._as_json else sentence)

    def _write(self, line: str) -> None:
        print(line, file=self._out, flush=True)


def in_words(count: int) -> str:
    """Bytes in decimal units, as disks and networks are sold: `1.5 GB`."""
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    unfinished.write_text(text + "\n")
    unfinished.replace(path)
