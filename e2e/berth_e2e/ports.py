"""Free ports on loopback, for several clusters that start at the same time.

A port that the kernel hands out can be taken by anything before the server binds it, so ports come from below the kernel's
own range, and a claim file keeps two harnesses from choosing the same one. Claims are given back when the cluster goes, and
lapse when nothing listens there after CLAIM_SECONDS.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
from pathlib import Path

LOWEST, HIGHEST = 20_000, 32_000
CLAIM_SECONDS = 300.0
TRIES = 1_000


class NoFreePortError(Exception):
    """Every port that was tried is taken."""


def claim_port(chance: random.Random) -> int:
    """A port of 127.0.0.1 that nothing uses and nobody else claimed. Raises NoFreePortError."""
    claims = _claims()
    claims.mkdir(exist_ok=True)
    for _ in range(TRIES):
        port = chance.randrange(LOWEST, HIGHEST)
        claim = claims / str(port)
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            if time.time() - claim.stat().st_mtime < CLAIM_SECONDS or not is_free(port):
                continue
            claim.touch()
        if is_free(port):
            return port
        claim.unlink(missing_ok=True)
    raise NoFreePortError(f"no free port between {LOWEST} and {HIGHEST} on 127.0.0.1; claims are in {claims}")


def give_back(ports: list[int]) -> None:
    for port in ports:
        (_claims() / str(port)).unlink(missing_ok=True)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _claims() -> Path:
    return Path(tempfile.gettempdir()) / f"berth-ports-{os.getuid()}"
