"""A model that is on this machine already: `path://` and a mounted `pvc://`. Checked where it lies, never copied.

Every byte is read when there is a digest to hold it against: some 0.7 s of one core per GB.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from berth_api.reasons import Reason
from berth_operator.weights.manifest import (
    LARGEST_MANIFEST,
    MANIFEST,
    Manifest,
    files_below,
    hash_file,
    manifest_of_folder,
    parse,
)
from berth_operator.weights.progress import Progress
from berth_operator.weights.refused import Refused


def verified_folder(folder: Path, digest: str | None, progress: Progress) -> Manifest:
    """What the folder holds: its manifest if it has one, else one made from its bytes. Raises Refused."""
    try:
        if not folder.is_dir():
            raise Refused(Reason.MODEL_NOT_FOUND, f"{folder} is no folder here: check the path and the volume's mount")
        progress.begin(sum(path.stat().st_size for path in files_below(folder)))
        manifest = _held_against_its_own(folder, progress) or manifest_of_folder(folder, _counting(progress))
    except OSError as error:
        raise Refused(
            Reason.MODEL_NOT_FOUND,
            f"{error.filename or folder} cannot be read ({error.strerror}): let this user read it",
        ) from error
    same_digest(manifest, digest, str(folder))
    return manifest


def same_digest(manifest: Manifest, digest: str | None, where: str) -> None:
    """Raises Refused(DigestMismatch)."""
    if digest is not None and manifest.digest != digest:
        raise Refused(
            Reason.DIGEST_MISMATCH,
            f"{where} is {manifest.digest}, not {digest}: name the digest that is meant, or push that model again",
        )


def _held_against_its_own(folder: Path, progress: Progress) -> Manifest | None:
    try:
        with (folder / MANIFEST).open("rb") as opened:
            text = opened.read(LARGEST_MANIFEST + 1)
    except FileNotFoundError:
        return None
    manifest = parse(text, str(folder / MANIFEST))
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file():
            raise Refused(Reason.FILE_CORRUPT, f"{path} is in the manifest and not in the folder: copy the model again")
        if path.stat().st_size != file.size or hash_file(path, _counting(progress)) != file.sha256:
            raise Refused(Reason.FILE_CORRUPT, f"{path} is not what the manifest says: copy the model again")
    return manifest


def _counting(progress: Progress) -> Callable[[int], None]:
    def count(size: int) -> None:
        progress.add(size)
        progress.tick()

    return count
