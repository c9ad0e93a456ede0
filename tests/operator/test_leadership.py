"""Two contenders for one Lease, on a clock that only requests move. What processes do to each other is in e2e/."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from berth_cluster.connection import ApiError, Connection
from berth_operator import leadership
from berth_operator.leadership import DURATION_SECONDS, RENEW_DEADLINE, Leadership


class OneLease(Connection):
    """An API server that holds one Lease and checks resourceVersions; each request takes `latency` seconds."""

    def __init__(self, latency: float) -> None:
        self.seconds = 0.0
        self.latency = latency
        self.writes: list[float] = []
        """When they were done."""
        self._lease: dict[str, Any] | None = None
        self._version = 0

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        content_type: str = "",
        accept: str = "",
        timeout: float = 30.0,
    ) -> bytes:
        await asyncio.sleep(0)
        self.seconds += self.latency
        if method == "GET":
            if self._lease is None:
                raise ApiError(f"GET {path}", 404, "NotFound", "no such lease")
            return msgspec.json.encode(self._lease)
        seen = body["metadata"].get("resourceVersion", "0")
        if seen != str(self._version):
            raise ApiError(f"{method} {path}", 409, "Conflict", "it has changed")
        self._version += 1
        self._lease = {"metadata": {"resourceVersion": str(self._version)}, "spec": body["spec"]}
        self.writes.append(self.seconds)
        return b"{}"


def contender(server: OneLease, identity: str) -> Leadership:
    return Leadership(
        server,
        identity=identity,
        name="berth-operator",
        namespace="berth-system",
        clock=lambda: server.seconds,
        now=lambda: datetime(2026, 5, 4, tzinfo=UTC),
    )


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leadership, "RETRY_SECONDS", 0.0)


def test_it_leads_from_the_begin_of_its_renewal_and_not_from_the_answer() -> None:
    async def scene() -> None:
        server = OneLease(latency=2.0)
        first = contender(server, "first")
        await first.acquire()  # two requests, four seconds
        server.seconds = RENEW_DEADLINE - 0.1
        assert first.leads
        server.seconds = RENEW_DEADLINE
        assert not first.leads

    asyncio.run(scene())


@pytest.mark.parametrize("latency", [0.1, 1.0, 3.0])
def test_who_is_gone_leads_no_more_when_the_next_begins(latency: float) -> None:
    async def scene() -> None:
        server = OneLease(latency)
        first, second = contender(server, "first"), contender(server, "second")
        await first.acquire()
        renewed = server.writes[-1]
        await second.acquire()
        assert second.leads
        assert not first.leads
        assert server.writes[-1] >= renewed + DURATION_SECONDS - 2 * latency
        assert second.holder == "second"

    asyncio.run(scene())


def test_a_lease_that_changes_is_not_taken_however_slowly_it_does() -> None:
    """The other renews late, but before its time is over: the wait begins anew."""

    async def scene() -> None:
        server = OneLease(latency=0.1)
        first, second = contender(server, "first"), contender(server, "second")
        await first.acquire()
        taking = asyncio.create_task(second.acquire())
        for _ in range(3):
            renewed = server.writes[-1]
            while server.seconds < renewed + DURATION_SECONDS - 3:
                await asyncio.sleep(0)
            assert await first._try()
        assert not taking.done()
        taking.cancel()

    asyncio.run(scene())


def test_who_gives_it_back_is_followed_at_once() -> None:
    async def scene() -> None:
        server = OneLease(latency=0.1)
        first, second = contender(server, "first"), contender(server, "second")
        await first.acquire()
        await first.release()
        assert not first.leads
        given_back = server.seconds
        await second.acquire()
        assert server.seconds - given_back < 1

    asyncio.run(scene())


def test_of_two_that_try_together_one_leads() -> None:
    async def scene() -> None:
        server = OneLease(latency=0.1)
        both = [contender(server, "one"), contender(server, "two")]
        tasks = [asyncio.create_task(c.acquire()) for c in both]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        assert sum(c.leads for c in both) == 1
        for task in tasks:
            task.cancel()

    asyncio.run(scene())


def test_a_server_that_refuses_is_complained_about_once(caplog: pytest.LogCaptureFixture) -> None:
    class Refusing(OneLease):
        refuses = True

        async def request(self, method: str, path: str, **rest: Any) -> bytes:
            if self.refuses:
                raise ApiError(f"{method} {path}", 403, "Forbidden", "you may not")
            return await super().request(method, path, **rest)

    async def scene() -> None:
        server = Refusing(latency=0.1)
        first = contender(server, "first")
        for _ in range(3):
            assert not await first._try()
        assert len(caplog.records) == 1
        server.refuses = False
        assert await first._try()
        server.refuses = True
        await first._try()
        assert len(caplog.records) == 2

    asyncio.run(scene())
