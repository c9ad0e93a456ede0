"""A connection that writes only while its holder leads.

Everything that acts as the leader writes through one of these. Leadership is asked of the clock before each write, so that
a process that was frozen and wakes up as nobody's leader sends nothing, even before it has noticed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping

from berth_cluster.connection import ApiError, Connection, Credentials

_READS = frozenset(("GET", "HEAD"))


class NotLeadingError(ApiError):
    """The write was not sent: this process does not lead any more."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked, 0, "NotLeading", "not sent, because this process does not lead any more")


class FencedConnection(Connection):
    """Everything is the inner connection's; it is not closed by this one."""

    def __init__(self, inner: Connection, leads: Callable[[], bool]) -> None:
        self._inner = inner
        self._leads = leads

    @property
    def host(self) -> str:
        return self._inner.host

    async def credentials(self) -> Credentials:
        return await self._inner.credentials()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        timeout: float = 30.0,
    ) -> bytes:
        if method not in _READS and not self._leads():
            raise NotLeadingError(f"{method} {path}")
        return await self._inner.request(
            method, path, query=query, body=body, content_type=content_type, accept=accept, timeout=timeout
        )

    def batches(
        self, path: str, query: Mapping[str, str], *, accept: str = "application/json", silence: float | None = None
    ) -> AsyncIterator[list[bytes]]:
        return self._inner.batches(path, query, accept=accept, silence=silence)

    async def close(self) -> None:
        return
