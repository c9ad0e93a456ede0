"""Files to undecoded Kubernetes objects, whatever way they were written.

A file is a List, one object, several documents one after the other, or JSON lines; plain or gzip. Objects come out as
slices of the file's own bytes (`msgspec.Raw`), so that reading costs one pass and no second copy; each is decoded later
into the few fields that matter. Measured: a List of 411 MB is split in 0.8 s.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw

from berth_api.reasons import Reason
from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.errors import DumpError
from berth_cluster.objects import ListDocument, TypeMeta

MAX_BYTES = 4 << 30
"""Of one file, after decompression. A cluster of 5,000 nodes and 150,000 pods writes about 1 GiB."""

MAX_LISTS_DEEP = 4
"""Lists within lists: `kubectl get` writes none, people who merge files write one or two."""

_ADVICE = "pass what `kubectl get nodes,pods,... -A -o json` writes"
_CHUNK = 1 << 22
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TRAILING = re.compile(r"trailing characters \(byte (\d+)\)")
_BLANK = re.compile(rb"[ \t\r\n]*")
_HEADS = (
    re.compile(rb'\{\s*"apiVersion"\s*:\s*"(?P<version>[\w./-]*)"\s*,\s*"kind"\s*:\s*"(?P<kind>\w*)"'),
    re.compile(rb'\{\s*"kind"\s*:\s*"(?P<kind>\w*)"\s*,\s*"apiVersion"\s*:\s*"(?P<version>[\w./-]*)"'),
)
"""How kubectl, and the API server itself, begin an object: what says so needs no second look."""
_HEADLESS = re.compile(rb'\{\s*"metadata"\s*:')
"""How the API server begins an item of a typed list."""

_decode_raw = msgspec.json.Decoder(Raw).decode
_decode_type = msgspec.json.Decoder(TypeMeta).decode
_decode_list = msgspec.json.Decoder(ListDocument).decode


_Bytes = bytes | bytearray


class Item(msgspec.Struct, frozen=True, gc=False):
    """One object, undecoded, with what it says it is and where it stood."""

    file: str
    group: str
    """API group without version: `apps`; empty for the core group."""
    version: str
    kind: str
    raw: Raw


def items_of(sources: Sequence[Path | BinaryIO]) -> Iterator[Item]:
    """Every object of every source, in order. Raises DumpError (Unreadable, TooLarge, NotJSON, WrongKind)."""
    for position, source in enumerate(sources, 1):
        name = _name_of(source, position)
        body = _content(source, name)
        for raw in _documents(body, name):
            yield from _unfold(raw, name, ("", ""), 0)


def _name_of(source: Path | BinaryIO, position: int) -> str:
    if isinstance(source, Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and not name.startswith("<") else f"input {position}"


def _content(source: Path | BinaryIO, name: str) -> _Bytes:
    try:
        if isinstance(source, Path):
            with source.open("rb") as stream:
                return _text(_inflated(stream, name))
        return _text(_inflated(source, name))
    except OSError as error:
        raise DumpError(Reason.UNREADABLE, name, "", "", f"cannot be read: {error.strerror or error}") from error
    except (EOFError, zlib.error) as error:
        raise DumpError(
            Reason.UNREADABLE, name, "", "", "the gzip data is damaged or cut off; write it again"
        ) from error
    except UnicodeDecodeError as error:
        raise DumpError(Reason.NOT_JSON, name, "", "", "is not text in UTF-8 or UTF-16") from error


def _inflated(stream: BinaryIO, name: str) -> _Bytes:
    body = _bounded(stream, name)
    if not body.startswith(_GZIP):
        return body
    with gzip.open(io.BytesIO(body)) as inflated:
        return _bounded(inflated, name)


def _bounded(stream: BinaryIO | gzip.GzipFile, name: str) -> bytearray:
    """Everything, in one growing buffer: a list of chunks joined at the end would hold the file twice."""
    body = bytearray()
    while chunk := stream.read(_CHUNK):
        if len(body) + len(chunk) > MAX_BYTES:
            advice = "leave out what is not scheduled"
            raise DumpError(Reason.TOO_LARGE, name, "", "", f"is larger than {MAX_BYTES >> 30} GiB; {advice}")
        body += chunk
    return body


def _text(body: _Bytes) -> _Bytes:
    if body.startswith(_UTF16):  # what `>` writes in PowerShell
        return body.decode("utf-16").encode()
    if body.startswith(_BOM):
        return body[len(_BOM) :]
    return body


def _documents(body: _Bytes, name: str) -> Iterator[Raw]:
    """The documents of a file, one after the other. msgspec says at which byte the second begins."""
    start, size = 0, len(body)
    view = memoryview(body)
    while (start := _past_blanks(body, start)) < size:
        rest = view[start:]
        try:
            yield _decode_raw(rest)
            return
        except msgspec.DecodeError as error:
            trailing = _TRAILING.search(str(error))
            if trailing is None:
                raise _not_json(name, body, start, str(error)) from error
            length = int(trailing[1]) - 1  # counted from 1
        except RecursionError as error:
            raise DumpError(Reason.NOT_JSON, name, "", "", "is nested too deeply to be a cluster's dump") from error
        yield _decode_raw(rest[:length])
        start += length


def _past_blanks(body: _Bytes, start: int) -> int:
    blanks = _BLANK.match(body, start)
    return blanks.end() if blanks else start


def _not_json(name: str, body: _Bytes, start: int, complaint: str) -> DumpError:
    if "truncated" in complaint:
        return DumpError(Reason.NOT_JSON, name, "", "", "the JSON ends too early; the file was cut off, write it again")
    beginning = body[start : start + 40].decode("utf-8", "replace")
    offset = re.search(r"byte (\d+)", complaint)
    place = start + int(offset[1]) if offset else start
    advice = "; this looks like YAML, use -o json" if re.match(r"---|apiVersion:|kind:|items:", beginning) else ""
    return DumpError(Reason.NOT_JSON, name, "", "", f"is not JSON at byte {place}: {beginning!r}{advice}")


def _unfold(raw: Raw, name: str, inherited: tuple[str, str], depth: int) -> Iterator[Item]:
    view = memoryview(raw)
    head = _HEADS[0].match(view) or _HEADS[1].match(view)
    items: list[Raw] | None = None
    if head:
        api_version, kind = head["version"].decode(), head["kind"].decode()
    elif inherited[1] and _HEADLESS.match(view):
        api_version, kind = inherited
    else:
        api_version, kind, items = _declared(raw, name, inherited)
    group, _, version = api_version.rpartition("/")
    if not kind.endswith("List"):
        yield Item(name, group, version, kind, raw)
        return
    if depth == MAX_LISTS_DEEP:
        raise DumpError(Reason.WRONG_KIND, name, kind, "items", "has lists nested too deeply")
    # items of a typed list (kubectl get --raw) do not repeat their kind
    within = (api_version, kind.removesuffix("List"))
    for item in _list_items(raw, name, kind) if items is None else items:
        yield from _unfold(item, name, within, depth + 1)


def _declared(raw: Raw, name: str, inherited: tuple[str, str]) -> tuple[str, str, list[Raw] | None]:
    """apiVersion, kind and, if there are any, items: one pass for a List, whose kind stands behind its items."""
    try:
        document: TypeMeta = _decode_list(raw)
    except MALFORMED:  # an object may use the word `items` for something else
        document = _type_of(raw, name)
    kind = document.kind or inherited[1]
    if not kind:
        raise DumpError(Reason.WRONG_KIND, name, "", "kind", f"is missing; {_ADVICE}")
    return document.api_version or inherited[0], kind, document.items if isinstance(document, ListDocument) else None


def _type_of(raw: Raw, name: str) -> TypeMeta:
    try:
        return _decode_type(raw)
    except MALFORMED as error:
        complaint = f"holds something that is no Kubernetes object ({field_error(error).message}); {_ADVICE}"
        raise DumpError(Reason.WRONG_KIND, name, "", "", complaint) from error


def _list_items(raw: Raw, name: str, kind: str) -> list[Raw]:
    try:
        return _decode_list(raw).items or []
    except MALFORMED as error:
        raise DumpError(Reason.BAD_FIELD, name, kind, "items", field_error(error).message) from error
