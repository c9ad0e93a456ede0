"""What a model's files are: `berth-model.json`, its canonical bytes and their digest. Strict about what it reads.

{"files": [{"path", "size", "sha256"}]}, sorted by path, keys sorted, no spaces, UTF-8. The digest is "sha256:" and the SHA-256
of those bytes, so that it stands for every byte of every file.

A manifest comes from outside: its size and the number of its files are capped, and no path may leave the folder, stand twice,
or be both a file and a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from berth_api.reasons import Reason
from berth_operator.weights.refused import Refused

MANIFEST = "berth-model.json"
COMPLETE = ".complete"
LARGEST_MANIFEST = 16 << 20
"""Bytes."""
MOST_FILES = 100_000
LONGEST_PATH = 1024
"""Bytes, S3's own limit."""
BLOCK = 1 << 20
"""Bytes hashed at a time."""
LEFT_OUT = frozenset((".git", ".cache"))
"""Folders beside a model's files that belong to the tools which fetched it."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    files: tuple[File, ...]
    text: bytes

    @property
    def digest(self) -> str:
        return "sha256:" + hashlib.sha256(self.text).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def manifest_of(files: Iterable[File]) -> Manifest:
    """The manifest of these files, in canonical form."""
    ordered = tuple(sorted(files, key=lambda file: file.path))
    document = {"files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in ordered]}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Manifest(ordered, text.encode())


def parse(text: bytes, where: str) -> Manifest:
    """The manifest with exactly these bytes. Raises Refused(ManifestInvalid)."""
    entries = entries_of(text, where)
    return Manifest(checked((_file(entry, where) for entry in entries), where), text)


def entries_of(text: bytes, where: str) -> list[Any]:
    """What its list of files holds, unchecked but for their number. Raises Refused(ManifestInvalid)."""
    if len(text) > LARGEST_MANIFEST:
        raise invalid(where, f"it is larger than {LARGEST_MANIFEST >> 20} MiB")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise invalid(where, f"it is not JSON ({type(error).__name__})") from error
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        raise invalid(where, f"it lists no files, or more than {MOST_FILES}")
    return files


def checked(files: Iterable[File], where: str) -> tuple[File, ...]:
    """The same files, if they can lie together in one folder. Raises Refused(ManifestInvalid)."""
    found = tuple(files)
    paths = [file.path for file in found]
    if len(set(paths)) != len(paths):
        raise invalid(where, "it names a path twice")
    if paths != sorted(paths):
        raise invalid(where, "its files are not sorted by path")
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    if both := folders.intersection(paths):
        raise invalid(where, f"{min(both)!r} is a file and a folder")
    return found


def _file(entry: Any, where: str) -> File:
    match entry:
        case {"path": str(path), "size": int(size), "sha256": str(sha256)} if not isinstance(size, bool):
            pass
        case _:
            raise invalid(where, "a file of it lacks path, size or sha256")
    if not stays_inside(path):
        raise invalid(where, f"it names {path[:80]!r}, which is not a plain path inside the model's folder")
    if size < 0 or _SHA256.fullmatch(sha256) is None:
        raise invalid(where, f"size or sha256 of {path!r} is impossible")
    return File(path, size, sha256)


def stays_inside(path: str) -> bool:
    """Is it a relative path in plain form, which no other file of ours has?"""
    pure = PurePosixPath(path)
    plain = path.isprintable() and "\\" not in path and len(path.encode(errors="replace")) <= LONGEST_PATH
    return (
        plain
        and bool(pure.parts)
        and not pure.is_absolute()
        and ".." not in pure.parts
        and str(pure) == path
        and path not in (MANIFEST, COMPLETE)
    )


def invalid(where: str, why: str) -> Refused:
    return Refused(Reason.MANIFEST_INVALID, f"{where} is not a manifest: {why}; write it with `berth model push`")


def files_below(folder: Path) -> Iterator[Path]:
    """A model's files; links to files count as files, links to folders are not followed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        for name in sorted(names):
            path = Path(parent, name)
            if Path(parent) == folder and name in (MANIFEST, COMPLETE):
                continue
            yield path


def hash_file(path: Path, progress: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file's bytes; about 1.5 GB/s a core where the processor helps, with 1 MiB of memory."""
    hashed = hashlib.sha256()
    with path.open("rb", buffering=0) as opened:
        while piece := opened.read(BLOCK):
            hashed.update(piece)
            if progress:
                progress(len(piece))
    return hashed.hexdigest()


def manifest_of_folder(folder: Path, progress: Callable[[int], None] | None = None) -> Manifest:
    """Reads every byte. Raises Refused when there is no file, or one whose path could not be fetched again."""
    files = []
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if not stays_inside(name):
            raise Refused(Reason.MANIFEST_INVALID, f"{name[:80]!r} cannot be in a manifest: give the file a plain name")
        files.append(File(name, path.stat().st_size, hash_file(path, progress)))
    if not files:
        raise Refused(Reason.MODEL_NOT_FOUND, f"{folder} holds no files: name the folder that holds the model")
    return manifest_of(files)
