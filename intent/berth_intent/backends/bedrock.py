"""Amazon Bedrock by its Converse API, through boto3, which is an optional part of the installation (`bedrock`) and imported late.

Models differ in how they can be held to a form: a JSON schema for the answer, else a tool that they must call, else words alone.
The first that the model takes is used, and remembered. Credentials come from boto3's standard chain (environment, files, IRSA,
EKS Pod Identity, instance role) and from nowhere else.

boto3 waits in a thread. A call that was given up on ends there by its own timeouts; until then it holds one of `THREADS`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from typing import Any

import msgspec

from berth_intent.backends.backend import MAX_OUTPUT_TOKENS, Answer, BackendError, Failure, SetupError, Tokens
from berth_intent.backends.prompt import system_text, user_text
from berth_intent.backends.schema import DESCRIPTION, NAME, answer_schema, answer_schema_text
from berth_intent.vocabulary import Vocabulary

CONNECT_SECONDS = 5.0
ATTEMPTS = 2
"""Of botocore, the first one included; the worker comes back later by itself."""
THREADS = 2

_FAILURES = {
    "ThrottlingException": Failure.THROTTLED,
    "TooManyRequestsException": Failure.THROTTLED,
    "ServiceQuotaExceededException": Failure.THROTTLED,
    "ModelTimeoutException": Failure.TIMEOUT,
    "RequestTimeout": Failure.TIMEOUT,
    "ServiceUnavailableException": Failure.UNAVAILABLE,
    "InternalServerException": Failure.UNAVAILABLE,
    "ModelNotReadyException": Failure.UNAVAILABLE,
    "ModelErrorException": Failure.UNAVAILABLE,
}
"""Error codes; all others mean that we may not, or not so."""
_STOPPED = {
    "max_tokens": Failure.TRUNCATED,
    "model_context_window_exceeded": Failure.TRUNCATED,
    "guardrail_intervened": Failure.FILTERED,
    "content_filtered": Failure.FILTERED,
    "malformed_model_output": Failure.MALFORMED,
    "malformed_tool_use": Failure.MALFORMED,
}


_TALKATIVE = ("boto3", "botocore", "urllib3")
"""Their debug logs hold session tokens, and hints."""


class Form(Enum):
    """How a model is held to the form of the answer, the strictest first."""

    SCHEMA = "JSON schema"
    TOOL = "forced tool"
    WORDS = "words alone"


FORMS = tuple(Form)


class BedrockBackend:
    def __init__(self, client: Any, model: str) -> None:
        """client: boto3's for `bedrock-runtime`; it is used from several threads at once."""
        self._client = client
        self._model = model
        self._form = Form.SCHEMA
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bedrock")

    @classmethod
    def open(cls, model: str, *, region: str = "", seconds: float) -> BedrockBackend:
        """seconds: how long an answer is waited for. region: the standard chain's where empty. Raises SetupError."""
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError
        except ImportError as error:
            raise SetupError("Bedrock needs boto3: install berth-scheduler[bedrock]") from error
        for library in _TALKATIVE:
            logging.getLogger(library).setLevel(logging.INFO)
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=seconds,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            max_pool_connections=THREADS,
        )
        try:
            client = boto3.client("bedrock-runtime", region_name=region or None, config=config)
        except (BotoCoreError, ValueError) as error:
            raise SetupError(f"Bedrock cannot be used as it is configured: {error}") from error
        return cls(client, model)

    @property
    def model(self) -> str:
        return self._model

    @property
    def form(self) -> Form:
        """That the model is asked in now."""
        return self._form

    async def ask(self, hint: str, names: Vocabulary, seconds: float) -> Answer:
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                text, tokens = await loop.run_in_executor(self._threads, self._converse, hint, names, started + seconds)
        except TimeoutError as error:
            raise BackendError(Failure.TIMEOUT, f"no answer within {seconds:g} s") from error
        return Answer(text, tokens, time.monotonic() - started)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _converse(self, hint: str, names: Vocabulary, until: float) -> tuple[str, Tokens | None]:
        """From the form that worked last on to looser ones, while the model says that it knows no such thing."""
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        first = FORMS.index(self._form)
        refusal: BackendError | None = None
        for form in FORMS[first:]:
            if time.monotonic() >= until:
                raise BackendError(Failure.TIMEOUT, "no time left to ask in another form")
            try:
                reply = self._client.converse(**_request(self._model, form, hint, names))
            except ParamValidationError:  # boto3 is older than this form
                refusal = BackendError(Failure.REFUSED, f"boto3 is too old to ask with {form.value}")
                continue
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                failure = _FAILURES.get(code, Failure.REFUSED)
                refusal = BackendError(
                    failure, f"Bedrock answered {code or 'an error'}", retry_after=_retry_after(error)
                )
                if code == "ValidationException":
                    continue
                raise refusal from None
            except ResponseParserError:
                raise BackendError(Failure.MALFORMED, "what answered does not speak as Bedrock does") from None
            except BotoCoreError as error:
                raise _unreached(error) from None
            self._form = form
            return _read(reply)
        assert refusal is not None
        raise refusal


def _request(model: str, form: Form, hint: str, names: Vocabulary) -> dict[str, object]:
    request: dict[str, object] = {
        "modelId": model,
        "system": [{"text": system_text()}],
        "messages": [{"role": "user", "content": [{"text": user_text(hint, names)}]}],
        "inferenceConfig": {"maxTokens": MAX_OUTPUT_TOKENS, "temperature": 0.0},
    }
    if form is Form.SCHEMA:
        schema = {"schema": answer_schema_text(), "name": NAME, "description": DESCRIPTION}
        request["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
    elif form is Form.TOOL:
        tool = {"name": NAME, "description": DESCRIPTION, "inputSchema": {"json": answer_schema()}}
        request["toolConfig"] = {"tools": [{"toolSpec": tool}], "toolChoice": {"tool": {"name": NAME}}}
    return request


def _read(reply: Mapping[str, Any]) -> tuple[str, Tokens | None]:
    usage = reply.get("usage") or {}
    tokens = Tokens(int(usage.get("inputTokens", 0)), int(usage.get("outputTokens", 0))) if usage else None
    stopped = _STOPPED.get(reply.get("stopReason", ""))
    if stopped is not None:
        raise BackendError(stopped, f"the model stopped with {reply['stopReason']}", tokens=tokens)
    message = (reply.get("output") or {}).get("message") or {}
    blocks = message.get("content") or []
    for block in blocks:
        if "toolUse" in block:
            return msgspec.json.encode(block["toolUse"].get("input")).decode(), tokens
    text = "".join(block["text"] for block in blocks if "text" in block)
    if not text:
        raise BackendError(Failure.MALFORMED, "the answer has no text", tokens=tokens)
    return text, tokens


def _retry_after(error: Any) -> float | None:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    told = str(headers.get("retry-after", ""))
    return float(told) if told.isascii() and told.isdecimal() else None


def _unreached(error: Exception) -> BackendError:
    """botocore's own errors. Their text may name addresses, never credentials."""
    from botocore import exceptions as of_botocore

    kind = type(error).__name__
    if isinstance(error, of_botocore.ReadTimeoutError | of_botocore.ConnectTimeoutError):
        return BackendError(Failure.TIMEOUT, f"Bedrock did not answer in time ({kind})")
    if isinstance(error, of_botocore.HTTPClientError | of_botocore.ConnectionError):
        return BackendError(Failure.UNAVAILABLE, f"Bedrock was not reached ({kind})")
    return BackendError(Failure.REFUSED, f"Bedrock cannot be asked ({kind}); check credentials, region and model")
