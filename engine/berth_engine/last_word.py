"""What a server that cannot start leaves where Kubernetes looks for a container's termination message: one line of JSON.

{"code", "message"}: the operator reads it from the pod's status and says it in the LLMService's.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

PLACE = Path("/dev/termination-log")
LONGEST = 950  # characters of the message, of 4 bytes at most; Kubernetes cuts the whole at 4,096 bytes

log = logging.getLogger(__name__)


def leave(code: str, message: str, place: Path = PLACE) -> None:
    """Nothing happens outside of a pod; a place that cannot be written is told in the log."""
    if not os.access(place, os.W_OK):
        return
    try:
        place.write_text(json.dumps({"code": code, "message": message[:LONGEST]}, ensure_ascii=False) + "\n")
    except OSError as error:
        log.warning("%s cannot be written: %s", place, error.strerror)
