"""Writing results: a file appears whole or not at all, and bytes go to stdout unchanged."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from berth_cli.exits import CommandError


def write_whole(path: Path, content: bytes) -> None:
    """Writes beside the target and renames, so that no reader ever sees half a file, nor a failure leaves one behind."""
    folder = path.parent
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to rename onto
            path.write_bytes(content)
            return
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, mode)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror or error}") from error


def check_writable(path: Path, *, keep: Iterable[Path | None] = ()) -> None:
    """Before a long computation: complains now about a folder that is not there rather than after it, and about a file that
    is read or written by the same command."""
    for other in keep:
        if other is not None and _is_same_file(path, other):
            raise CommandError(f"cannot write {path}: this command uses that file already", hint="Give another name.")
    if path.is_dir():
        raise CommandError(f"cannot write {path}: it is a folder", hint="Give the name of a file.")
    if not path.parent.is_dir():
        raise CommandError(f"cannot write {path}: the folder {path.parent} does not exist")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise CommandError(f"cannot write {path}: permission denied")


def _is_same_file(one: Path, other: Path) -> bool:
    if not one.exists() or not other.exists():
        return one.absolute() == other.absolute()
    return one.is_file() and one.samefile(other)


def write_stdout(content: bytes) -> None:
    """Straight to the descriptor's buffer: no encoding, no wrapping."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
