"""Bedrock by botocore's Stubber: the form of questions, the way down from schema to words, and every failure by its name."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ParamValidationError, ReadTimeoutError
from botocore.parsers import ResponseParserError
from botocore.stub import ANY, Stubber

from berth_intent.backends.backend import Answer, BackendError, Failure, SetupError, Tokens
from berth_intent.backends.bedrock import BedrockBackend, Form
from berth_intent.vocabulary import Vocabulary

from .model_server import wish, wishes

MODEL = "amazon.nova-pro-v1:0"
HINT = "snuggle up to kafka"
NAMES = Vocabulary(deployments=("kafka",))
GOOD = wishes(wish("prefer_colocate_deployments", HINT, values=["kafka"]))


def reply(*blocks: dict[str, Any], stop: str = "end_turn") -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stop,
        "usage": {"inputTokens": 1_100, "outputTokens": 70, "totalTokens": 1_170},
        "metrics": {"latencyMs": 400},
    }


SAID = {"text": json.dumps(GOOD)}


@pytest.fixture
def client() -> Any:
    return boto3.client("bedrock-runtime", region_name="eu-west-1", config=Config(signature_version=UNSIGNED))


@pytest.fixture
def stub(client: Any) -> Any:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ask(backend: BedrockBackend, seconds: float = 5.0) -> Answer:
    return asyncio.run(backend.ask(HINT, NAMES, seconds))


def asked_with(**more: object) -> dict[str, object]:
    return {"modelId": MODEL, "system": ANY, "messages": ANY, "inferenceConfig": ANY, **more}


def test_a_model_is_held_to_the_schema(client: Any, stub: Any) -> None:
    stub.add_response("converse", reply(SAID), asked_with(outputConfig=ANY))
    requests: list[dict[str, Any]] = []
    client.meta.events.register(
        "provide-client-params.bedrock-runtime.Converse", lambda params, **_: requests.append(params)
    )
    answer = ask(BedrockBackend(client, MODEL))
    assert json.loads(answer.text) == GOOD
    assert answer.tokens == Tokens(1_100, 70)
    (request,) = requests
    structure = request["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(structure["schema"])["required"] == ["preferences", "unparsed"]
    assert 0 < request["inferenceConfig"]["maxTokens"] <= 1_000
    assert json.loads(request["messages"][0]["content"][0]["text"])["hint"] == HINT
    assert HINT not in request["system"][0]["text"]


def test_a_model_without_schemas_must_call_a_tool_and_one_without_tools_is_asked_in_words(
    client: Any, stub: Any
) -> None:
    backend = BedrockBackend(client, MODEL)
    stub.add_client_error("converse", "ValidationException", "outputConfig is not supported", 400)
    tool = {"toolUse": {"toolUseId": "t1", "name": "placement_wishes", "input": GOOD}}
    stub.add_response("converse", reply(tool, stop="tool_use"), asked_with(toolConfig=ANY))
    assert json.loads(ask(backend).text) == GOOD
    assert backend.form is Form.TOOL

    stub.add_client_error("converse", "ValidationException", "no tool use", 400)
    stub.add_response("converse", reply({"text": "Sure! " + json.dumps(GOOD)}), asked_with())
    assert "kafka" in ask(backend).text
    assert backend.form is Form.WORDS

    stub.add_response("converse", reply(SAID), asked_with())
    ask(backend)


def test_a_boto3_that_is_too_old_for_schemas_uses_a_tool(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def converse(**request: object) -> dict[str, Any]:
        if "outputConfig" in request:
            raise ParamValidationError(report="Unknown parameter")
        return reply(SAID)

    monkeypatch.setattr(client, "converse", converse)
    backend = BedrockBackend(client, MODEL)
    ask(backend)
    assert backend.form is Form.TOOL


def test_what_is_refused_in_every_form_leaves_the_form_as_it_was(client: Any, stub: Any) -> None:
    backend = BedrockBackend(client, MODEL)
    for _ in Form:
        stub.add_client_error("converse", "ValidationException", "the text is not allowed", 400)
    with pytest.raises(BackendError) as raised:
        ask(backend)
    assert raised.value.failure is Failure.REFUSED
    assert backend.form is Form.SCHEMA


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 429, Failure.THROTTLED),
        ("ModelTimeoutException", 408, Failure.TIMEOUT),
        ("ServiceUnavailableException", 503, Failure.UNAVAILABLE),
        ("InternalServerException", 500, Failure.UNAVAILABLE),
        ("ModelErrorException", 424, Failure.UNAVAILABLE),
        ("AccessDeniedException", 403, Failure.REFUSED),
        ("ExpiredTokenException", 403, Failure.REFUSED),
        ("ResourceNotFoundException", 404, Failure.REFUSED),
    ],
)
def test_errors_have_their_names_and_do_not_quote(
    client: Any, stub: Any, code: str, status: int, expected: Failure
) -> None:
    stub.add_client_error("converse", code, f"arn:aws:iam::123456789012:role/x said {HINT}", status)
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert raised.value.failure is expected
    assert HINT not in str(raised.value)
    assert "123456789012" not in str(raised.value)


def test_throttling_says_for_how_long(client: Any, stub: Any) -> None:
    stub.add_client_error(
        "converse", "ThrottlingException", "slow down", 429, response_meta={"HTTPHeaders": {"retry-after": "9"}}
    )
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert raised.value.retry_after == 9


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("max_tokens", Failure.TRUNCATED),
        ("guardrail_intervened", Failure.FILTERED),
        ("content_filtered", Failure.FILTERED),
        ("malformed_model_output", Failure.MALFORMED),
        ("malformed_tool_use", Failure.MALFORMED),
    ],
)
def test_stops_that_end_no_answer_have_their_names_and_cost_tokens(
    client: Any, stub: Any, stop: str, expected: Failure
) -> None:
    stub.add_response("converse", reply(SAID, stop=stop))
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert (raised.value.failure, raised.value.tokens) == (expected, Tokens(1_100, 70))


def test_an_answer_without_words_is_none(client: Any, stub: Any) -> None:
    stub.add_response("converse", reply())
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert raised.value.failure is Failure.MALFORMED


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ReadTimeoutError(endpoint_url="https://bedrock"), Failure.TIMEOUT),
        (NoCredentialsError(), Failure.REFUSED),
        (ResponseParserError("not JSON"), Failure.MALFORMED),
    ],
)
def test_errors_on_the_way_have_their_names(
    client: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, expected: Failure
) -> None:
    def converse(**request: object) -> None:
        raise error

    monkeypatch.setattr(client, "converse", converse)
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert raised.value.failure is expected


def test_a_call_that_hangs_is_not_waited_for(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "converse", lambda **request: time.sleep(1.5))
    backend = BedrockBackend(client, MODEL)
    before = time.monotonic()
    with pytest.raises(BackendError) as raised:
        asyncio.run(_ask_and_see(backend))
    assert raised.value.failure is Failure.TIMEOUT
    assert time.monotonic() - before < 1.4


async def _ask_and_see(backend: BedrockBackend) -> None:
    await backend.ask(HINT, NAMES, 0.2)


def test_nobody_listening_is_unavailable_by_the_real_client() -> None:
    client = boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, connect_timeout=1),
    )
    with pytest.raises(BackendError) as raised:
        ask(BedrockBackend(client, MODEL))
    assert raised.value.failure is Failure.UNAVAILABLE


class _Garbage(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>a captive portal</html>")

    def log_message(self, *_: object) -> None:
        return


def test_something_else_that_answers_in_bedrocks_place_is_malformed() -> None:
    server = HTTPServer(("127.0.0.1", 0), _Garbage)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = boto3.client(
        "bedrock-runtime",
        region_name="eu-west-1",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    try:
        with pytest.raises(BackendError) as raised:
            ask(BedrockBackend(client, MODEL))
    finally:
        server.shutdown()
    assert raised.value.failure is Failure.MALFORMED


def test_a_region_that_is_missing_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(SetupError, match="region"):
        BedrockBackend.open(MODEL, seconds=5)
