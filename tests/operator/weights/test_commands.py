"""`berth model` and `berth-fetch` as people run them, and what they load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from berth_cli.main import main
from berth_operator.weights.manifest import manifest_of_folder

from .fetching import Bucket, make_folder, served


def berth(*args: str) -> int:
    return main(["model", *args])


def test_push_prints_the_digest_and_the_lines_and_the_fetch_takes_them(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / "new", seed=5)
    endpoint = ("--endpoint-url", bucket.proxy.url)
    assert berth("push", str(folder), bucket.uri, *endpoint) == 0
    out = capsys.readouterr().out
    digest = manifest_of_folder(folder).digest
    assert f"    uri: {bucket.uri}\n    digest: {digest}" in out
    last = [path for path, _ in bucket.proxy.requests if path.endswith((".json", ".txt", ".safetensors"))][-1]
    assert last.endswith("berth-model.json"), "the manifest goes last"
    bucket.fetch(tmp_path / "cache", digest)
    assert served(tmp_path / "cache") == [digest]

    (folder / "config.json").write_text("changed")
    assert berth("push", str(folder), bucket.uri, *endpoint) == 0
    assert "1 sent, 3 were there already" in capsys.readouterr().out


def test_push_says_what_is_wrong(bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    endpoint = ("--endpoint-url", bucket.proxy.url)
    assert berth("push", str(tmp_path / "empty"), bucket.uri, *endpoint) == 2
    assert "ModelNotFound" in capsys.readouterr().err
    assert berth("push", str(tmp_path / "model"), "s3://b-there-is-none/x", *endpoint) == 2
    assert "ModelNotFound" in capsys.readouterr().err
    assert berth("push", str(tmp_path / "model"), "hf://org/name", *endpoint) == 2
    assert "s3://bucket/prefix" in capsys.readouterr().err


def test_digest_is_the_pushed_one_and_can_be_written(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert berth("digest", str(tmp_path / "model"), "--write") == 0
    assert capsys.readouterr().out.strip() == bucket.digest
    (tmp_path / "model" / "config.json").write_bytes(b"x" * 300)
    assert berth("digest", str(tmp_path / "model")) == 2
    assert "FileCorrupt" in capsys.readouterr().err


def loaded(code: str) -> set[str]:
    tail = "; import sys, json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules})))"
    ended = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(ended.stdout.splitlines()[-1]))


HEAVY = {
    "kopf",
    "numba",
    "ortools",
    "kubernetes",
    "numpy",
    "pydantic",
    "fastapi",
    "aiohttp",
    "msgspec",
    "typer",
    "torch",
}


def test_berth_fetch_loads_only_what_its_source_needs(tmp_path: Path) -> None:
    start = "from berth_operator.weights.main import main"
    assert not loaded(start) & (HEAVY | {"boto3", "botocore", "huggingface_hub"})
    make_folder(tmp_path / "m")
    assert not loaded(f"{start}; main(['path://{tmp_path}/m'])") & (HEAVY | {"boto3", "huggingface_hub"})
    s3 = f"{start}; main(['s3://b/p', '--cache', '{tmp_path}/c', '--endpoint-url', 'http://127.0.0.1:9', '--tries', '1'])"
    found = loaded(s3)
    assert "boto3" in found
    assert not found & (HEAVY | {"huggingface_hub"})


def test_the_command_line_loads_boto3_only_to_push() -> None:
    assert not loaded("from berth_cli.main import main; main(['model', '--help'])") & {
        "boto3",
        "botocore",
        "huggingface_hub",
    }


@pytest.mark.parametrize(
    "uri", ["ftp://x/y", "s3://", "models/x", "hf://../x", "s3://b/../c", "path://relative", "s3:///x"]
)
def test_a_uri_of_no_kind_is_told(uri: str, tmp_path: Path) -> None:
    word = tmp_path / "word"
    code = "import sys; from berth_operator.weights.main import main; sys.exit(main(sys.argv[1:]))"
    args = [uri, "--cache", str(tmp_path / "c"), "--termination-message", str(word)]
    ended = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert json.loads(word.read_text())["code"] == "SourceUnsupported"
