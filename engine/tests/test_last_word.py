"""What the operator can read of a server that did not start."""

from __future__ import annotations

import json
from pathlib import Path

from berth_engine.last_word import leave


def test_it_is_one_line_of_json_that_fits(tmp_path: Path) -> None:
    place = tmp_path / "termination-log"
    place.touch()
    leave("DigestMismatch", "the manifest is another one: " + "\U0001f6a2" * 5_000, place)
    text = place.read_text()
    assert len(text.encode()) <= 4096
    assert (text.count("\n"), json.loads(text)["code"]) == (1, "DigestMismatch")


def test_outside_of_a_pod_nothing_happens(tmp_path: Path) -> None:
    leave("LoadFailed", "x", tmp_path / "absent")
    assert not (tmp_path / "absent").exists()
