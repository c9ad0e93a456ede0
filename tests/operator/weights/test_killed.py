"""Killed at any byte, again and again; two at once; a holder that dies: each ends with one verified copy."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from .faulty_proxy import Fault
from .fetching import PIECE, Bucket, every_time, served

SIZE = 22 * PIECE


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_bytes_it_goes_on_and_ends_verified(bucket: Bucket, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    cache = tmp_path / "cache"
    kills = 0
    for _ in range(6):
        at = bucket.proxy.sent + dice.randrange(SIZE // 2)
        running = bucket.start(cache)
        bucket.proxy.on_bytes = lambda total, at=at, pid=running.pid: (
            os.kill(pid, signal.SIGKILL) if total >= at else None
        )
        running.communicate(timeout=60)
        bucket.proxy.on_bytes = lambda total: None
        kills += running.returncode == -signal.SIGKILL
        if running.returncode == 0:
            break
        assert served(cache) == []
    last = subprocess.run(bucket.command(cache), capture_output=True, text=True, timeout=60, check=True)
    assert last.stdout.split() == [bucket.digest, str(cache / bucket.digest)]
    assert served(cache) == [bucket.digest]
    assert kills >= 1


def test_a_kill_costs_only_the_pieces_under_way(bucket: Bucket, tmp_path: Path) -> None:
    running = bucket.start(tmp_path / "cache")
    bucket.proxy.on_bytes = lambda total: os.kill(running.pid, signal.SIGKILL) if total >= 15 * PIECE else None
    running.communicate(timeout=60)
    bucket.proxy.on_bytes = lambda total: None
    before = bucket.proxy.sent
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]
    assert bucket.proxy.sent - before <= SIZE - 15 * PIECE + 5 * PIECE


def test_bytes_that_a_power_cut_lost_are_seen_and_fetched_again(bucket: Bucket, tmp_path: Path) -> None:
    running = bucket.start(tmp_path / "cache")
    bucket.proxy.on_bytes = lambda total: os.kill(running.pid, signal.SIGKILL) if total >= 15 * PIECE else None
    running.communicate(timeout=60)
    bucket.proxy.on_bytes = lambda total: None
    (part,) = [p for p in (tmp_path / "cache").rglob("*.part") if p.stat().st_size > 5 * PIECE]
    with part.open("r+b") as opened:  # the journal promises them, the disk has zeros
        opened.write(bytes(3 * PIECE))
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_two_at_once_download_once(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(pace=0.005))
    running = [bucket.start(tmp_path / "cache") for _ in range(3)]
    said = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert served(tmp_path / "cache") == [bucket.digest]
    assert bucket.proxy.sent == sum(f.stat().st_size for f in (tmp_path / "model").rglob("*") if f.is_file())
    assert sum("waiting for it" in err for _, err in said) >= 1


def test_who_waits_takes_over_from_a_killed_holder(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(pace=0.05))
    first = bucket.start(tmp_path / "cache")
    while bucket.proxy.sent == 0 and first.poll() is None:
        os.sched_yield()
    second = bucket.start(tmp_path / "cache")
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    bucket.proxy.behave = lambda path, asked: None
    first.kill()
    first.communicate(timeout=60)
    out, _ = second.communicate(timeout=60)
    assert out.split()[0] == bucket.digest
    assert served(tmp_path / "cache") == [bucket.digest]


def test_told_to_stop_it_stops_at_once_and_keeps_what_came(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(pace=0.02))
    running = bucket.start(tmp_path / "cache")
    bucket.proxy.on_bytes = lambda total: os.kill(running.pid, signal.SIGTERM) if total >= 9 * PIECE else None
    running.communicate(timeout=60)
    assert running.returncode == 143
    bucket.proxy.on_bytes, bucket.proxy.behave = lambda total: None, lambda path, asked: None
    before = bucket.proxy.sent
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert bucket.proxy.sent - before < 19 * PIECE


def test_the_last_word_and_the_lines_are_what_the_operator_reads(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(pace=0.005))
    word, link, progress = tmp_path / "word", tmp_path / "pod" / "weights", tmp_path / "progress"
    told = ("--termination-message", str(word), "--progress", str(progress), "--progress-every", "0")
    ended = subprocess.run(
        bucket.command(tmp_path / "cache", "-o", "json", "--link", str(link), *told),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    size = sum(path.stat().st_size for path in (tmp_path / "model").rglob("*") if path.is_file())
    said = json.loads(word.read_text())
    assert (said["code"], said["digest"], said["bytes"]) == ("Fetched", bucket.digest, size)
    assert json.loads(ended.stdout)["folder"] == str(tmp_path / "cache" / bucket.digest)
    assert (link / "config.json").read_bytes() == (tmp_path / "model" / "config.json").read_bytes()
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    done = [line["done"] for line in lines if line["event"] == "progress"]
    assert done == sorted(done)
    assert done
    assert max(done) <= size
    assert json.loads(progress.read_text())["total"] == size

    bucket.proxy.behave = every_time(Fault(status=403, code="AccessDenied"), "berth-model.json")
    refused = subprocess.run(
        bucket.command(tmp_path / "other", *told), capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    assert json.loads(word.read_text())["code"] == "CredentialsRefused"
    assert "testing-secret" not in refused.stderr + word.read_text()
