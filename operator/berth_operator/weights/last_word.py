"""The last word of a fetch: one line of JSON where Kubernetes looks for a container's termination message.

{"code", "message"}, and after success {"digest", "bytes", "folder"}: the operator reads it from the pod's status.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

DEFAULT = Path("/dev/termination-log")
LONGEST = 4000
"""Bytes: Kubernetes cuts the message at 4096."""


def leave(path: Path | None, code: str, message: str, **facts: str | int) -> None:
    """Writes it where it was asked for, else where a container's runtime waits for it; a place that is gone is no failure."""
    place = path or (DEFAULT if os.access(DEFAULT, os.W_OK) else None)
    if place is None:
        return
    word = {"code": code, "message": message, **facts}
    if len(json.dumps(word).encode()) > LONGEST:
        word["message"] = message[: LONGEST // 8] + "..."
    try:
        place.write_text(json.dumps(word) + "\n")
    except OSError as error:
        print(f"cannot write {place}: {error.strerror}", flush=True)
