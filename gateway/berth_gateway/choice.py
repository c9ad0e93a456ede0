"""Who gets a request: the replica with most room; requests of one session the same one, as long as it is not much fuller.

A session is what a client says (`X-Session-Id`, or the body's `user` or `prompt_cache_key`); its requests share beginnings, which
one replica keeps. Sessions are dealt by rendezvous hashing, so that a replica's coming or going moves only its own share.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from berth_gateway.replicas import Replica

TOLERANCE = 4
"""Requests by which a session's own replica may be fuller than the emptiest one."""


def choose(replicas: Sequence[Replica], session: str | None) -> Replica | None:
    if not replicas:
        return None
    emptiest = min(replicas, key=lambda replica: (replica.load, replica.sent, replica.name))
    if session is None:
        return emptiest
    own = max(replicas, key=lambda replica: _weight(session, replica.name))
    return own if own.load <= emptiest.load + TOLERANCE else emptiest


def _weight(session: str, name: str) -> bytes:
    return blake2b(f"{session}\0{name}".encode(), digest_size=8).digest()
