"""What the gateway itself answers when it cannot let a request through: as OpenAI's API shapes errors, with a reason code."""

from __future__ import annotations

import json
from typing import Any


class Refused(Exception):  # noqa: N818  (what happened, not an error of ours)
    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 500 and self.status != 429 else "server_error"
        return {"error": {"message": self.message, "type": kind, "code": self.code, "param": None}}

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def event(self) -> bytes:
        """The same in a stream that has begun."""
        return b"data: " + json.dumps(self.body).encode() + b"\n\n"
