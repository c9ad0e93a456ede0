"""Is this folder the model it claims to be? The manifest of a model's files, and its digest.

`berth-model.json` lies beside the files: {"files": [{"path", "size", "sha256"}]}, sorted by path, canonical JSON. The digest
of a model is "sha256:" and the SHA-256 of those bytes, so it stands for every byte of every file. A complete copy has a file
`.complete`, written last.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MANIFEST = "berth-model.json"
COMPLETE = ".complete"
LARGEST_MANIFEST = 16 << 20  # bytes
PIECE = 8 << 20  # bytes read at a time


class ModelRefused(Exception):  # noqa: N818 - its reason code is its name to users
    """A model that is not loaded: a CamelCase reason code, and a sentence that says what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message


@dataclass(frozen=True, slots=True)
class File:
    path: str
    size: int
    sha256: str


def read_manifest(folder: Path, digest: str) -> list[File]:
    """The files that the manifest of this digest names. Raises ModelRefused."""
    if not (folder / COMPLETE).exists():
        raise ModelRefused("ModelIncomplete", f"{folder} has no {COMPLETE}: let berth-fetch finish, then start again")
    try:
        with (folder / MANIFEST).open("rb") as opened:
            text = opened.read(LARGEST_MANIFEST + 1)
    except OSError as error:
        raise ModelRefused("ModelIncomplete", f"{folder / MANIFEST} cannot be read ({error.strerror})") from error
    found = "sha256:" + hashlib.sha256(text).hexdigest()
    if found != digest:
        raise ModelRefused(
            "DigestMismatch", f"the manifest in {folder} is {found}, not {digest}: fetch the model again"
        )
    try:
        files = [File(str(file["path"]), int(file["size"]), str(file["sha256"])) for file in json.loads(text)["files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused("DigestMismatch", f"{folder / MANIFEST} is no manifest of files ({error})") from error
    for file in files:
        pure = PurePosixPath(file.path)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise ModelRefused(
                "DigestMismatch", f"the manifest names {file.path!r}, which is not inside the model's folder"
            )
    return files


def hold(folder: Path) -> int | None:
    """Keep a fetched model from being evicted from its cache as long as this process lives: a shared lock on its marker,
    which is what berth-fetch asks for. None where there is no marker, or a file system without locks."""
    try:
        marker = os.open(folder / COMPLETE, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(marker, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(marker)
        return None
    return marker


def verify(folder: Path, digest: str, progress: Callable[[int, int], None] | None = None) -> None:
    """Check every byte of a model against its digest; `progress(done, total)` in bytes. Raises ModelRefused."""
    files = read_manifest(folder, digest)
    total, done = sum(file.size for file in files), 0
    named = {PurePosixPath(file.path) for file in files}
    for extra in folder.rglob("*"):
        inside = PurePosixPath(extra.relative_to(folder).as_posix())
        if extra.is_file() and inside not in named and inside.name not in (MANIFEST, COMPLETE):
            raise ModelRefused("DigestMismatch", f"{extra} is not in the manifest: remove it, or fetch the model again")
    for file in files:
        path = folder / file.path
        try:
            if path.stat().st_size != file.size:
                raise ModelRefused(
                    "DigestMismatch", f"{path} has {path.stat().st_size} bytes, not {file.size}: fetch it again"
                )
            hashed = hashlib.sha256()
            with path.open("rb") as opened:
                while piece := opened.read(PIECE):
                    hashed.update(piece)
                    done += len(piece)
                    if progress:
                        progress(done, total)
        except OSError as error:
            raise ModelRefused(
                "ModelIncomplete", f"{path} cannot be read ({error.strerror}): fetch it again"
            ) from error
        if hashed.hexdigest() != file.sha256:
            raise ModelRefused(
                "DigestMismatch", f"{path} is damaged: its SHA-256 differs from the manifest; fetch it again"
            )
