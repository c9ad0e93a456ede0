"""Whatever goes wrong on the way: the fetch ends verified, or with a reason; nothing half-written is ever served."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
from pathlib import Path

import pytest

from berth_api.reasons import Reason
from berth_operator.weights.source import Patience

from .faulty_proxy import Fault
from .fetching import PIECE, Bucket, every_time, first_times, make_folder, served

LARGE = "weights.safetensors"


def test_a_clean_fetch_has_every_byte_and_the_digest(bucket: Bucket, tmp_path: Path) -> None:
    fetched = bucket.fetch(tmp_path / "cache", bucket.digest)
    assert fetched.folder == tmp_path / "cache" / bucket.digest
    assert served(tmp_path / "cache") == [bucket.digest]
    for file in fetched.manifest.files:
        assert (fetched.folder / file.path).read_bytes() == (tmp_path / "model" / file.path).read_bytes()
    assert list((tmp_path / "cache" / ".incoming").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(pace=0.002),
        Fault(cut=0),
        Fault(cut=1),
        Fault(cut=PIECE // 3),
        Fault(status=503, code="SlowDown"),
        Fault(status=500, code="InternalError"),
        Fault(status=429, code="TooManyRequests"),
        Fault(status=400, code="RequestTimeout"),
        Fault(flip=True),
    ],
    ids=str,
)
def test_what_passes_is_got_over(bucket: Bucket, tmp_path: Path, fault: Fault) -> None:
    bucket.proxy.behave = first_times(2, fault)
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_connection_that_always_ends_early_goes_on_where_it_ended(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(cut=PIECE // 2))
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]
    assert bucket.proxy.sent < 2 * 22 * PIECE


@pytest.mark.parametrize(
    ("fault", "reason", "advice"),
    [
        (Fault(status=503, code="SlowDown"), Reason.SOURCE_UNREACHABLE, "gave up after 3 tries"),
        (Fault(cut=0), Reason.SOURCE_UNREACHABLE, "check the endpoint"),
        (Fault(status=403, code="AccessDenied"), Reason.CREDENTIALS_REFUSED, "allow s3:GetObject"),
        (Fault(status=404, code="NoSuchKey"), Reason.MODEL_NOT_FOUND, "push the model again"),
        (Fault(status=412, code="PreconditionFailed"), Reason.SOURCE_CHANGED, "fetch again"),
        (Fault(flip=True), Reason.FILE_CORRUPT, "push the model again"),
    ],
    ids=str,
)
def test_what_stays_is_told(bucket: Bucket, tmp_path: Path, fault: Fault, reason: Reason, advice: str) -> None:
    bucket.proxy.behave = every_time(fault)
    refused = bucket.refused(tmp_path / "cache", bucket.digest)
    assert (refused.reason, advice in refused.message) == (reason, True)
    bucket.proxy.behave = lambda path, asked: None
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_nobody_there(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.__exit__()
    refused = bucket.refused(tmp_path / "cache")
    assert refused.reason is Reason.SOURCE_UNREACHABLE


def test_one_that_is_refused_is_not_asked_again_and_again(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(status=403, code="AccessDenied"), "berth-model.json")
    assert bucket.refused(tmp_path / "cache").reason is Reason.CREDENTIALS_REFUSED
    assert len(bucket.proxy.requests) == 1


def test_a_file_replaced_in_the_middle_is_told(bucket: Bucket, tmp_path: Path) -> None:
    """Another file of the same size, when a third has come: IfMatch sees it; the second attempt gets wrong bytes."""
    other = random.Random(2).randbytes((tmp_path / "model" / LARGE).stat().st_size)

    def replace(total: int) -> None:
        if total >= 7 * PIECE:
            bucket.proxy.on_bytes = lambda total: None
            bucket.direct.put_object(Bucket=bucket.name, Key=f"models/m/{LARGE}", Body=other)

    bucket.proxy.on_bytes = replace
    assert bucket.refused(tmp_path / "cache", bucket.digest).reason in (Reason.SOURCE_CHANGED, Reason.FILE_CORRUPT)


def test_the_same_bytes_uploaded_again_in_the_middle_are_taken(bucket: Bucket, tmp_path: Path) -> None:
    """Another ETag, since in two parts: pieces of both are never mixed, and the second attempt is right."""
    data = (tmp_path / "model" / LARGE).read_bytes()

    def again(total: int) -> None:
        if total >= 7 * PIECE:
            bucket.proxy.on_bytes = lambda total: None
            key = {"Bucket": bucket.name, "Key": f"models/m/{LARGE}"}
            upload = bucket.direct.create_multipart_upload(**key)["UploadId"]
            tag = bucket.direct.upload_part(**key, UploadId=upload, PartNumber=1, Body=data)["ETag"]
            parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
            bucket.direct.complete_multipart_upload(**key, UploadId=upload, MultipartUpload=parts)

    bucket.proxy.on_bytes = again
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_file_of_another_size_is_told_before_its_bytes_come(bucket: Bucket, tmp_path: Path) -> None:
    bucket.direct.put_object(Bucket=bucket.name, Key=f"models/m/{LARGE}", Body=b"x" * 30 * PIECE)
    refused = bucket.refused(tmp_path / "cache", bucket.digest)
    assert refused.reason is Reason.SOURCE_CHANGED
    assert "the manifest says" in refused.message


def test_another_model_under_the_same_name_is_not_the_pinned_one(bucket: Bucket, tmp_path: Path) -> None:
    pinned = bucket.digest
    bucket.push(make_folder(tmp_path / "other", seed=2))
    assert bucket.refused(tmp_path / "cache", pinned).reason is Reason.DIGEST_MISMATCH


def test_without_a_manifest_the_way_to_one_is_told(bucket: Bucket, tmp_path: Path) -> None:
    bucket.direct.delete_object(Bucket=bucket.name, Key="models/m/berth-model.json")
    refused = bucket.refused(tmp_path / "cache")
    assert refused.reason is Reason.MANIFEST_MISSING
    assert "berth model push DIR s3://" in refused.message


def test_a_manifest_that_is_none_is_told(bucket: Bucket, tmp_path: Path) -> None:
    bucket.direct.put_object(Bucket=bucket.name, Key="models/m/berth-model.json", Body=b'{"files": [{"path": "../x"}]}')
    assert bucket.refused(tmp_path / "cache").reason is Reason.MANIFEST_INVALID


def test_no_such_bucket(bucket: Bucket, tmp_path: Path) -> None:
    bucket.name = "b-there-is-none"
    assert bucket.refused(tmp_path / "cache").reason is Reason.MODEL_NOT_FOUND


def test_no_credentials(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    refused = bucket.refused(tmp_path / "cache")
    assert refused.reason is Reason.CREDENTIALS_REFUSED
    assert "--anonymous" in refused.message


def test_a_disk_that_fills_up_in_the_middle_keeps_what_came(bucket: Bucket, tmp_path: Path) -> None:
    """A real limit of the kernel on the process's files (EFBIG in place of ENOSPC), then none."""
    limited = subprocess.run(
        bucket.command(tmp_path / "cache", "--termination-message", str(tmp_path / "word")),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=_limit_files,
        check=False,
    )
    assert limited.returncode == 1, limited.stderr
    word = json.loads((tmp_path / "word").read_text())
    assert word["code"] == "DiskFull"
    assert served(tmp_path / "cache") == []
    before = bucket.proxy.sent
    bucket.fetch(tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]
    assert bucket.proxy.sent - before < 18 * PIECE


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10 * PIECE, 10 * PIECE))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")
def test_a_full_file_system(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real ENOSPC: a tmpfs of one megabyte, which the check of free space is kept from seeing."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, check=False
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        refused = bucket.refused(disk / "cache", bucket.digest)
        assert refused.reason is Reason.DISK_FULL
        assert bucket.proxy.asked(LARGE) == []
        monkeypatch.setattr("berth_operator.weights.cache._free", lambda folder: 1 << 40)
        refused = bucket.refused(disk / "cache", bucket.digest)
        assert refused.reason is Reason.DISK_FULL
        assert "what came is kept" in refused.message
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_cache_that_cannot_be_written(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert bucket.refused(tmp_path / "file").reason is Reason.CACHE_UNUSABLE


def test_pauses_grow_and_end() -> None:
    patience = Patience()
    pauses = [patience.pause(failures) for failures in range(1, 60)]
    assert 0.25 <= pauses[0] <= 0.5
    assert 10 <= pauses[-1] <= 20
