"""Errors as OpenAI's clients expect them: a JSON body with message, type, code and param. The code is a CamelCase reason."""

from __future__ import annotations

import json
import math

from fastapi.responses import JSONResponse, Response

from berth_engine.admission import Refused

TYPES = {404: "not_found_error", 429: "rate_limit_error", 500: "server_error", 503: "service_unavailable"}


class ApiError(Exception):
    """An answer to a client that is no completion. `param` is the field at fault; `partial` the text there was,
    `resume` by what another engine can go on."""

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after: float | None = None,
        partial: str | None = None, resume: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.retry_after, self.partial, self.resume = retry_after, partial, resume

    @classmethod
    def of(cls, refused: Refused) -> ApiError:
        return cls(refused.status, refused.reason, refused.message, retry_after=refused.retry_after)

    def body(self) -> dict[str, object]:
        kind = TYPES.get(self.status, "invalid_request_error")
        error: dict[str, object] = {"message": self.message, "type": kind, "code": self.code, "param": self.param}
        if self.partial is not None:
            error["partial_text"] = self.partial
        if self.resume is not None:
            error["resume"] = self.resume
        return {"error": error}

    def response(self) -> Response:
        headers = {} if self.retry_after is None else {"Retry-After": str(max(1, math.ceil(self.retry_after)))}
        return JSONResponse(self.body(), self.status, headers)

    def event(self) -> bytes:
        """The same inside a stream that has begun already."""
        return b"data: " + json.dumps(self.body()).encode() + b"\n\n"
