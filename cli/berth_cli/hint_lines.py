"""`berth hint --jsonl`: a filter, one hint a line in and one answer a line out, in the same order.

Each answer is written whole and flushed before the next line is read, so that another program can talk to it through a pair of
pipes. A line that is no hint is answered by {"id", "error"} in its place, named on stderr with its number, and the others are
answered all the same. Memory: one line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from berth_cli.exits import CommandError
from berth_intent.parser import parse
from berth_intent.understood import as_json
from berth_intent.vocabulary import Vocabulary

STANDARD_INPUT = "-"
MAX_LINE = 2**20
"""Bytes; a longer line is not read, but counted."""
MAX_NAMED = 20
"""Bad lines that are named; the rest is counted."""


class HintLine(msgspec.Struct, frozen=True):
    """Other fields are ignored, so that labelled hints can be given as they are."""

    id: str | int
    hint: str


class Tally:
    """What the end of the command needs to know."""

    def __init__(self) -> None:
        self.lines = 0
        self.bad: list[str] = []
        """The first MAX_NAMED errors, each with its file and line number."""
        self.bad_count = 0

    def count_bad(self, said: str) -> None:
        self.bad_count += 1
        if len(self.bad) < MAX_NAMED:
            self.bad.append(said)


def answer_lines(name: str, vocabulary: Vocabulary) -> Tally:
    """Raises CommandError when the file cannot be read."""
    tally = Tally()
    encoder = msgspec.json.Encoder()
    with _open(name) as file:
        for number, line in _lines(file):
            tally.lines += 1
            answer: dict[str, object]
            try:
                asked = _read(line)
            except ValueError as error:
                said = f"line {number}: {error}"
                tally.count_bad(f"{'standard input' if name == STANDARD_INPUT else name}: {said}")
                answer = {"id": _id(line), "error": said}
            else:
                answer = {"id": asked.id} | as_json(parse(asked.hint, vocabulary))
            sys.stdout.buffer.write(encoder.encode(answer) + b"\n")
            sys.stdout.buffer.flush()
    return tally


def _read(line: bytes | None) -> HintLine:
    if line is None:
        raise ValueError(f"longer than {MAX_LINE // 1024} KiB")
    try:
        return msgspec.json.decode(line, type=HintLine)
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    except msgspec.DecodeError as error:
        raise ValueError(f"not JSON: {error}") from None


class _OnlyId(msgspec.Struct, frozen=True):
    id: str | int | None = None


def _id(line: bytes | None) -> str | int | None:
    """Of a bad line, where it has one all the same."""
    try:
        return msgspec.json.decode(line or b"", type=_OnlyId).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Those that are not blank, numbered from 1; None for one that is too long."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif line.strip():
            yield number, line


def _open(name: str) -> IO[bytes]:
    if name == STANDARD_INPUT:
        if sys.stdin.isatty():
            raise CommandError("--jsonl - reads standard input, and nothing is piped into it")
        return open(sys.stdin.fileno(), "rb", closefd=False)
    if Path(name).is_dir():
        raise CommandError(f"{name}: is a folder, not a file of JSON lines")
    try:
        return open(name, "rb")
    except FileNotFoundError:
        raise CommandError(f"{name}: no such file") from None
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror or error}") from error
