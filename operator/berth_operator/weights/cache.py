"""The folder in which a node keeps models: fetched once, used by many, and the least recently used makes room.

    <cache>/sha256:.../          a complete model; appears by one rename, with `.complete` written last
    <cache>/.incoming/sha256:... one that is being fetched, or was when its fetcher was killed
    <cache>/.locks/              who fetches what; the locks are flocks, so a killed holder lets go
    <cache>/.evicted/            on its way out

**Use is a shared flock on a model's `.complete`.** Whoever reads a model holds one for as long as it does: our engine, or
`berth-fetch --hold` beside an engine that knows nothing of it. Eviction needs that lock alone, so what is in use stays, on any
file system with flock (local ones, NFSv4), through read-only mounts, and across containers. A model that was used within the
last `keep` seconds stays too: between the init container and the engine's own lock a node may pull an image.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

from berth_api.reasons import Reason
from berth_operator.weights.download import telling_of_the_disk
from berth_operator.weights.manifest import COMPLETE, LARGEST_MANIFEST, MANIFEST, Manifest, is_digest, parse
from berth_operator.weights.progress import in_words
from berth_operator.weights.refused import Refused

KEEP_SECONDS = 1800.0
MARGIN = 64 << 20
"""Bytes of the disk that are left free: names, journals, other writers."""
POLL_SECONDS = 0.2
SAY_SECONDS = 10.0


class Use:
    """A complete model, kept from eviction until `release`, or the process's end."""

    def __init__(self, folder: Path, manifest: Manifest, descriptor: int) -> None:
        self.folder, self.manifest, self._descriptor = folder, manifest, descriptor

    def release(self) -> None:
        os.close(self._descriptor)


class Cache:
    """`limit`: bytes that all models together may take, if not the whole disk."""

    def __init__(self, root: Path, *, limit: int | None = None, keep: float = KEEP_SECONDS) -> None:
        self.root, self._limit, self._keep = root, limit, keep
        self._incoming, self._locks, self._evicted = (root / name for name in (".incoming", ".locks", ".evicted"))
        with telling_of_the_disk(root):
            for folder in (self._incoming, self._locks, self._evicted):
                folder.mkdir(parents=True, exist_ok=True)

    # -- using

    def use(self, digest: str) -> Use | None:
        """The model, if a complete copy is here; its manifest and the sizes of its files are checked, not its bytes."""
        folder = self.root / digest
        try:
            descriptor = os.open(folder / COMPLETE, os.O_RDONLY)
        except FileNotFoundError:
            return None
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        try:
            if not os.path.samestat(os.fstat(descriptor), (folder / COMPLETE).stat()):
                raise FileNotFoundError  # evicted while we waited
            manifest = _manifest(folder, digest)
            with contextlib.suppress(OSError):  # whoever may only read uses it too; others see to its staying
                os.utime(folder / COMPLETE)
        except (OSError, Refused):
            os.close(descriptor)
            return None
        return Use(folder, manifest, descriptor)

    # -- fetching

    @contextlib.contextmanager
    def fetching(self, name: str, waiting: Callable[[], None]) -> Iterator[Path]:
        """The folder for what is unfinished of that model, ours alone. `waiting` is told now and then that another has it."""
        with telling_of_the_disk(self.root), self._alone(name, waiting):
            folder = self._incoming / name
            folder.mkdir(exist_ok=True)
            yield folder

    @contextlib.contextmanager
    def _alone(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        descriptor = os.open(self._locks / name, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            told = -SAY_SECONDS
            while not _locked(descriptor):
                if time.monotonic() - told >= SAY_SECONDS:
                    told = time.monotonic()
                    waiting()
                time.sleep(POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def publish(self, incoming: Path, files: Path, manifest: Manifest) -> None:
        """Puts verified files in place: manifest, `.complete`, then one rename. Each is on the disk before the next begins."""
        _write_synced(files / MANIFEST, manifest.text)
        for parent, _, _ in os.walk(files):
            _sync_folder(Path(parent))
        _write_synced(files / COMPLETE, b"")
        _sync_folder(files)
        place = self.root / manifest.digest
        if place.exists():  # of no use, or `use` had found it
            self._discard(place)
        files.rename(place)
        _sync_folder(self.root)
        shutil.rmtree(incoming, ignore_errors=True)

    def named(self, name: str) -> str | None:
        """The digest of what was fetched under that name."""
        try:
            return (self._locks / f"{name}.digest").read_text().strip()
        except (OSError, UnicodeDecodeError):
            return None

    def name(self, name: str, digest: str) -> None:
        _write_synced(self._locks / f"{name}.digest", digest.encode())

    def disown(self, digest: str) -> None:
        """Takes a damaged copy out of sight; who has files of it open keeps them."""
        with contextlib.suppress(FileNotFoundError):
            self._discard(self.root / digest)

    # -- making room

    def make_room(self, size: int, incoming: Path) -> list[str]:
        """Evicts the least recently used until `size` bytes fit, of which `incoming` may hold some; the names of what went.

        Raises Refused(DiskFull), and then has evicted nothing.
        """
        with self._alone("eviction", lambda: None):
            shutil.rmtree(self._evicted, ignore_errors=True)  # left by one that was killed
            self._evicted.mkdir()
            need = max(0, size - _taken(incoming))
            short = need + MARGIN - _free(self.root)
            if self._limit is not None:
                kept = [*self._models(), *self._incoming.iterdir()]
                short = max(short, need + sum(_taken(folder) for folder in kept) - self._limit)
            if short <= 0:
                return []
            gained, going = 0, []
            with contextlib.ExitStack() as held:
                for folder, lock in self._evictable(incoming):
                    descriptor = _open_lock(lock)
                    if descriptor is None:
                        continue
                    held.callback(os.close, descriptor)
                    if not _locked(descriptor):
                        continue
                    gained += _taken(folder)
                    going.append(folder)
                    if gained >= short:
                        break
                if gained < short:
                    raise Refused(
                        Reason.DISK_FULL,
                        f"{in_words(need)} are needed and {in_words(short - gained)} are missing in {self.root}, after all "
                        "models that nobody uses: give the cache more room, or serve fewer models from this node",
                    )
                for folder in going:
                    self._discard(folder)
            return [folder.name for folder in going]

    def _evictable(self, mine: Path) -> list[tuple[Path, Path]]:
        """Folders that nobody has used for a while, the longest unused first, each with the file whose lock says it is free."""
        old = time.time() - self._keep
        found = [(_used(folder / COMPLETE), folder, folder / COMPLETE) for folder in self._models()]
        for folder in self._incoming.iterdir():
            if folder != mine:
                touched = max(_used(path) for path in (folder, *folder.iterdir()))
                found.append((touched, folder, self._locks / folder.name))
        return [(folder, lock) for when, folder, lock in sorted(found) if when <= old]

    def _models(self) -> list[Path]:
        return [folder for folder in self.root.iterdir() if is_digest(folder.name)]

    def _discard(self, folder: Path) -> None:
        going = self._evicted / f"{folder.name}.{uuid4().hex}"
        folder.rename(going)  # at once: nobody finds half of it
        shutil.rmtree(going, ignore_errors=True)


def _manifest(folder: Path, digest: str) -> Manifest:
    with (folder / MANIFEST).open("rb") as opened:
        manifest = parse(opened.read(LARGEST_MANIFEST + 1), str(folder / MANIFEST))
    if manifest.digest != digest or any((folder / file.path).stat().st_size != file.size for file in manifest.files):
        raise Refused(Reason.FILE_CORRUPT, f"{folder} is not what it was")
    return manifest


def _open_lock(path: Path) -> int | None:
    # Never made for a model: `.complete` says that all of it is there.
    make = 0 if path.name == COMPLETE else os.O_CREAT
    try:
        return os.open(path, os.O_RDWR | make, 0o644)
    except OSError:
        return None


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _taken(folder: Path) -> int:
    """Bytes on the disk; holes in part files take none."""
    taken = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                taken += Path(parent, name).stat().st_blocks * 512
    return taken


def _write_synced(path: Path, text: bytes) -> None:
    with path.open("wb") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
