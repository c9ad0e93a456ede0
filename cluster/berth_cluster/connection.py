"""One connection to an API server: requests that answer bytes, watches that answer lines.

Configuration, authentication (client certificates, tokens that rotate, exec plugins) and transport are the official
client's (`official_client`); what is decoded, and how, is the caller's, for most of what is read is never needed. Every
failure is an `ApiError`; those without an answer are `UnreachableError`, status 0. Answers are not compressed: the cache
reads megabytes over a near network, where packing and unpacking them takes longer than sending them.

    connection = await Connection.open()
    body = await connection.request("GET", "/api/v1/nodes", query={"limit": "500"})
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from berth_cluster.decoding import MALFORMED
from berth_cluster.official_client import OfficialClient, load

if TYPE_CHECKING:
    import aiohttp

_LOG = logging.getLogger(__name__)

CONNECT_SECONDS = 10.0
MAX_BODY_BYTES = 256 * 2**20
"""Of one answer. A page of 500 of the largest objects that etcd takes (1.5 MiB) would be 750 MiB; lists are then cut smaller."""
MAX_LINE_BYTES = 16 * 2**20
"""Of one watch event."""
MAX_ERROR_BYTES = 2**20
RELOAD_SECONDS = 10.0
"""After a 401 the configuration is read again, at most this often."""

_JSON = "application/json"
_UNAUTHORIZED = 401


class ApiError(Exception):
    """A request that was not answered with success, in one line: what was asked, what came back."""

    def __init__(self, asked: str, status: int, reason: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(f"{asked}: {f'{status} ' if status else ''}{reason}: {message}")
        self.asked = asked
        self.status = status
        self.reason = reason
        """As metav1.Status has it: Expired, NotFound, Conflict, TooManyRequests ..."""
        self.message = message
        self.retry_after = retry_after
        """Seconds the server asks to wait, if it does."""


class UnreachableError(ApiError):
    """No answer, or not all of it: refused, cut, timed out. reason: Unreachable, Timeout, Cut, Silent, TooLarge,
    NoCredentials (a token file that has gone, say)."""

    def __init__(self, asked: str, reason: str, message: str) -> None:
        super().__init__(asked, 0, reason, message)


class ConfigurationError(Exception):
    """There is no usable kubeconfig, nor a service account; says what was looked at."""


class _StatusDetails(msgspec.Struct, rename="camel"):
    retry_after_seconds: float | None = None


class Status(msgspec.Struct, rename="camel"):
    """metav1.Status: what an API server says when it refuses."""

    code: int | None = None
    reason: str | None = None
    message: str | None = None
    details: _StatusDetails | None = None


_decode_status = msgspec.json.Decoder(Status).decode


class Credentials(msgspec.Struct, frozen=True):
    """Who we are to which server, for another client in this process. Secret: never logged."""

    host: str
    ca_file: str | None = None
    verify: bool = True
    certificate_file: str | None = None
    key_file: str | None = None
    scheme: str | None = None
    """Of the token: Bearer."""
    token: str | None = None


class Connection:
    """Open it with `open`; close it when done. Safe to share between tasks of one event loop."""

    def __init__(self, client: OfficialClient, kubeconfig: Path | None, context: str | None) -> None:
        self._client = client
        self._kubeconfig = kubeconfig
        self._context = context
        self._configuration: Any = None
        self._transport: Any = None
        self._loaded_at = 0.0
        self._reloading = asyncio.Lock()

    @classmethod
    async def open(cls, kubeconfig: Path | None = None, context: str | None = None) -> Connection:
        """By the file given, else $KUBECONFIG or ~/.kube/config, else the pod's service account. ConfigurationError."""
        connection = cls(load(), kubeconfig, context)
        await connection._load()
        return connection

    @property
    def host(self) -> str:
        return str(self._configuration.host)

    async def credentials(self) -> Credentials:
        """As they stand now; a token may be replaced later."""
        settings = await self._configuration.auth_settings()
        header = next((s["value"] for s in settings.values() if s["key"].lower() == "authorization"), "") or ""
        scheme, _, token = header.rpartition(" ")
        return Credentials(
            host=self.host,
            ca_file=self._configuration.ssl_ca_cert,
            verify=bool(self._configuration.verify_ssl),
            certificate_file=self._configuration.cert_file,
            key_file=self._configuration.key_file,
            scheme=scheme or ("Bearer" if token else None),
            token=token or None,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        content_type: str = _JSON,
        accept: str = _JSON,
        timeout: float = 30.0,
    ) -> bytes:
        """The answer's body. `body`: anything that json.dumps takes. Raises ApiError, from status 400 on."""
        import aiohttp

        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_SECONDS)
        async with self._answer(method, path, query, body, content_type, accept, limits) as answer:
            return await _read(answer, MAX_BODY_BYTES, f"{method} {path}")

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a watch, one event each, until the server ends it. Raises ApiError."""
        async for lines in self.batches(path, query):
            for line in lines:
                yield line

    async def batches(
        self, path: str, query: Mapping[str, str], *, accept: str = _JSON, silence: float | None = None
    ) -> AsyncIterator[list[bytes]]:
        """The lines of a watch, those together that arrived together; first an empty list when the server has agreed.

        Half a line before the end is dropped: whoever resumes from the last whole event is sent it again.

        silence: seconds without a byte after which the connection is given up (UnreachableError, reason Silent).
        """
        import aiohttp

        asked = f"WATCH {path}"
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        async with self._answer("GET", path, query, None, _JSON, accept, limits, asked) as answer:
            yield []
            rest = b""
            while chunk := await answer.content.readany():
                *lines, rest = (rest + chunk).split(b"\n") if rest else chunk.split(b"\n")
                if len(rest) > MAX_LINE_BYTES:
                    raise UnreachableError(asked, "TooLarge", f"an event of more than {MAX_LINE_BYTES} bytes")
                if lines:
                    yield lines

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object | None,
        content_type: str,
        accept: str,
        limits: aiohttp.ClientTimeout,
        asked: str = "",
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A successful answer, its body unread. All that goes wrong in it or in reading it becomes an ApiError."""
        import aiohttp

        asked = asked or f"{method} {path}"
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "berth", "Content-Type": content_type}
        answer: aiohttp.ClientResponse | None = None
        try:
            for setting in (await self._configuration.auth_settings()).values():
                if setting["value"]:
                    headers[setting["key"]] = setting["value"]
            answer = await self._transport.request(
                method,
                self._configuration.host + path,
                query_params=list(query.items()) if query else None,
                headers=headers,
                body=body,
                _preload_content=False,
                _request_timeout=limits,
            )
            assert answer is not None
            if answer.status >= 400:
                refusal = await _refusal(answer, asked)
                if refusal.status == _UNAUTHORIZED:
                    await self._reload()
                raise refusal
            yield answer
        except aiohttp.SocketTimeoutError as error:
            reason = "Silent" if answer is not None else "Timeout"
            raise UnreachableError(asked, reason, "nothing came for too long") from error
        except self._client.refused as error:
            raise UnreachableError(asked, "NoCredentials", str(error)) from error
        except TimeoutError as error:
            raise UnreachableError(asked, "Timeout", "not answered in time") from error
        except aiohttp.ClientPayloadError as error:
            raise UnreachableError(asked, "Cut", "the answer broke off") from error
        except (aiohttp.ClientError, OSError) as error:
            reason = "Cut" if answer is not None else "Unreachable"
            raise UnreachableError(asked, reason, str(error) or type(error).__name__) from error
        finally:
            if answer is not None:
                answer.close()

    async def _reload(self) -> None:
        """Credentials may have been rotated on disk or by a plugin: read all of it again. Keeps what it has on failure."""
        async with self._reloading:
            if time.monotonic() - self._loaded_at < RELOAD_SECONDS:
                return
            before = self._transport
            try:
                await self._load()
            except ConfigurationError as error:
                _LOG.warning("the server refused our credentials, and reading them again failed: %s", error)
                return
            _LOG.info("the server refused our credentials; they were read again")
            if before is not None:
                await before.close()

    async def _load(self) -> None:
        self._loaded_at = time.monotonic()
        configuration = self._client.configuration()
        configuration.connection_pool_maxsize = None  # each watch holds a connection
        try:
            await self._configure(configuration)
            self._transport = self._client.transport(configuration)
        except (self._client.refused, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(f"no way to the cluster: {error}") from error
        self._configuration = configuration

    async def _configure(self, configuration: Any) -> None:
        files = self._files()
        if files is None:
            self._client.in_cluster.load_incluster_config(configuration)
            return
        loader = await self._client.kube_config.load_kube_config(
            config_file=files, context=self._context, client_configuration=configuration, persist_config=False
        )

        async def refresh(configuration: Any) -> None:
            # only a plugin that said when its token expires is asked again; others when the server refuses
            if hasattr(loader, "exec_plugin_expiry"):
                await loader.load_from_exec_plugin()
                configuration.api_key["BearerToken"] = loader.token

        configuration.refresh_api_key_hook = refresh

    def _files(self) -> str | None:
        """Paths for the client's loader, which takes several; None: the pod's own service account."""
        if self._kubeconfig is not None:
            if not self._kubeconfig.is_file():
                raise ConfigurationError(f"no kubeconfig at {self._kubeconfig}")
            return str(self._kubeconfig)
        if named := os.environ.get("KUBECONFIG"):
            if not any(Path(part).expanduser().is_file() for part in named.split(os.pathsep) if part):
                raise ConfigurationError(f"KUBECONFIG names no file that exists: {named}")
            return named
        usual = Path.home() / ".kube" / "config"
        if usual.is_file():
            return str(usual)
        if "KUBERNETES_SERVICE_HOST" in os.environ:
            return None
        raise ConfigurationError(f"neither a kubeconfig ({usual}, $KUBECONFIG) nor a pod's service account")


async def _read(answer: aiohttp.ClientResponse, most: int, asked: str) -> bytes:
    chunks = []
    size = 0
    while chunk := await answer.content.readany():
        size += len(chunk)
        if size > most:
            raise UnreachableError(asked, "TooLarge", f"an answer of more than {most} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


async def _refusal(answer: aiohttp.ClientResponse, asked: str) -> ApiError:
    text = (await _read(answer, MAX_ERROR_BYTES, asked))[:MAX_ERROR_BYTES]
    try:
        status = _decode_status(text)
    except MALFORMED:
        status = Status(message=text[:200].decode(errors="replace").strip())
    return refusal_of(status, asked, answer.status, _seconds(answer.headers.get("Retry-After")), answer.reason or "")


def refusal_of(
    status: Status, asked: str, code: int = 0, retry_after: float | None = None, reason: str = ""
) -> ApiError:
    """A Status, from an answer's body or from a watch's ERROR event, as an error."""
    if retry_after is None and status.details is not None:
        retry_after = status.details.retry_after_seconds
    return ApiError(
        asked, code or status.code or 500, status.reason or reason or "Unknown", status.message or "no reason given",
        retry_after,
    )  # fmt: skip


def _seconds(header: str | None) -> float | None:
    """Retry-After in its only form that API servers use."""
    return float(header) if header is not None and header.isascii() and header.isdecimal() else None
