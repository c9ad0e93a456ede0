"""What clients send: the fields of OpenAI's bodies that are honoured, with a cap on each.

Unknown fields are ignored, as OpenAI does. Fields that are known and would change the result, but are not served, are refused
unless they hold the value that changes nothing: an answer that silently ignores `tools` would be a wrong answer.
Bodies are capped while they are read, so that a sender without Content-Length costs no more memory than another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from fastapi import Request as HttpRequest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from berth_engine.api_errors import ApiError
from berth_engine.handover import MAX_TEXT as MAX_HANDOVER
from berth_engine.request import MAX_PRIORITY, Sampling

MAX_BODY = 4 << 20  # bytes
MAX_STOPS = 16
MAX_STOP_LENGTH = 256  # characters
MAX_TOP_LOGPROBS = 20
DEFAULT_CHAT_TOKENS = 1024  # max_tokens of a chat that names none; OpenAI's /v1/completions has 16

# fields that are not served -> values that change nothing
UNSERVED: dict[str, tuple[object, ...]] = {
    "best_of": (None, 1), "logit_bias": (None, {}), "tools": (None, []), "functions": (None, []),
    "tool_choice": (None, "none", "auto"), "response_format": (None, {"type": "text"}), "suffix": (None, ""), "echo": (None, False),
    "presence_penalty": (None, 0), "frequency_penalty": (None, 0), "modalities": (None, ["text"]), "audio": (None,),
    "min_p": (None, 0), "repetition_penalty": (None, 1), "min_tokens": (None, 0), "prompt_logprobs": (None,),
}  # fmt: skip

Stop = list[str] | str | None
Body = TypeVar("Body", bound="CommonBody")


class StreamOptions(BaseModel):
    include_usage: bool = False


class CommonBody(BaseModel):
    """What both endpoints take."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, protected_namespaces=())

    model: str | None = Field(None, max_length=512)
    max_tokens: int | None = Field(None, ge=1, le=1 << 24)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    top_k: int | None = Field(None, ge=-1, le=1 << 24)
    n: Literal[1] | None = 1
    seed: int | None = Field(None, ge=-(2**63), lt=2**63)
    stop: Stop = None
    stop_token_ids: list[int] | None = Field(None, max_length=64)
    ignore_eos: bool = False
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    priority: int | None = Field(None, ge=-MAX_PRIORITY, le=MAX_PRIORITY)
    ttft_ms: float | None = Field(None, gt=0, le=3.6e6)
    cache_salt: str | None = Field(None, max_length=1024)
    berth_resume: str | None = Field(None, max_length=MAX_HANDOVER)

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def salt(self) -> bytes:
        return b"" if self.cache_salt is None else hashlib.sha256(self.cache_salt.encode()).digest()

    def alternatives(self) -> int | None:
        """How many alternatives to tell for each token; None for no logprobs."""
        raise NotImplementedError

    def sampling(self, max_tokens: int) -> Sampling:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        if len(stops) > MAX_STOPS or any(not 0 < len(stop) <= MAX_STOP_LENGTH for stop in stops):
            raise ApiError(400, "BadRequest", f"stop takes up to {MAX_STOPS} strings of 1 to {MAX_STOP_LENGTH} characters", param="stop")  # fmt: skip
        return Sampling(
            max_tokens, 1.0 if self.temperature is None else self.temperature, 1.0 if self.top_p is None else self.top_p,
            max(0, self.top_k or 0), self.seed, tuple(stops), frozenset(self.stop_token_ids or ()), self.ignore_eos,
            self.alternatives(),
        )  # fmt: skip


class CompletionBody(CommonBody):
    prompt: str | list[int] | list[str] = Field(min_length=1)
    logprobs: int | None = Field(None, ge=0, le=MAX_TOP_LOGPROBS)

    def alternatives(self) -> int | None:
        return self.logprobs


class TextPart(BaseModel):
    type: Literal["text"]
    text: str


class Message(BaseModel):
    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        return self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)


class ChatBody(CommonBody):
    messages: list[Message] = Field(min_length=1, max_length=4096)
    max_completion_tokens: int | None = Field(None, ge=1, le=1 << 24)
    logprobs: bool | None = False
    top_logprobs: int | None = Field(None, ge=0, le=MAX_TOP_LOGPROBS)

    def alternatives(self) -> int | None:
        return (self.top_logprobs or 0) if self.logprobs else None


async def read_body(request: HttpRequest, shape: type[Body]) -> Body:
    """The body in its shape. Raises ApiError: 413 when larger than MAX_BODY, 400 when it is not what it should be."""
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > MAX_BODY:
            raise ApiError(413, "BodyTooLarge", f"a body may have {MAX_BODY} bytes")
    try:
        bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise ApiError(400, "NotUtf8", f"the body is not UTF-8: byte {error.start}") from None
    try:
        body = shape.model_validate_json(bytes(raw))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        code = "NotJson" if first["type"] == "json_invalid" else "BadRequest"
        raise ApiError(400, code, f"{where}: {first['msg']}" if where else first["msg"], param=where or None) from None
    for name, value in (body.model_extra or {}).items():
        if name in UNSERVED and value not in UNSERVED[name]:
            raise ApiError(400, "NotSupported", f"{name} is not served; leave it out", param=name)
    return body


@dataclass(frozen=True, slots=True)
class Priorities:
    """What clients may ask for. Numbers are the engine's, higher first, whatever the clients' order is."""

    objectives: Mapping[str, int] = field(default_factory=dict)
    low_first: bool = False
    default: int = 0  # of requests that ask for none
    most: int = MAX_PRIORITY  # who asks for more gets this


def priority_of(body: CommonBody, headers: Mapping[str, str], priorities: Priorities) -> int:
    """The engine's priority, higher first: the body's, else the header's, else the objective's, else the default."""
    asked = body.priority
    if asked is None and "x-berth-priority" in headers:
        asked = int(_number(headers, "x-berth-priority", -MAX_PRIORITY, MAX_PRIORITY, int, "BadPriority"))
    if asked is not None:
        meant = -asked if priorities.low_first else asked
    else:
        meant = priorities.objectives.get(headers.get("x-gateway-inference-objective", ""), priorities.default)
    return min(meant, priorities.most)


def ttft_of(body: CommonBody, headers: Mapping[str, str]) -> float | None:
    """Seconds within which the first token is wanted."""
    if body.ttft_ms is not None:
        return body.ttft_ms / 1000
    if "x-slo-ttft-ms" in headers:
        return _number(headers, "x-slo-ttft-ms", 0, 3.6e6, float, "BadDeadline") / 1000
    return None


def _number(headers: Mapping[str, str], name: str, least: float, most: float, kind: Any, code: str) -> float:
    try:
        value = float(kind(headers[name]))
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise ApiError(400, code, f"{name} is a number from {least:g} to {most:g}", param=name)
    return value
