"""The gateway before real HTTP servers that answer, refuse, break off and hand over as engines do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from berth_gateway.forwarding import MAX_BODY
from berth_gateway.holding import Holding
from berth_gateway.replicas import Model, Models
from berth_gateway.server import Gateway

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ASKED = {"model": "llama", "prompt": "hello"}


def run(test: Awaitable[None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


class Engine:
    """An HTTP server in an engine's place; `answers` decides, `asked` keeps the bodies."""

    def __init__(self, answers: Handler | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self._answers = answers
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post("/v1/completions", self._handle)
        self.server = TestServer(app, host="127.0.0.1")

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self._answers is not None:
            return await self._answers(request)
        return web.json_response({"choices": [{"text": f"from {self.server.port}"}]})

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


def events(*bodies: dict[str, Any] | str) -> Handler:
    """A stream of these, a moment between each."""

    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for body in bodies:
            await stream.write(f"data: {body if isinstance(body, str) else json.dumps(body)}\n\n".encode())
            await asyncio.sleep(0.01)
        return stream

    return answer


def refusing(status: int, code: str) -> Handler:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(
            {"error": {"code": code, "message": "no"}}, status=status, headers={"Retry-After": "7"}
        )

    return answer


class Door:
    def __init__(
        self, url: str, client: aiohttp.ClientSession, model: Model, woken: list[str], kept: list[str], gateway: Gateway
    ) -> None:
        self.url, self.client, self.model, self.gateway = url, client, model, gateway
        self.woken, self.kept = woken, kept
        """Services that were to wake, and those that were to stay awake."""

    async def ask(self, **more: Any) -> tuple[int, Any]:
        async with self.client.post(f"{self.url}/v1/completions", json={**ASKED, **more}) as answer:
            return answer.status, await answer.json()

    async def stream(self, **more: Any) -> list[Any]:
        """The events' bodies; comments as they are."""
        async with self.client.post(f"{self.url}/v1/completions", json={**ASKED, "stream": True, **more}) as answer:
            assert answer.status == 200
            text = (await answer.read()).decode()
        found: list[Any] = []
        for part in text.split("\n\n"):
            if part.startswith("data: "):
                found.append(part[6:] if part == "data: [DONE]" else json.loads(part[6:]))
            elif part:
                found.append(part)
        return found


@asynccontextmanager
async def door(*engines: Engine, holding: Holding | None = None) -> AsyncIterator[Door]:
    for engine in engines:
        await engine.server.start_server()
    model = Model("llama", "llama-service")
    model.update({f"pod-{at}": engine.address for at, engine in enumerate(engines)})
    models = Models()
    models.by_name["llama"] = model
    woken: list[str] = []
    kept: list[str] = []

    async def wake(service: str, sleeps: bool) -> None:
        (woken if sleeps else kept).append(service)

    gateway = Gateway(models, wake, holding=holding)
    server = TestServer(gateway.app(), host="127.0.0.1")
    await server.start_server()
    async with aiohttp.ClientSession() as client:
        yield Door(f"http://127.0.0.1:{server.port}", client, model, woken, kept, gateway)
    await server.close()
    for engine in engines:
        await engine.server.close()


def test_a_request_goes_through_with_its_priority_and_without_credentials() -> None:
    async def test() -> None:
        engine = Engine()
        async with door(engine) as at:
            headers = {"X-Berth-Priority": "7", "Authorization": "Bearer secret", "Cookie": "a=b"}
            async with at.client.post(
                f"{at.url}/v1/completions", json={**ASKED, "priority": 5}, headers=headers
            ) as answer:
                assert (answer.status, (await answer.json())["choices"][0]["text"]) == (
                    200,
                    f"from {engine.server.port}",
                )
        assert engine.asked == [{**ASKED, "priority": 5}]
        assert engine.headers[0]["x-berth-priority"] == "7"
        assert not {"authorization", "cookie"} & engine.headers[0].keys()

    run(test())


def test_what_is_not_served_names_what_is() -> None:
    async def test() -> None:
        async with door(Engine()) as at:
            status, body = await at.ask(model="gpt-9")
            assert (status, body["error"]["code"]) == (404, "ModelNotFound")
            assert "llama" in body["error"]["message"]
            async with at.client.get(f"{at.url}/v1/models") as answer:
                assert [model["id"] for model in (await answer.json())["data"]] == ["llama"]

    run(test())


@pytest.mark.parametrize(("body", "status", "code"), [(b"{", 400, "BadRequest"), (b"[]", 400, "BadRequest"), (b"\xff", 400, "BadRequest"), (b" " * (MAX_BODY + 1), 413, "BodyTooLarge")])  # fmt: skip
def test_bad_bodies_are_refused_here(body: bytes, status: int, code: str) -> None:
    async def test() -> None:
        engine = Engine()
        async with door(engine) as at, at.client.post(f"{at.url}/v1/completions", data=body) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)
        assert engine.asked == []

    run(test())


def test_the_replica_with_most_room_gets_it_and_a_session_stays_with_its_own() -> None:
    async def test() -> None:
        engines = [Engine(), Engine(), Engine()]
        async with door(*engines) as at:
            for number, replica in enumerate(at.model.replicas.values()):
                replica.waiting = number
            await at.ask()
            assert [len(engine.asked) for engine in engines] == [1, 0, 0]
            for replica in at.model.replicas.values():
                replica.waiting = 0
            for _ in range(6):
                await at.ask(user="anna")
            counts = sorted(len(engine.asked) for engine in engines)
            assert counts in ([0, 1, 6], [0, 0, 7])
            own = next(r for r in at.model.replicas.values() if r.address == _busiest(engines).address)
            own.waiting = 50
            before = len(_busiest(engines).asked)
            await at.ask(user="anna")
            assert len(_busiest(engines).asked) == before, "it is too full for its own session"

    def _busiest(engines: list[Engine]) -> Engine:
        return max(engines, key=lambda engine: len(engine.asked))

    run(test())


@pytest.mark.parametrize(
    ("status", "code"), [(503, "Draining"), (503, "Loading"), (503, "EngineFailed"), (429, "QueueFull")]
)
def test_another_replica_is_asked_when_one_did_not_begin(status: int, code: str) -> None:
    async def test() -> None:
        full, free = Engine(refusing(status, code)), Engine()
        async with door(full, free) as at:
            at.model.replicas["pod-1"].waiting = 3
            assert (await at.ask())[0] == 200
            assert (await at.ask())[0] == 200
        assert (len(full.asked), len(free.asked)) == (1, 2), "and it is left alone for a while"

    run(test())


def test_refusals_of_all_replicas_and_other_errors_come_through_as_they_are() -> None:
    async def test() -> None:
        async with (
            door(Engine(refusing(429, "QueueFull"))) as at,
            at.client.post(f"{at.url}/v1/completions", json=ASKED) as answer,
        ):
            assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        for status, code in ((500, "GenerationFailed"), (503, "Cancelled")):
            failing, other = Engine(refusing(status, code)), Engine()
            async with door(failing, other) as at:
                at.model.replicas["pod-1"].waiting = 3
                given, body = await at.ask()
                assert (given, body["error"]["code"]) == (status, code)
            assert other.asked == [], "what has begun is not done twice"

    run(test())


def test_a_replica_that_is_gone_is_passed_over() -> None:
    async def test() -> None:
        gone, there = Engine(), Engine()
        async with door(gone, there) as at:
            at.model.replicas["pod-1"].waiting = 3
            await gone.server.close()
            assert (await at.ask())[0] == 200

    run(test())


def test_streams_come_through_unbuffered() -> None:
    async def test() -> None:
        step = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            await stream.write(b'data: {"n": 1}\n\n')
            await step.wait()
            await stream.write(b"data: [DONE]\n\n")
            return stream

        async with (
            door(Engine(answer)) as at,
            at.client.post(f"{at.url}/v1/completions", json={**ASKED, "stream": True}) as given,
        ):
            assert await given.content.readany() == b'data: {"n": 1}\n\n', "before the engine goes on"
            step.set()
            assert await given.content.read() == b"data: [DONE]\n\n"

    run(test())


def test_a_stream_that_its_engine_hands_over_goes_on_elsewhere() -> None:
    async def test() -> None:
        handed = {"error": {"message": "left", "type": "t", "code": "EngineDraining", "param": None, "resume": "abc"}}
        leaving = Engine(events({"text": "one"}, handed))
        taking = Engine(events({"text": "two"}, "[DONE]"))
        async with door(leaving, taking) as at:
            at.model.replicas["pod-1"].waiting = 3
            assert await at.stream(max_tokens=9) == [{"text": "one"}, {"text": "two"}, "[DONE]"]
        assert taking.asked == [{**ASKED, "stream": True, "max_tokens": 9, "berth_resume": "abc"}]

    run(test())


def test_what_comes_together_with_a_hand_over_is_not_lost() -> None:
    async def test() -> None:
        handed = {"error": {"message": "left", "type": "t", "code": "EngineDraining", "param": None, "resume": "abc"}}
        together = json.dumps({"text": "one"}) + "\n\ndata: " + json.dumps(handed)
        leaving, taking = Engine(events(together)), Engine(events({"text": "two"}, "[DONE]"))
        async with door(leaving, taking) as at:
            at.model.replicas["pod-1"].waiting = 3
            assert await at.stream() == [{"text": "one"}, {"text": "two"}, "[DONE]"]

    run(test())


def test_a_hand_over_that_comes_in_pieces_is_one() -> None:
    async def test() -> None:
        handed = {
            "error": {"message": "left", "type": "t", "code": "EngineDraining", "param": None, "resume": "a" * 99_999}
        }
        whole = f"data: {json.dumps(handed)}\n\n".encode()

        async def answer(request: web.Request) -> web.StreamResponse:
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            for begin, end in ((0, 60), (60, 70_000), (70_000, None)):
                await stream.write(whole[begin:end])
                await asyncio.sleep(0.02)
            return stream

        taking = Engine(events({"text": "two"}, "[DONE]"))
        async with door(Engine(answer), taking) as at:
            at.model.replicas["pod-1"].waiting = 3
            assert await at.stream() == [{"text": "two"}, "[DONE]"]
        assert taking.asked[0]["berth_resume"] == "a" * 99_999

    run(test())


def test_a_stream_that_nobody_takes_over_ends_with_the_reason() -> None:
    async def test() -> None:
        handed = {"error": {"message": "left", "type": "t", "code": "EngineDraining", "param": None, "resume": "abc"}}
        async with door(Engine(events({"text": "one"}, handed))) as at:
            first, last = await at.stream()
            assert (first, last["error"]["code"]) == ({"text": "one"}, "EngineDraining")

    run(test())


def test_text_that_looks_like_a_hand_over_is_text() -> None:
    async def test() -> None:
        said = {"text": '{"code": "EngineDraining", "resume": "x"}'}
        async with door(Engine(events(said, "[DONE]"))) as at:
            assert await at.stream() == [said, "[DONE]"]

    run(test())


def test_a_sleeping_service_is_woken_and_the_request_waits() -> None:
    async def test() -> None:
        engine = Engine(events({"text": "awake"}, "[DONE]"))
        async with door(engine) as at:
            address = at.model.replicas["pod-0"].address
            at.model.update({})
            asking = asyncio.create_task(at.stream())
            while not at.woken:
                await asyncio.sleep(0.01)
            at.model.update({"pod-1": address})
            first, *rest = await asking
            assert first.startswith(": llama is waking")
            assert rest == [{"text": "awake"}, "[DONE]"]
            assert at.woken == ["llama-service"]

    run(test())


def test_who_waits_too_long_or_comes_too_many_is_told() -> None:
    async def test() -> None:
        async with door(holding=Holding(most=1, seconds=0.3)) as at:
            (late, said), (full, told) = await asyncio.gather(at.ask(), at.ask())
            assert (late, said["error"]["code"]) == (503, "StillAsleep")
            assert (full, told["error"]["code"]) == (429, "HeldTooMany")
            assert (await at.stream())[-1]["error"]["code"] == "StillAsleep"

    run(test())


def test_a_client_that_leaves_frees_its_replica() -> None:
    async def test() -> None:
        left = asyncio.Event()

        async def answer(request: web.Request) -> web.StreamResponse:
            stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await stream.prepare(request)
            try:
                while True:
                    await stream.write(b"data: {}\n\n")
                    await asyncio.sleep(0.01)
            except (ConnectionError, asyncio.CancelledError):
                left.set()
                raise

        async with door(Engine(answer)) as at:
            async with at.client.post(f"{at.url}/v1/completions", json={**ASKED, "stream": True}) as given:
                await given.content.readany()
                assert at.model.replicas["pod-0"].sent == 1
            await asyncio.wait_for(left.wait(), 5)
            while at.model.replicas["pod-0"].sent:
                await asyncio.sleep(0.01)

    run(test())


def test_a_client_that_leaves_before_an_answer_frees_its_replica_and_its_place() -> None:
    async def test() -> None:
        asked = asyncio.Event()

        async def answer(_request: web.Request) -> web.StreamResponse:
            asked.set()
            await asyncio.sleep(60)
            raise AssertionError

        async with door(Engine(answer), holding=Holding(most=1, seconds=60)) as at:
            replica = at.model.replicas["pod-0"]
            asking = asyncio.create_task(at.ask())
            await asyncio.wait_for(asked.wait(), 5)
            asking.cancel()
            await _until(lambda: replica.sent == 0)
            at.model.update({})
            for _ in range(2):  # there is one place to wait in
                waiting = asyncio.create_task(at.ask())
                await _until(lambda: len(at.woken) == 1)
                at.woken.clear()
                waiting.cancel()
                await asyncio.sleep(0.1)

    run(test())


def test_an_answer_that_breaks_off_is_not_asked_for_twice() -> None:
    async def test() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            broken = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100"})
            await broken.prepare(request)
            await broken.write(b'{"choices"')
            assert request.transport is not None
            request.transport.close()
            return broken

        other = Engine()
        async with door(Engine(answer), other) as at:
            at.model.replicas["pod-1"].waiting = 3
            status, body = await at.ask()
            assert (status, body["error"]["code"]) == (502, "ReplicaFailed")
        assert other.asked == []

    run(test())


def test_when_to_come_again_may_be_told_in_any_way() -> None:
    async def test() -> None:
        async def answer(_request: web.Request) -> web.StreamResponse:
            headers = {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}
            return web.json_response({"error": {"code": "QueueFull", "message": "no"}}, status=429, headers=headers)

        async with door(Engine(answer)) as at, at.client.post(f"{at.url}/v1/completions", json=ASKED) as given:
            assert (given.status, given.headers["Retry-After"]) == (429, "1")

    run(test())


def test_only_a_service_that_may_sleep_is_kept_awake() -> None:
    async def test() -> None:
        async with door(Engine()) as at:
            await at.ask()
            assert at.kept == []
            at.model.may_sleep = True
            await at.ask()
            assert at.kept == ["llama-service"]

    run(test())


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)


# --- engines that mean harm: what runs in them is a tenant's


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    async def test() -> None:
        elsewhere = Engine()
        await elsewhere.server.start_server()

        async def lead_away(_request: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"http://{elsewhere.address}/v1/completions"})

        async with door(Engine(lead_away)) as found:
            answered, body = await found.ask()
            assert (answered, body["error"]["code"]) == (502, "ReplicaFailed")
            assert "redirect" in body["error"]["message"]
            assert elsewhere.asked == []
        await elsewhere.server.close()

    run(test())


def test_an_answer_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("berth_gateway.forwarding.MAX_ANSWER", 2**20)
    sent = 0

    async def flood(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        while sent < 2**26:
            await answer.write(b" " * 2**16)
            sent += 2**16
        return answer

    async def test() -> None:
        async with door(Engine(flood)) as found:
            answered, body = await found.ask()
            assert (answered, body["error"]["code"]) == (502, "ReplicaFailed")
            assert "more than 1 MiB" in body["error"]["message"]
        assert sent < 2**25, "it was not read to its end"

    run(test())


def test_a_retry_after_of_thousands_of_digits_is_none() -> None:
    async def refuse(_request: web.Request) -> web.StreamResponse:
        body = {"error": {"code": "QueueFull", "message": "no"}}
        return web.json_response(body, status=429, headers={"Retry-After": "9" * 5_000})

    async def test() -> None:
        async with door(Engine(refuse)) as found:
            assert (await found.ask())[0] == 429

    run(test())


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_json_without_a_bottom_is_a_bad_request_and_a_bad_answer(deep: str) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text=f'{{"error": {{"code": "x", "message": {deep}}}}}')

    async def test() -> None:
        async with door(Engine(answer)) as found:
            body = f'{{"model": "llama", "x": {deep}}}'
            async with found.client.post(f"{found.url}/v1/completions", data=body.encode()) as refused:
                assert refused.status == 400
            async with found.client.post(f"{found.url}/v1/completions", json=ASKED) as passed_on:
                assert passed_on.status == 503

    run(test())
