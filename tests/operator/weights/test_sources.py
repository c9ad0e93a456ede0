"""Places other than S3: signed URLs, folders and claims on this machine, the Hugging Face Hub."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from berth_api.reasons import Reason
from berth_operator.weights.access import Access
from berth_operator.weights.fetch import Fetched, fetch
from berth_operator.weights.manifest import manifest_of_folder
from berth_operator.weights.push import presigned
from berth_operator.weights.refused import Refused
from berth_operator.weights.s3 import S3Source
from berth_operator.weights.uri import Uri, parse_uri

from .faulty_proxy import Fault
from .fetching import QUICK, Bucket, every_time, make_folder, quiet, served

COMMIT = "c0ffee" + "0" * 34


def get(uri: str, cache: Path, digest: str | None = None, endpoint: str | None = None, **more: Any) -> Fetched:
    return fetch(
        parse_uri(uri), digest, cache, Access(endpoint_url=endpoint, concurrency=3, patience=QUICK), quiet(), **more
    )


def test_signed_urls_need_no_credentials(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = json.loads(presigned(bucket.name, "models/m", bucket.direct, 600))
    assert all("Signature" in file["url"] for file in index["files"])
    bucket.direct.put_object(Bucket=bucket.name, Key="index.json", Body=json.dumps(index).encode())
    url = bucket.direct.generate_presigned_url("get_object", Params={"Bucket": bucket.name, "Key": "index.json"})
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    fetched = get(url, tmp_path / "cache", bucket.digest)
    assert fetched.manifest.digest == bucket.digest
    assert served(tmp_path / "cache") == [bucket.digest]
    with pytest.raises(Refused) as refused:
        get(url.replace("index.json", "none.json"), tmp_path / "other")
    assert refused.value.reason is Reason.MANIFEST_MISSING
    assert "Signature" not in str(refused.value)
    assert "?" not in str(parse_uri(url))


def test_a_plain_server_gives_the_files_beside_the_manifest(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(cut=20_000))
    for found in bucket.direct.list_objects_v2(Bucket=bucket.name)["Contents"]:
        bucket.direct.put_object_acl(Bucket=bucket.name, Key=found["Key"], ACL="public-read")
    manifest = f"{bucket.proxy.url}/{bucket.name}/models/m/berth-model.json"
    get(manifest, tmp_path / "cache", bucket.digest)
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_public_bucket_needs_no_credentials(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for found in bucket.direct.list_objects_v2(Bucket=bucket.name)["Contents"]:
        bucket.direct.put_object_acl(Bucket=bucket.name, Key=found["Key"], ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    access = Access(endpoint_url=bucket.proxy.url, anonymous=True, patience=QUICK)
    fetch(parse_uri(bucket.uri), bucket.digest, tmp_path / "cache", access, quiet())
    assert served(tmp_path / "cache") == [bucket.digest]


def test_a_range_of_another_version_is_refused_by_the_server(bucket: Bucket) -> None:
    source = S3Source(bucket.name, "models/m", bucket.direct)
    file = source.manifest().files[-1]
    stream = source.open(file, 0, 10, None)
    assert len(stream.read(100)) == 10
    source.open(file, 0, 10, stream.version).close()
    with pytest.raises(Refused, match="SourceChanged"):
        source.open(file, 0, 10, '"another"')


def test_a_redirect_is_not_followed(bucket: Bucket, tmp_path: Path) -> None:
    bucket.proxy.behave = every_time(Fault(status=302), "berth-model.json")
    with pytest.raises(Refused, match=r"SourceUnreachable: .* answered 302"):
        get(f"{bucket.proxy.url}/{bucket.name}/models/m/berth-model.json", tmp_path / "cache")


def test_a_folder_is_checked_where_it_lies(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    digest = manifest_of_folder(folder).digest
    fetched = get(f"path://{folder}", tmp_path / "cache", digest)
    assert (fetched.folder, fetched.use) == (folder, None)
    assert not (tmp_path / "cache").exists()
    assert get("pvc://claim/model", tmp_path / "cache", mount=tmp_path).manifest.digest == digest
    (folder / "config.json").write_bytes(b"x" * 300)
    with pytest.raises(Refused, match="DigestMismatch"):
        get(f"path://{folder}", tmp_path / "cache", digest)
    with pytest.raises(Refused, match="ModelNotFound"):
        get("pvc://claim/none", tmp_path / "cache", digest, mount=tmp_path)


def test_a_folder_with_a_manifest_is_held_against_it(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "model")
    manifest = manifest_of_folder(folder)
    (folder / "berth-model.json").write_bytes(manifest.text)
    assert get(f"path://{folder}", tmp_path / "cache").manifest == manifest
    (folder / "config.json").write_bytes(b"x" * 300)
    with pytest.raises(Refused, match=r"FileCorrupt: .*config.json"):
        get(f"path://{folder}", tmp_path / "cache", manifest.digest)


def test_a_uri_is_shown_without_what_is_secret() -> None:
    assert (
        str(parse_uri("https://u:p@host/x/berth-model.json?X-Amz-Signature=abc")) == "https://host/x/berth-model.json"
    )
    assert parse_uri("hf://org/name@v1") == Uri("hf", "org/name", "v1")
    assert parse_uri("s3://bucket/a/b/") == Uri("s3", "bucket", "a/b")


@dataclass
class Hub:
    """Speaks what huggingface_hub needs of the Hub: a repository's description, its tree, and files by commit."""

    folder: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)
    refuse: int = 0
    times: int = 1_000_000
    wrong: str = ""
    """A file whose bytes are not those that the description names."""

    def files(self) -> dict[str, bytes]:
        return {p.relative_to(self.folder).as_posix(): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}

    def described(self, name: str, data: bytes) -> dict[str, Any]:
        oid = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        facts: dict[str, Any] = {"size": len(data), "oid": oid}
        if name.endswith(".safetensors"):
            facts["lfs"] = {"size": len(data), "oid": hashlib.sha256(data).hexdigest(), "pointerSize": 134}
        return facts

    def answer(self, path: str, asked: str | None) -> tuple[int, dict[str, str], bytes]:
        self.requests.append(path)
        if self.refuse and self.times > 0:
            self.times -= 1
            return self.refuse, {}, b"{}"
        files = self.files()
        if path.startswith("/api/models/org/name/tree/"):
            tree = [{"type": "file", "path": name, **self.described(name, data)} for name, data in files.items()]
            return 200, {"Content-Type": "application/json"}, json.dumps(tree).encode()
        if path in (
            "/api/models/org/name",
            "/api/models/org/name/revision/v1",
            f"/api/models/org/name/revision/{COMMIT}",
        ):
            siblings = []
            for name, data in files.items():
                facts = self.described(name, data)
                sibling = {"rfilename": name, "size": len(data), "blobId": facts["oid"]}
                if "lfs" in facts:
                    sibling["lfs"] = {"size": len(data), "sha256": facts["lfs"]["oid"], "pointerSize": 134}
                siblings.append(sibling)
            document = {
                "id": "org/name",
                "modelId": "org/name",
                "sha": COMMIT,
                "private": False,
                "tags": [],
                "siblings": siblings,
            }
            return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()
        name = path.removeprefix(f"/org/name/resolve/{COMMIT}/")
        if name not in files:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        data = files[name]
        etag = self.described(name, data)
        headers = {
            "X-Repo-Commit": COMMIT,
            "ETag": f'"{etag["lfs"]["oid"] if "lfs" in etag else etag["oid"]}"',
            "Accept-Ranges": "bytes",
        }
        if name == self.wrong and data:
            data = bytes([data[0] ^ 1]) + data[1:]
        if asked:
            start = int(asked.removeprefix("bytes=").split("-")[0])
            return 206, headers | {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}, data[start:]
        return 200, headers, data


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = make_folder(tmp_path / "model")
    (folder / "tokenizer" / "vocab ä.txt").rename(folder / "tokenizer" / "vocab.txt")
    made = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            status, headers, data = made.answer(self.path.partition("?")[0], self.headers.get("Range"))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        do_HEAD = do_GET  # noqa: N815 - http.server's name

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


def test_a_snapshot_of_the_hub_gets_a_digest_and_is_fetched_once(hub: Hub, tmp_path: Path) -> None:
    digest = manifest_of_folder(hub.folder).digest
    assert get("hf://org/name@v1", tmp_path / "cache", endpoint=hub.url).manifest.digest == digest
    assert served(tmp_path / "cache") == [digest]
    assert not (tmp_path / "cache" / digest / ".cache").exists()
    hub.requests.clear()
    get("hf://org/name", tmp_path / "cache", endpoint=hub.url)
    assert hub.requests == ["/api/models/org/name"], "the commit is in the cache"
    hub.requests.clear()
    get("hf://org/name", tmp_path / "cache", digest, endpoint=hub.url)
    assert hub.requests == []


def test_another_digest_than_the_hubs_files_have(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="DigestMismatch"):
        get("hf://org/name", tmp_path / "cache", "sha256:" + "0" * 64, endpoint=hub.url)
    assert served(tmp_path / "cache") == []


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_bytes_that_are_not_what_the_hub_says(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.wrong = name
    with pytest.raises(Refused, match=f"FileCorrupt: {name}"):
        get("hf://org/name", tmp_path / "cache", endpoint=hub.url)
    assert served(tmp_path / "cache") == []
    hub.wrong = ""
    get("hf://org/name", tmp_path / "cache", endpoint=hub.url)
    assert len(served(tmp_path / "cache")) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [(404, Reason.MODEL_NOT_FOUND), (403, Reason.CREDENTIALS_REFUSED), (503, Reason.SOURCE_UNREACHABLE)],
)
def test_what_the_hub_refuses_is_told(hub: Hub, tmp_path: Path, status: int, reason: Reason) -> None:
    hub.refuse = status
    with pytest.raises(Refused) as refused:
        get("hf://org/name", tmp_path / "cache", endpoint=hub.url)
    assert refused.value.reason is reason


def test_a_hub_that_hiccups_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    hub.refuse, hub.times = 503, 1
    get("hf://org/name", tmp_path / "cache", endpoint=hub.url)
    assert len(served(tmp_path / "cache")) == 1
