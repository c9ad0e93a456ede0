"""Loading: built-in models, folders, digests, and what is refused."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from families import ask
from test_engine import Listener

from berth_engine.launch import CacheSize, launch
from berth_engine.manifest import COMPLETE, MANIFEST, ModelRefused
from berth_engine.models import load
from berth_engine.scheduler import Limits
from berth_engine.tiny import TINY


def continuation(name: str, digest: str | None = None) -> list[int]:
    """Ten greedy tokens, through a whole engine."""
    engine = launch(load(name, device="cpu", digest=digest), Limits(), CacheSize(blocks=20))
    heard = Listener()
    engine.submit(ask("r", range(3, 60), 10), heard)
    while not engine.idle:
        engine.step()
    return heard.events[-1].request.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as transformers saves it."""
    path = tmp_path_factory.mktemp("models") / "mixtral"
    loaded = load("tiny-mixtral", device="cpu")
    loaded.model.save_pretrained(path)
    loaded.tokenizer.save_pretrained(path)
    return path


def fetched(folder: Path, target: Path, change: Callable[[list[dict[str, object]]], None] | None = None) -> str:
    """A copy as berth-fetch leaves it; its digest."""
    target.mkdir()
    files: list[dict[str, object]] = []
    for file in sorted(folder.iterdir()):
        data = file.read_bytes()
        (target / file.name).write_bytes(data)
        files.append({"path": file.name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
    if change:
        change(files)
    text = json.dumps({"files": files}, sort_keys=True, separators=(",", ":")).encode()
    (target / MANIFEST).write_bytes(text)
    (target / COMPLETE).touch()
    return "sha256:" + hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("name", TINY)
def test_built_in_models_are_the_same_each_time_and_run(name: str) -> None:
    assert continuation(name) == continuation(name)


def test_a_folder_gives_the_same_model(folder: Path) -> None:
    assert continuation(str(folder)) == continuation("tiny-mixtral")


def test_a_fetched_model_is_checked_byte_by_byte(folder: Path, tmp_path: Path) -> None:
    digest = fetched(folder, tmp_path / "model")
    assert continuation(str(tmp_path / "model"), digest) == continuation("tiny-mixtral")
    weights = tmp_path / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ModelRefused, match=r"DigestMismatch: .*model.safetensors is damaged"):
        load(str(tmp_path / "model"), digest=digest)
    weights.write_bytes(data[:-1])
    with pytest.raises(ModelRefused, match=r"DigestMismatch: .* bytes, not"):
        load(str(tmp_path / "model"), digest=digest)


def test_a_model_that_is_served_cannot_be_evicted_from_its_cache(folder: Path, tmp_path: Path) -> None:
    fetched(folder, tmp_path / "model")
    loaded = load(str(tmp_path / "model"))
    assert loaded.held is not None
    with (tmp_path / "model" / COMPLETE).open() as marker:
        with pytest.raises(BlockingIOError):  # as berth-fetch asks before it evicts
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(loaded.held)
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert load(str(folder)).held is None, "a folder of one's own has no marker"


def test_what_is_incomplete_foreign_or_outside_is_refused(folder: Path, tmp_path: Path) -> None:
    def outside(files: list[dict[str, object]]) -> None:
        files.append({"path": "../secret", "size": 1, "sha256": ""})

    digest = fetched(folder, tmp_path / "model")
    with pytest.raises(ModelRefused, match="DigestMismatch"):
        load(str(tmp_path / "model"), digest="sha256:" + "0" * 64)
    (tmp_path / "model" / "extra.safetensors").touch()
    with pytest.raises(ModelRefused, match=r"DigestMismatch: .*extra.safetensors is not in the manifest"):
        load(str(tmp_path / "model"), digest=digest)
    (tmp_path / "model" / COMPLETE).unlink()
    for claimed in (digest, None):
        with pytest.raises(ModelRefused, match="ModelIncomplete"):
            load(str(tmp_path / "model"), digest=claimed)
    with pytest.raises(ModelRefused, match="not inside"):
        load(str(tmp_path / "evil"), digest=fetched(folder, tmp_path / "evil", outside))


def test_models_that_cannot_be_served_say_why(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"ModelNotFound: .*tiny-mixtral"):
        load("mixtral-of-nowhere")
    with pytest.raises(ModelRefused, match="UnsupportedModel"):
        load(str(tmp_path))
    with pytest.raises(ModelRefused, match=r"UnknownDtype: .*bfloat16"):
        load("tiny-llama", dtype="fp16")
    with pytest.raises(ModelRefused, match="DeviceUnavailable: tpu"):
        load("tiny-llama", device="tpu")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    with pytest.raises(ModelRefused, match="UnsupportedModel: gpt2"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "pytorch_model.bin").touch()
    with pytest.raises(ModelRefused, match="safetensors"):
        load(str(tmp_path))


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_a_gpu_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModelRefused, match=r"DeviceUnavailable: .*--device cpu"):
        load("tiny-llama", device="cuda")


def test_the_host_takes_as_many_blocks_as_asked_else_as_the_device() -> None:
    loaded = load("tiny-llama", device="cpu")
    assert launch(loaded, Limits(), CacheSize(blocks=20)).roster.pool.host == 20
    assert launch(loaded, Limits(), CacheSize(blocks=20, host_blocks=3)).roster.pool.host == 3
