"""Keeps what a language model made of hints in a ConfigMap: one entry an answer, and the day's account.

One writer (the leader, through a fenced connection); extenders and planners read what the watch shows them. A ConfigMap holds a
megabyte, so there is a cap, and the oldest answers go first that no living hint asks for. One that a living hint asks for is
never pushed out, or hints that do not fit would be asked about again and again. What others put there stays, and takes room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

import msgspec

from berth_api.annotations import HINT_ANSWERS
from berth_cluster.connection import ApiError, Connection
from berth_intent.improvements import is_entry_key, read_entry

MAX_BYTES = 900_000
"""Of keys and values; a ConfigMap's limit is 1,048,576."""
ROOM_FOR_ACCOUNT = 16_384
SPENT = "spent"
"""Key of the day's account."""

NOT_FOUND, CONFLICT = 404, 409
MERGE = "application/merge-patch+json"


class _Kept(msgspec.Struct):
    data: dict[str, str] | None = None


class AnswerStore:
    """`load` it first, and again after another one may have written."""

    def __init__(self, connection: Connection, namespace: str, *, max_bytes: int = MAX_BYTES) -> None:
        self._connection = connection
        self._collection = f"/api/v1/namespaces/{namespace}/configmaps"
        self._path = f"{self._collection}/{HINT_ANSWERS}"
        self._max_bytes = max_bytes
        self._data: dict[str, str] = {}
        self._writing = asyncio.Lock()

    @property
    def data(self) -> Mapping[str, str]:
        return self._data

    @property
    def answers(self) -> int:
        return sum(map(is_entry_key, self._data))

    @property
    def size(self) -> int:
        return sum(_size(key, value) for key, value in self._data.items())

    async def load(self) -> None:
        """Raises ApiError."""
        try:
            self._took(await self._connection.request("GET", self._path))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            self._data = {}

    async def keep(self, key: str, value: str, account: str, in_use: Collection[str]) -> int | None:
        """How many answers went for it; None: no room, and only the account was written. Raises ApiError."""
        async with self._writing:
            gone = self._to_evict(key, value, in_use)
            changes: dict[str, str | None] = {SPENT: account}
            if gone is not None:
                changes |= dict.fromkeys(gone) | {key: value}
            await self._write(changes)
        return None if gone is None else len(gone)

    async def account(self, text: str) -> None:
        """Raises ApiError."""
        async with self._writing:
            await self._write({SPENT: text})

    def has_room(self, size: int, in_use: Collection[str]) -> bool:
        """For another answer of this size."""
        return self._to_evict("", " " * size, in_use) is not None

    def _to_evict(self, key: str, value: str, in_use: Collection[str]) -> list[str] | None:
        """Answers that must go, oldest first; None when that is not enough."""
        others = {k: v for k, v in self._data.items() if k not in (key, SPENT)}
        excess = sum(_size(k, v) for k, v in others.items()) + _size(key, value) + ROOM_FOR_ACCOUNT - self._max_bytes
        gone: list[str] = []
        if excess > 0:
            unused = [k for k in others if is_entry_key(k) and k not in in_use]
            for old in sorted(unused, key=lambda k: (_age(others[k]), k)):
                if excess <= 0:
                    break
                excess -= _size(old, others[old])
                gone.append(old)
        return gone if excess <= 0 else None

    async def _write(self, changes: Mapping[str, str | None]) -> None:
        try:
            body = await self._connection.request("PATCH", self._path, body={"data": dict(changes)}, content_type=MERGE)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise
            # somebody deleted it, and with that what was kept: begin anew
            body = await self._connection.request(
                "POST",
                self._collection,
                body={
                    "metadata": {"name": HINT_ANSWERS, "labels": {"app.kubernetes.io/part-of": "berth"}},
                    "data": {key: value for key, value in changes.items() if value is not None},
                },
            )
        self._took(body)

    def _took(self, body: bytes) -> None:
        self._data = msgspec.json.decode(body, type=_Kept).data or {}


def _size(key: str, value: str) -> int:
    return len(key) + len(value.encode())


def _age(value: str) -> int:
    """Unreadable ones first."""
    entry = read_entry(value)
    return entry.at if entry is not None else -1
