"""A file on its way: its bytes in a part file, and beside it a journal of which pieces are there. A kill at any byte loses at
most the pieces that were under way.

The journal is append-only: a first line {"file", "version"}, then one number a line for each piece that was written. It is a
promise about the page cache and not about the disk: after a power cut it may promise too much. So nobody trusts it for
correctness, only for what need not be fetched again: every byte is hashed from the part file before the file counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from berth_operator.weights.manifest import File

PIECE = 16 << 20
"""Bytes of a range, and of what a kill can cost per connection. Larger ones resume worse, smaller ones ask more often."""


@dataclass(slots=True)
class Part:
    """One file of the manifest, the `number`th. A new `attempt` starts from nothing, in a file that no late writer has open."""

    file: File
    number: int
    folder: Path
    attempt: int = 0
    version: str | None = None
    done: set[int] = field(default_factory=set)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.number}.{self.attempt}.part"

    @property
    def journal(self) -> Path:
        return self.folder / f"{self.number}.{self.attempt}.pieces"

    @property
    def pieces(self) -> int:
        return -(-self.file.size // PIECE)

    def span(self, piece: int) -> tuple[int, int]:
        """First byte, and the one past the last."""
        return piece * PIECE, min((piece + 1) * PIECE, self.file.size)

    def resume(self) -> None:
        """Takes up what a killed run left. A torn last line, or a journal of another file, counts for nothing."""
        try:
            lines = self.journal.read_text(errors="replace").split("\n")[:-1]
            head = json.loads(lines[0])
            if head["file"] != [self.file.path, self.file.size, self.file.sha256]:
                raise ValueError
            there = self.path.stat().st_size
            self.version = str(head["version"])
            numbers = (int(line) for line in lines[1:] if line.isdecimal())
            self.done = {n for n in numbers if n < self.pieces and self.span(n)[1] <= there}
        except (OSError, ValueError, LookupError, TypeError):
            self.version, self.done = None, set()
            self.journal.unlink(missing_ok=True)

    def note(self, piece: int) -> None:
        """Records a piece that was written. Called under the download's lock."""
        self.done.add(piece)
        if self.pieces == 1:
            return  # it is whole, and hashed and renamed in a moment
        line = f"{piece}\n"
        if len(self.done) == 1:
            head = {"file": [self.file.path, self.file.size, self.file.sha256], "version": self.version}
            line = json.dumps(head) + "\n" + line
        descriptor = os.open(self.journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def start_again(self) -> None:
        """Forgets all bytes."""
        self.path.unlink(missing_ok=True)
        self.journal.unlink(missing_ok=True)
        self.attempt += 1
        self.version, self.done = None, set()
