"""What makes room, what stays, and when a copy counts as there."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from berth_api.reasons import Reason
from berth_operator.weights.cache import Cache
from berth_operator.weights.manifest import COMPLETE, MANIFEST, manifest_of_folder
from berth_operator.weights.refused import Refused

from .fetching import Bucket, make_folder, served

HOUR = 3600.0


def put(cache: Cache, folder: Path, seed: int, used_hours_ago: float, size: int = 400_000) -> str:
    """A model in the cache, made and published like a fetched one."""
    with cache.fetching(f"seed-{seed}", lambda: None) as incoming:
        files = make_folder(incoming / "files", seed=seed, large=size)
        manifest = manifest_of_folder(files)
        cache.publish(incoming, files, manifest)
    when = time.time() - used_hours_ago * HOUR
    os.utime(cache.root / manifest.digest / COMPLETE, (when, when))
    return manifest.digest


def room(cache: Cache, size: int) -> list[str]:
    with cache.fetching("new", lambda: None) as incoming:
        return cache.make_room(size, incoming)


def test_the_least_recently_used_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=2_000_000)
    old, older, recent = (put(cache, tmp_path, seed, hours) for seed, hours in ((1, 5), (2, 9), (3, 2)))
    assert room(cache, 700_000) == [older]
    assert room(cache, 1_100_000) == [old]
    assert served(tmp_path) == [recent]


def test_what_is_in_use_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1_200_000)
    used, free = put(cache, tmp_path, 1, 9), put(cache, tmp_path, 2, 5)
    use = cache.use(used)
    assert use is not None
    os.utime(tmp_path / used / COMPLETE, (0, 0))  # not its age saves it, but its use
    assert room(cache, 500_000) == [free]
    with pytest.raises(Refused, match="DiskFull"):
        room(cache, 1_000_000)
    use.release()
    assert room(cache, 1_000_000) == [used]


def test_what_was_used_a_moment_ago_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=600_000)
    put(cache, tmp_path, 1, 0.1)
    with pytest.raises(Refused, match="DiskFull"):
        room(cache, 500_000)


def test_nothing_is_evicted_in_vain(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=1_000_000)
    digest = put(cache, tmp_path, 1, 9)
    with pytest.raises(Refused, match=r"DiskFull: .* are missing"):
        room(cache, 5_000_000)
    assert served(tmp_path) == [digest]


def test_an_old_half_fetched_model_makes_room_and_one_under_way_does_not(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=600_000)
    with cache.fetching("abandoned", lambda: None) as abandoned:
        (abandoned / "0.0.part").write_bytes(os.urandom(400_000))
        for path in (abandoned / "0.0.part", abandoned):
            os.utime(path, (0, 0))
        with pytest.raises(Refused, match="DiskFull"):
            room(cache, 500_000)
    assert room(cache, 500_000) == ["abandoned"]


def test_a_process_that_serves_is_seen_and_its_end_too(bucket: Bucket, tmp_path: Path) -> None:
    """`--hold`, as it runs beside an engine that knows nothing of the cache."""
    holder = bucket.start(tmp_path / "cache", "--hold")
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == bucket.digest
    assert holder.stdout.readline().strip() == str(tmp_path / "cache" / bucket.digest)
    cache = Cache(tmp_path / "cache", limit=2_000_000, keep=0)
    with pytest.raises(Refused, match="DiskFull"):
        room(cache, 1_900_000)
    holder.send_signal(signal.SIGTERM)
    holder.communicate(timeout=30)
    assert room(cache, 1_900_000) == [bucket.digest]


def test_a_reader_of_an_evicted_model_keeps_what_it_has_open(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=600_000)
    digest = put(cache, tmp_path, 1, 9)
    with (tmp_path / digest / "weights.safetensors").open("rb") as opened:
        assert room(cache, 500_000) == [digest]
        assert len(opened.read()) == 400_000
    assert cache.use(digest) is None


@pytest.mark.parametrize("harm", ["complete", "manifest", "size", "missing"])
def test_a_copy_that_is_not_whole_is_fetched_again(bucket: Bucket, tmp_path: Path, harm: str) -> None:
    folder = bucket.fetch(tmp_path / "cache", bucket.digest).folder
    match harm:
        case "complete":
            (folder / COMPLETE).unlink()
        case "manifest":
            (folder / MANIFEST).write_bytes(b"{}")
        case "size":
            (folder / "config.json").write_bytes(b"x")
        case "missing":
            (folder / "config.json").unlink()
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_copy_with_a_changed_byte_is_found_when_asked_for(bucket: Bucket, tmp_path: Path) -> None:
    folder = bucket.fetch(tmp_path / "cache", bucket.digest).folder
    (folder / "config.json").write_bytes(bytes(300))
    bucket.fetch(tmp_path / "cache", bucket.digest, check_cached=True)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_cached_model_needs_no_source(bucket: Bucket, tmp_path: Path) -> None:
    bucket.fetch(tmp_path / "cache", bucket.digest)
    asked = len(bucket.proxy.requests)
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert len(bucket.proxy.requests) == asked
    bucket.fetch(tmp_path / "cache")
    assert len(bucket.proxy.requests) == asked + 1, "the manifest alone"


def test_a_limit_that_is_too_small_is_told_before_anything_comes(bucket: Bucket, tmp_path: Path) -> None:
    refused = bucket.refused(tmp_path / "cache", bucket.digest, limit=1000)
    assert refused.reason is Reason.DISK_FULL
    assert bucket.proxy.sent == 0


def test_a_second_model_evicts_the_first_through_the_whole_way(bucket: Bucket, tmp_path: Path) -> None:
    first = bucket.fetch(tmp_path / "cache", bucket.digest, limit=2_000_000)
    assert first.use is not None
    second = bucket.push(make_folder(tmp_path / "other", seed=2))
    assert bucket.refused_beside(tmp_path / "cache", second, limit=2_000_000, keep=0.0).reason is Reason.DISK_FULL
    first.use.release()
    bucket.fetch(tmp_path / "cache", second, limit=2_000_000, keep=0.0)
    assert served(tmp_path / "cache") == [second]


def test_flock_is_seen_through_a_read_only_mount(tmp_path: Path) -> None:
    """As a serving pod mounts the cache; a bind mount stands for it."""
    cache = Cache(tmp_path / "cache", limit=600_000)
    digest = put(cache, tmp_path, 1, 9)
    view = tmp_path / "view"
    view.mkdir()
    bind = ["mount", "--bind", "-o", "ro", str(cache.root), str(view)]
    if os.geteuid() != 0 or subprocess.run(bind, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        descriptor = os.open(view / digest / COMPLETE, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        with pytest.raises(Refused, match="DiskFull"):
            room(cache, 500_000)
        os.close(descriptor)
        assert room(cache, 500_000) == [digest]
    finally:
        subprocess.run(["umount", "-l", view], check=True)


READER = """
import json, os, sys
from pathlib import Path
from berth_operator.weights.cache import Cache
from berth_operator.weights.refused import Refused
os.setgroups([]); os.setgid(65532); os.setuid(65532)
cache = Cache(Path(sys.argv[1]))
use = cache.use(sys.argv[2])
try:
    with cache.fetching("another", lambda: None):
        said = "it may write"
except Refused as refused:
    said = refused.reason
print(json.dumps([use is not None, said]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="to be another user needs root")
def test_whoever_may_only_read_uses_what_is_there_and_is_told_where_it_cannot_write() -> None:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are nobody else's to look into
        folder = Path(made)
        folder.chmod(0o755)
        cache = Cache(folder / "cache")
        digest = put(cache, folder, 1, 9)
        command = [sys.executable, "-c", READER, str(cache.root), digest]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout, run.stderr[-500:]
    assert json.loads(run.stdout) == [True, Reason.CACHE_UNUSABLE]
