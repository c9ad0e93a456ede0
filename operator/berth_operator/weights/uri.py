"""Where a model is kept, as its URI says. Cheap and pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from berth_api.reasons import Reason
from berth_operator.weights.refused import Refused

FORMS = (
    "s3://bucket/prefix, hf://org/name[@revision], https://host/berth-model.json, path:///folder or pvc://claim/folder"
)
LONGEST = 8192
"""Characters: a signed URL has some two thousand."""

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


@dataclass(frozen=True, slots=True)
class Uri:
    """`place`: bucket, repository, claim or URL; `rest`: prefix, revision or folder."""

    scheme: str
    place: str
    rest: str = ""

    def __str__(self) -> str:
        """Without what a signed URL's query holds: fit to be shown."""
        if self.scheme == "https":
            return without_query(self.place)
        if self.scheme == "hf":
            return f"hf://{self.place}@{self.rest}" if self.rest else f"hf://{self.place}"
        return f"{self.scheme}://{self.place}" + (f"/{self.rest}" if self.rest else "")


def without_query(url: str) -> str:
    """And without a user's name and password."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def parse_uri(text: str) -> Uri:
    """Raises Refused(SourceUnsupported)."""
    scheme, separator, rest = text.partition("://")
    if not separator or len(text) > LONGEST or not text.isprintable():
        raise _unsupported(text)
    if scheme in ("https", "http"):
        return Uri("https", text)
    if scheme == "path":
        if not rest.startswith("/"):
            raise Refused(Reason.SOURCE_UNSUPPORTED, "path:// takes an absolute folder: path:///models/name")
        return Uri("path", "", rest.lstrip("/"))
    if scheme == "hf":
        place, _, revision = rest.partition("@")
        if _HUB_NAME.fullmatch(place) is None:
            raise _unsupported(text)
        return Uri("hf", place, revision)
    place, _, folder = rest.partition("/")
    if scheme not in ("s3", "pvc") or not place or ".." in folder.split("/"):
        raise _unsupported(text)
    return Uri(scheme, place, folder.strip("/"))


def _unsupported(text: str) -> Refused:
    shown = text.partition("?")[0][:80]
    return Refused(Reason.SOURCE_UNSUPPORTED, f"{shown!r} names no source of weights: use {FORMS}")
