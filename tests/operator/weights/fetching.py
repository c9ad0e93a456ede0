"""A model in a real S3 API behind the faulty proxy, fetches of it, and the one invariant."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth_operator.weights.access import Access
from berth_operator.weights.fetch import Fetched, fetch
from berth_operator.weights.manifest import COMPLETE, MANIFEST, is_digest, manifest_of_folder, parse
from berth_operator.weights.progress import Progress
from berth_operator.weights.push import push
from berth_operator.weights.refused import Refused
from berth_operator.weights.source import Patience
from berth_operator.weights.uri import parse_uri

from .faulty_proxy import Proxy

PIECE = 64 << 10
QUICK = Patience(tries=3, first=0.01, longest=0.02)


def make_folder(folder: Path, seed: int = 1, large: int = 20 * PIECE + 77) -> Path:
    """A small model: one file of many pieces, one of one, an empty one, one in a folder."""
    dice = random.Random(seed)
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(dice.randbytes(large))
    (folder / "config.json").write_bytes(dice.randbytes(300))
    (folder / "empty.txt").write_bytes(b"")
    (folder / "tokenizer" / "vocab ä.txt").write_bytes(dice.randbytes(PIECE))
    return folder


@dataclass
class Bucket:
    """`direct` goes past the proxy."""

    name: str
    direct: Any
    proxy: Proxy
    home: Path
    digest: str = ""

    @property
    def uri(self) -> str:
        return f"s3://{self.name}/models/m"

    def push(self, folder: Path) -> str:
        self.digest = push(folder, self.name, "models/m", self.direct, quiet()).manifest.digest
        return self.digest

    def fetch(self, cache: Path, digest: str | None = None, **more: Any) -> Fetched:
        access = Access(endpoint_url=self.proxy.url, concurrency=4, patience=QUICK)
        return fetch(parse_uri(self.uri), digest, cache, access, more.pop("progress", None) or quiet(), **more)

    def refused(self, cache: Path, digest: str | None = None, **more: Any) -> Refused:
        """How it ends, when it must not succeed; nothing may be served then."""
        refused = self.refused_beside(cache, digest, **more)
        assert served(cache) == []
        return refused

    def refused_beside(self, cache: Path, digest: str | None = None, **more: Any) -> Refused:
        """The same, where the cache holds other models."""
        try:
            self.fetch(cache, digest, **more)
        except Refused as refused:
            return refused
        raise AssertionError("it was fetched")

    def command(self, cache: Path, *more: str) -> list[str]:
        """`berth-fetch` as a process of its own, with small pieces."""
        code = (
            "import sys; from berth_operator.weights import parts, source; "
            f"parts.PIECE = {PIECE}; "
            "from berth_operator.weights.main import main; sys.exit(main(sys.argv[1:]))"
        )
        arguments = [self.uri, "--cache", str(cache), "--endpoint-url", self.proxy.url, "--concurrency", "4", *more]
        return [sys.executable, "-c", code, *arguments]

    def start(self, cache: Path, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command(cache, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def quiet() -> Progress:
    return Progress(io.StringIO())


def served(cache: Path) -> list[str]:
    """Digests of the models that the cache offers. Each must verify: `.complete` never tells a lie."""
    found = []
    for marker in cache.rglob(COMPLETE):
        folder = marker.parent
        if not is_digest(folder.name):
            continue
        manifest = parse((folder / MANIFEST).read_bytes(), "test")
        assert manifest.digest == folder.name
        assert manifest_of_folder(folder).files == manifest.files
        found.append(folder.name)
    return sorted(found)


def every_time(fault: Any, name: str = "weights.safetensors") -> Callable[[str, str | None], Any]:
    return lambda path, asked: fault if path.endswith(name) else None


def first_times(count: int, fault: Any, name: str = "weights.safetensors") -> Callable[[str, str | None], Any]:
    left = [count]

    def behave(path: str, asked: str | None) -> Any:
        if path.endswith(name) and left[0] > 0:
            left[0] -= 1
            return fault
        return None

    return behave


def empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
