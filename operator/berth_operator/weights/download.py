"""Fetches the files of a manifest: many ranges at once, hashed as they arrive, each file in place only when it is right.

Threads take pieces in order and write them where they belong; the calling thread follows, reads each piece back from the page
cache as soon as all before it are there, hashes it, and at a file's end syncs it and renames it into the folder. So a file is
checked as it lies on the disk, resumed bytes are hashed like fresh ones, and hashing overlaps the network.

A file whose bytes are wrong, or that changed under way, is fetched once more from nothing; then the reason is told.

Cost: one connection and one block of memory per thread; hashing about 0.7 s of one core per GB.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic

from berth_api.reasons import Reason
from berth_operator.weights.manifest import BLOCK, File, Manifest
from berth_operator.weights.parts import Part
from berth_operator.weights.progress import Progress, in_words
from berth_operator.weights.refused import Hiccup, Refused
from berth_operator.weights.source import Patience, Source

READ = 120 << 10
"""Bytes that a thread takes from its connection at once: its memory. From 128 KiB on each buffer would be mapped anew."""
LEAST = 4 << 10
"""Bytes that a connection must bring, or it counts as a failure."""
LONGEST_STREAM = 120.0
"""Seconds after which a connection that still trickles is given up, and the rest asked for anew."""
ATTEMPTS = 2
"""Of a whole file."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Download:
    """`parts`: a folder for what is unfinished, only ours; `target`: where finished files go, on the same file system."""

    def __init__(
        self,
        source: Source,
        manifest: Manifest,
        parts: Path,
        target: Path,
        progress: Progress,
        *,
        concurrency: int = 8,
        patience: Patience | None = None,
    ) -> None:
        self._source, self._target, self._progress = source, target, progress
        self._concurrency, self._patience = concurrency, patience or Patience()
        self._parts = [Part(file, number, parts) for number, file in enumerate(manifest.files)]
        self._size = manifest.size
        self._changed = Condition()
        self._stop = Event()
        # Below only under the lock of `_changed`
        self._todo: deque[tuple[Part, int, int]] = deque()
        self._failed: Exception | None = None
        self._restart: dict[int, Refused] = {}

    def run(self) -> None:
        """Returns when every file of the manifest is in the target, verified and synced. Raises Refused."""
        self._progress.begin(self._size)
        with telling_of_the_disk(self._target):
            for part in self._parts:
                self._take_up(part)
            kept = self._progress.done
            if kept:
                self._progress.say(
                    "resumed", f"{in_words(kept)} of {in_words(self._size)} are here from an earlier run"
                )
            threads = [
                Thread(target=self._work, daemon=True) for _ in range(min(self._concurrency, max(1, len(self._todo))))
            ]
            try:
                for thread in threads:
                    thread.start()
                for part in self._parts:
                    self._finish(part)
            finally:
                self._stop.set()
                with self._changed:
                    self._changed.notify_all()
                for thread in threads:
                    thread.join(1.0)

    def _take_up(self, part: Part) -> None:
        place = self._target / part.file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            whole = place.stat().st_size == part.file.size
        except OSError:
            whole = False
        if whole:  # hashed again all the same, in its turn
            part.path.unlink(missing_ok=True)
            place.rename(part.path)
            part.done = set(range(part.pieces))
        else:
            part.resume()
        self._progress.add(sum(_length(part.span(piece)) for piece in part.done), at_hand=True)
        self._todo.extend((part, piece, part.attempt) for piece in range(part.pieces) if piece not in part.done)

    # -- the threads that fetch

    def _work(self) -> None:
        while not self._stop.is_set():
            with self._changed:
                while not self._todo:
                    if self._stop.is_set():
                        return
                    self._changed.wait()
                part, piece, attempt = self._todo.popleft()
                if attempt != part.attempt:
                    continue
                path = part.path
            try:
                with telling_of_the_disk(self._target):
                    self._fetch(part, piece, attempt, path)
            except Refused as refused:
                self._refuse(part, attempt, refused)
            except Exception as error:  # a bug: it must end the fetch as one, not hang it
                self._fail(error)

    def _refuse(self, part: Part, attempt: int, refused: Refused) -> None:
        if refused.reason is not Reason.SOURCE_CHANGED:
            self._fail(refused)
            return
        with self._changed:
            if attempt == part.attempt:
                self._restart[part.number] = refused
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._failed = self._failed or error
            self._changed.notify_all()

    def _fetch(self, part: Part, piece: int, attempt: int, path: Path) -> None:
        """Brings one piece, over as many connections as it takes; returns early when nobody wants it any more."""
        start, stop = part.span(piece)
        at, failures = start, 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            while at < stop:
                began, hiccup = at, Hiccup(f"{part.file.path} was cut short")
                try:
                    for data in self._stream(part, attempt, at, stop):
                        at += _write(descriptor, data, at)
                        self._progress.add(len(data))
                except Hiccup as passing:
                    hiccup = passing
                if at == stop or self._stop.is_set() or attempt != part.attempt:
                    break
                failures = 0 if at - began >= min(LEAST, stop - began) else failures + 1
                if failures >= self._patience.tries:
                    raise self._patience.refused(hiccup)
                if failures and self._stop.wait(self._patience.pause(failures)):
                    break
        finally:
            os.close(descriptor)
            with self._changed:
                if at == stop and attempt == part.attempt:
                    part.note(piece)
                    self._changed.notify_all()
                else:
                    self._progress.add(start - at)

    def _stream(self, part: Part, attempt: int, start: int, stop: int) -> Iterator[bytes]:
        stream = self._source.open(part.file, start, stop, part.version)
        try:
            with self._changed:
                if attempt == part.attempt:
                    part.version = part.version or stream.version
                    if stream.version != part.version:
                        raise Refused(
                            Reason.SOURCE_CHANGED, f"{part.file.path} was written to while it was fetched: fetch again"
                        )
            ends = monotonic() + LONGEST_STREAM
            while start < stop and not self._stop.is_set() and attempt == part.attempt:
                data = stream.read(min(READ, stop - start))
                if not data:
                    return
                start += len(data)
                yield data
                if start < stop and monotonic() > ends:
                    return
        finally:
            stream.close()

    # -- the thread that hashes

    def _finish(self, part: Part) -> None:
        while True:
            wrong = self._hash(part)
            if wrong is None:
                break
            if part.attempt + 1 >= ATTEMPTS:
                raise wrong
            self._progress.say("again", f"{wrong.message.partition(':')[0]}; {part.file.path} is fetched once more")
            with self._changed:
                self._progress.add(-sum(_length(part.span(piece)) for piece in part.done))
                part.start_again()
                self._restart.pop(part.number, None)
                self._todo.extendleft((part, piece, part.attempt) for piece in reversed(range(part.pieces)))
                self._changed.notify_all()
        place = self._target / part.file.path
        descriptor = os.open(part.path, os.O_RDWR | os.O_CREAT, 0o644)  # an empty file has no part yet
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.path.rename(place)
        part.journal.unlink(missing_ok=True)

    def _hash(self, part: Part) -> Refused | None:
        """What is wrong with the file, once all of it has come."""
        hashed, block = hashlib.sha256(), memoryview(bytearray(BLOCK))
        opened = None
        try:
            for piece in range(part.pieces):
                if changed := self._await(part, piece):
                    return changed
                opened = opened or part.path.open("rb", buffering=0)
                at, stop = part.span(piece)
                while at < stop:
                    count = os.preadv(opened.fileno(), [block[: stop - at]], at)
                    if not count:
                        return _corrupt(part.file)
                    hashed.update(block[:count])
                    at += count
                    self._progress.tick()
        finally:
            if opened:
                opened.close()
        return None if hashed.hexdigest() == part.file.sha256 else _corrupt(part.file)

    def _await(self, part: Part, piece: int) -> Refused | None:
        """Until the piece is there; what changed at the source, if something did. Raises Refused."""
        while True:
            with self._changed:
                if self._failed is not None:
                    raise self._failed
                if part.number in self._restart:
                    return self._restart[part.number]
                if piece in part.done:
                    return None
                self._changed.wait(0.5)
            self._progress.tick()


def _corrupt(file: File) -> Refused:
    return Refused(
        Reason.FILE_CORRUPT,
        f"the bytes of {file.path} are not those that the manifest names: push the model again, or look for a proxy or a "
        "disk that changes data",
    )


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _write(descriptor: int, data: bytes, at: int) -> int:
    written = os.pwrite(descriptor, data, at)
    while written < len(data):
        written += os.pwrite(descriptor, data[written:], at + written)
    return written


@contextlib.contextmanager
def telling_of_the_disk(folder: Path) -> Iterator[None]:
    """Turns what the disk refuses into Refused(DiskFull or CacheUnusable)."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise Refused(
                Reason.DISK_FULL, f"no room left in {folder} ({error.strerror}): give the cache more; what came is kept"
            ) from error
        raise Refused(
            Reason.CACHE_UNUSABLE,
            f"{error.filename or folder}: {error.strerror}: the cache must be a folder that this user can write, or hold the "
            "model already (`berth model prefetch`)",
        ) from error
