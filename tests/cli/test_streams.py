"""Where output goes: streams that take ASCII only, that are full, or that are closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .command import berth
from .scenes import dump, fragmented

FULL = Path("/dev/full")


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return dump(tmp_path / "dump.json", *fragmented())


def test_a_stream_that_takes_ascii_only_gets_a_plainer_picture(scene: Path) -> None:
    ended = berth("plan", "--dump", scene, "--picture", env={"PYTHONIOENCODING": "ascii"})
    assert ended.code == 0, ended.err
    row = next(line for line in ended.lines if line.startswith("a "))
    assert "B=B=B=B . . . ." in row
    assert "A=A=A=A=A=A=A=A" in ended.out
    assert ended.out.isascii()


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full, which Linux has")
@pytest.mark.parametrize("output", ["table", "json"])
def test_standard_output_without_room_is_no_bug_of_ours(scene: Path, output: str) -> None:
    with FULL.open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "berth_cli.main", "plan", "--dump", scene, "-o", output],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert ended.returncode == 2
    assert b"error: cannot write to standard output: No space left on device\n" in ended.stderr
    assert b"bug" not in ended.stderr
    assert b"Exception" not in ended.stderr


def test_a_closed_standard_output_only_loses_what_was_for_it(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    command = f'exec "{sys.executable}" -m berth_cli.main plan --dump "{scene}" --out "{out}" >&-'
    ended = subprocess.run(["/bin/sh", "-c", command], stderr=subprocess.PIPE, env=dict(os.environ), check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert out.read_bytes().startswith(b'{\n  "format": "berth.dev/plan-v1"')
