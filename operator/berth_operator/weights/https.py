"""A model behind URLs: for jobs that must not hold credentials.

The URI names an index: a manifest whose files may carry a `url` each, as `berth model presign` writes it; a file without one
lies beside the index, at its path. The model's digest is that of the manifest without the URLs. Redirects are not followed:
a signed URL needs none, and one could lead where the index's writer did not mean to go.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from berth_api.reasons import Reason
from berth_operator.weights.manifest import (
    LARGEST_MANIFEST,
    File,
    Manifest,
    entries_of,
    invalid,
    manifest_of,
    parse,
)
from berth_operator.weights.refused import Hiccup, Refused
from berth_operator.weights.s3 import check_range, judged_status
from berth_operator.weights.source import CONNECT_SECONDS, READ_SECONDS, Stream
from berth_operator.weights.uri import without_query


class HttpsSource:
    """Cost: one request for the index, one for each piece; urllib3 comes with boto3."""

    def __init__(self, url: str, ca_bundle: str | None = None, connections: int = 8) -> None:
        try:
            import urllib3
        except ImportError as error:
            raise Refused(
                Reason.SOURCE_UNSUPPORTED, "https:// needs urllib3: install berth-scheduler[weights]"
            ) from error
        self._url, self._errors = url, urllib3.exceptions
        self._pool = urllib3.PoolManager(
            maxsize=connections + 2,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            ca_certs=ca_bundle,
        )
        self._urls: dict[str, str] = {}

    def manifest(self) -> Manifest:
        where = without_query(self._url)
        answer = self._get(self._url, {})
        try:
            if answer.status != 200:
                told = judged_status(answer.status, "", where)
                if isinstance(told, Refused) and answer.status == 404:
                    raise Refused(
                        Reason.MANIFEST_MISSING,
                        f"{where} does not exist: write the manifest with `berth model push`, or sign it anew with `berth model presign`",
                    )
                raise told
            text = answer.read(LARGEST_MANIFEST + 1, decode_content=True)
        except self._errors.HTTPError as error:
            raise Hiccup(f"{where}: {type(error).__name__}") from error
        finally:
            answer.close()
        return self._index(text, where)

    def _index(self, text: bytes, where: str) -> Manifest:
        entries = entries_of(text, where)
        if not any(isinstance(entry, dict) and "url" in entry for entry in entries):
            return parse(text, where)
        plain = []
        for entry in entries:
            url = entry.get("url") if isinstance(entry, dict) else None
            if url is not None and (not isinstance(url, str) or urlsplit(url).scheme not in ("https", "http")):
                raise invalid(where, "a url of it is none")
            plain.append(
                {key: value for key, value in entry.items() if key != "url"} if isinstance(entry, dict) else entry
            )
            if url is not None:
                self._urls[str(entry.get("path"))] = url
        files = parse(json.dumps({"files": plain}).encode(), where).files
        return manifest_of(files)

    def open(self, file: File, start: int, stop: int, version: str | None) -> Stream:
        url = self._urls.get(file.path) or urljoin(without_query(self._url), quote(file.path))
        headers = {"Range": f"bytes={start}-{stop - 1}"} | ({"If-Match": version} if version else {})
        what = f"{file.path} at {without_query(url)}"
        answer = self._get(url, headers)
        stream = _HttpStream(answer, what, self._errors.HTTPError)
        try:
            if answer.status not in (200, 206):
                raise judged_status(answer.status, "", what)
            check_range(str(answer.headers.get("Content-Range", "")), file, start, stop, what)
        except (Hiccup, Refused):
            stream.close()
            raise
        return stream

    def _get(self, url: str, headers: dict[str, str]) -> Any:
        try:
            return self._pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        except self._errors.SSLError as error:
            raise Refused(
                Reason.SOURCE_UNREACHABLE,
                f"the certificate of {urlsplit(url).hostname} is not trusted: name its authority with --ca-bundle",
            ) from error
        except self._errors.HTTPError as error:  # its text may hold the signed URL
            raise Hiccup(f"{without_query(url)}: {type(error).__name__}") from error


class _HttpStream:
    def __init__(self, answer: Any, what: str, failure: type[Exception]) -> None:
        self._answer, self._what, self._failure = answer, what, failure
        self.version = str(answer.headers.get("ETag") or "")

    def read(self, most: int) -> bytes:
        try:
            data: bytes = self._answer.read(most, decode_content=False)
        except (self._failure, OSError) as error:
            raise Hiccup(f"{self._what}: {type(error).__name__} in the middle") from error
        return data

    def close(self) -> None:
        # An answer that was read to its end has given its connection back already; closing ends any other.
        self._answer.close()
