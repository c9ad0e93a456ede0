"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, gateways, OpenAI itself. Over httpx.

Servers differ in what they take. A question begins with `response_format` json_schema and is put more loosely each time that it
is refused as wrong (400, 422): json_object, then none; `max_tokens` and `temperature` give way when the
refusal names them. What worked is remembered. An answer is read within a size and a time, uncompressed and without following
redirects, so that whoever answers cannot fill the memory or hold us.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from berth_intent.backends.api_key import ApiKey
from berth_intent.backends.backend import MAX_OUTPUT_TOKENS, Answer, BackendError, Failure, SetupError, Tokens
from berth_intent.backends.prompt import system_text, user_text
from berth_intent.backends.schema import DESCRIPTION, NAME, answer_schema
from berth_intent.vocabulary import Vocabulary

MAX_RESPONSE_BYTES = 256 * 1024
"""Of a whole response: an answer of 64 KB, escaped, and what is around it."""
MAX_REPHRASED = 4
CONNECT_SECONDS = 5.0

_WRONG = (400, 422)
_THROTTLED = 429
_TIMED_OUT = (408, 504)
_FORMATS = ("json_schema", "json_object", "")


class Manner(msgspec.Struct, frozen=True):
    """How a question is put."""

    response_format: str = _FORMATS[0]
    limit_name: str = "max_tokens"
    temperature: bool = True

    def looser(self, named: str) -> Manner | None:
        """For a server that refused this one. named: the parameter it complained of, if it told."""
        if named == "max_tokens" and self.limit_name == named:
            return msgspec.structs.replace(self, limit_name="max_completion_tokens")
        if named == "temperature" and self.temperature:
            return msgspec.structs.replace(self, temperature=False)
        if not self.response_format:
            return None
        following = _FORMATS[_FORMATS.index(self.response_format) + 1]
        return msgspec.structs.replace(self, response_format=following)


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Error(msgspec.Struct):
    param: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error


class OpenAICompatibleBackend:
    def __init__(self, client: httpx.AsyncClient, url: str, model: str, key: ApiKey = ApiKey()) -> None:  # noqa: B008 (frozen)
        self._client = client
        self._url = url
        self._model = model
        self._key = key
        self._manner = Manner()

    @classmethod
    def open(cls, base_url: str, model: str, key: ApiKey = ApiKey()) -> OpenAICompatibleBackend:  # noqa: B008 (frozen)
        """base_url: up to and with the version, as in http://vllm.models.svc:8000/v1. Raises SetupError."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise SetupError("the base URL must be http(s)://HOST[:PORT]/PATH, such as http://vllm.models.svc:8000/v1")
        if parts.username or parts.password:
            raise SetupError("the base URL must not hold credentials: put the key into a file")
        for library in ("httpx", "httpcore"):
            logging.getLogger(library).setLevel(logging.WARNING)  # a line for each question, and more
        client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            follow_redirects=False,
            limits=httpx.Limits(max_connections=4),
        )
        return cls(client, base_url.rstrip("/") + "/chat/completions", model, key)

    @property
    def model(self) -> str:
        return self._model

    @property
    def manner(self) -> Manner:
        """In which questions are put now."""
        return self._manner

    async def ask(self, hint: str, names: Vocabulary, seconds: float) -> Answer:
        started = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                text, tokens = await self._ask(hint, names)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise BackendError(Failure.TIMEOUT, f"no answer within {seconds:g} s") from error
        except httpx.HTTPError as error:
            if _is_about_tls(error):
                raise BackendError(
                    Failure.UNAVAILABLE,
                    "the server's certificate is not trusted, or it speaks no TLS: name its authority in SSL_CERT_FILE",
                ) from None
            raise BackendError(Failure.UNAVAILABLE, f"the server was not reached ({type(error).__name__})") from None
        return Answer(text, tokens, time.monotonic() - started)

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, hint: str, names: Vocabulary) -> tuple[str, Tokens | None]:
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if key := self._key.read():
            headers["Authorization"] = f"Bearer {key}"
        manner = self._manner
        for _ in range(MAX_REPHRASED + 1):
            body = msgspec.json.encode(_question(self._model, manner, hint, names))
            request = self._client.build_request("POST", self._url, content=body, headers=headers)
            response = await self._client.send(request, stream=True)
            try:
                told = await _body(response)
            finally:
                await response.aclose()
            if response.is_success:
                self._manner = manner
                return _read(told)
            looser = manner.looser(_parameter(told)) if response.status_code in _WRONG else None
            if looser is None:
                raise _refused(response)
            manner = looser
        raise BackendError(Failure.REFUSED, "the server refuses every way of asking")


def _is_about_tls(error: BaseException | None) -> bool:
    """Something below it says so; httpx itself calls it a connection that failed."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _question(model: str, manner: Manner, hint: str, names: Vocabulary) -> dict[str, Any]:
    question: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": "system", "content": system_text()},
            {"role": "user", "content": user_text(hint, names)},
        ],
        manner.limit_name: MAX_OUTPUT_TOKENS,
        "stream": False,
    }
    if manner.temperature:
        question["temperature"] = 0
    if manner.response_format == "json_schema":
        schema = {"name": NAME, "description": DESCRIPTION, "strict": True, "schema": answer_schema()}
        question["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif manner.response_format:
        question["response_format"] = {"type": manner.response_format}
    return question


async def _body(response: httpx.Response) -> bytes:
    """As it came over the wire: what is compressed though we asked for it plain may unfold to anything."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise BackendError(Failure.MALFORMED, "the answer is compressed, which was not asked for")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise BackendError(Failure.TOO_LARGE, f"an answer of more than {MAX_RESPONSE_BYTES} bytes")
    return bytes(body)


def _read(body: bytes) -> tuple[str, Tokens | None]:
    try:
        completion = msgspec.json.decode(body, type=_Completion)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise BackendError(Failure.MALFORMED, "the answer is no chat completion") from error
    usage = completion.usage
    tokens = Tokens(max(usage.prompt_tokens, 0), max(usage.completion_tokens, 0)) if usage is not None else None
    if not completion.choices:
        raise BackendError(Failure.MALFORMED, "the answer has no choices", tokens=tokens)
    choice = completion.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise BackendError(Failure.FILTERED, "the model declined", tokens=tokens)
    if choice.finish_reason == "length":
        raise BackendError(
            Failure.TRUNCATED, f"the answer did not end within {MAX_OUTPUT_TOKENS} tokens", tokens=tokens
        )
    if not choice.message.content:
        raise BackendError(Failure.MALFORMED, "the answer has no text", tokens=tokens)
    return choice.message.content, tokens


def _parameter(body: bytes) -> str:
    """That the server complains of; empty when it does not tell."""
    try:
        return msgspec.json.decode(body, type=_Refusal).error.param or ""
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return ""


def _refused(response: httpx.Response) -> BackendError:
    status = response.status_code
    if status == _THROTTLED:
        told = response.headers.get("Retry-After", "")
        wait = float(told) if told.isascii() and told.isdecimal() else None
        return BackendError(Failure.THROTTLED, "the server asks to come back later", retry_after=wait)
    if status in _TIMED_OUT:
        return BackendError(Failure.TIMEOUT, f"the server answered {status}")
    if status >= 500:
        return BackendError(Failure.UNAVAILABLE, f"the server answered {status}")
    return BackendError(Failure.REFUSED, f"the server answered {status}; check base URL, model and API key")
