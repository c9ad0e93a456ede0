"""One manifest for two readers: what `berth model` writes, the fetch and the engine take, byte by byte."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from berth_operator.weights import manifest
from berth_operator.weights.manifest import (
    COMPLETE,
    MANIFEST,
    File,
    manifest_of,
    manifest_of_folder,
    parse,
    stays_inside,
)
from berth_operator.weights.refused import Refused

from .fetching import Bucket, make_folder

SHA = "0" * 64
ENGINE = Path(__file__).parents[3] / "engine" / "berth_engine" / "manifest.py"


@pytest.fixture(scope="module")
def engine() -> ModuleType:
    """The engine's own reader; it needs nothing but Python."""
    spec = importlib.util.spec_from_file_location("engines_manifest", ENGINE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_engine_verifies_what_was_fetched_and_sees_a_changed_byte(
    engine: ModuleType, bucket: Bucket, tmp_path: Path
) -> None:
    folder = bucket.fetch(tmp_path / "cache", bucket.digest).folder
    engine.verify(folder, bucket.digest)
    data = bytearray((folder / "config.json").read_bytes())
    data[0] ^= 1
    (folder / "config.json").write_bytes(data)
    with pytest.raises(engine.ModelRefused, match="damaged"):
        engine.verify(folder, bucket.digest)


def test_the_names_and_limits_are_the_engines(engine: ModuleType) -> None:
    assert (manifest.MANIFEST, manifest.COMPLETE) == (engine.MANIFEST, engine.COMPLETE)
    assert engine.LARGEST_MANIFEST == manifest.LARGEST_MANIFEST


def test_the_canonical_bytes_are_fixed() -> None:
    found = manifest_of([File("b", 2, SHA), File("a/ä", 1, "f" * 64)])
    assert found.text.decode() == (
        '{"files":[{"path":"a/ä","sha256":"' + "f" * 64 + '","size":1},{"path":"b","sha256":"' + SHA + '","size":2}]}'
    )
    assert found.digest == "sha256:" + hashlib.sha256(found.text).hexdigest()


def entry(**changes: Any) -> dict[str, Any]:
    return {"path": "a", "size": 1, "sha256": SHA} | changes


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"files": []},
        {"files": "a"},
        {"files": [1]},
        {"files": [{"path": "a"}]},
        *(
            {"files": [entry(path=path)]}
            for path in ("", "/a", "../a", "a/../b", "./a", "a//b", "a/", "a\\b", "a\0", MANIFEST, COMPLETE, "x" * 1025)
        ),
        *({"files": [entry(size=size)]} for size in (-1, True, "1", 1.5)),
        *({"files": [entry(sha256=sha)]} for sha in ("", "0" * 63, "G" * 64, "A" * 64)),
        {"files": [entry(), entry()]},
        {"files": [entry(path="b"), entry(path="a")]},
        {"files": [entry(path="a"), entry(path="a/b")]},
    ],
    ids=lambda document: json.dumps(document)[:60],
)
def test_a_manifest_that_could_do_harm_is_refused(document: Any) -> None:
    with pytest.raises(Refused, match="ManifestInvalid"):
        parse(json.dumps(document).encode(), "it")


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"[" * 100_000, b" " * ((16 << 20) + 1)], ids=["empty", "bytes", "deep", "large"]
)
def test_what_is_no_json_or_too_large_is_refused(text: bytes) -> None:
    with pytest.raises(Refused, match="ManifestInvalid"):
        parse(text, "it")


names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        names.filter(lambda name: stays_inside(name) and "/" not in name), st.integers(0, 2**50), min_size=1
    )
)
def test_what_is_written_is_read_back_whatever_the_order(sizes: dict[str, int]) -> None:
    files = [File(path, size, SHA) for path, size in sizes.items()]
    found = manifest_of(files)
    assert parse(found.text, "it") == found == manifest_of(reversed(files))


def test_a_folders_manifest_leaves_out_what_fetched_it(tmp_path: Path) -> None:
    plain = manifest_of_folder(make_folder(tmp_path / "model"))
    for left in (".git/config", ".cache/huggingface/x", MANIFEST, COMPLETE):
        (tmp_path / "model" / left).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / left).write_text("x")
    assert manifest_of_folder(tmp_path / "model") == plain
