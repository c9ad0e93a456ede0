"""The routes of the OpenAI-compatible server. The process serves from its first moment: /ready tells when it is of use."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi import Request as HttpRequest
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from berth_engine.admission import Refused
from berth_engine.answers import Answer
from berth_engine.api_errors import ApiError
from berth_engine.engine import Engine, Event
from berth_engine.handover import BadHandover, take_over
from berth_engine.metrics import Metrics
from berth_engine.models import Loaded
from berth_engine.openai_api import (
    DEFAULT_CHAT_TOKENS,
    ChatBody,
    CommonBody,
    CompletionBody,
    Priorities,
    priority_of,
    read_body,
    ttft_of,
)
from berth_engine.request import Finish, Request, Sampling
from berth_engine.streaming import EventStream, Mailbox
from berth_engine.text import TextStream

log = logging.getLogger(__name__)

DRAIN_LOOK = 0.02  # seconds between looks at whether the rest is done
WARM_UP = 600.0  # seconds the first token may take


@dataclass(eq=False, slots=True)
class Service:
    """One model behind HTTP. `engine` and `model` come when the weights are loaded."""

    name: str
    priorities: Priorities = field(default_factory=Priorities)
    drain_seconds: float = 30.0
    stall_seconds: float = 60.0  # that a stream waits for a reader that takes nothing
    engine: Engine | None = None
    model: Loaded | None = None
    ready: bool = False
    draining: bool = False
    hurried: bool = False  # what runs gets no more time
    drained: asyncio.Task[None] | None = None
    longest_token: int = 1  # characters
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self.name)

    def open(self, engine: Engine, model: Loaded) -> None:
        """Serve with a started engine, once it has produced a token (waits for it; not for the loop's thread)."""
        first = threading.Event()
        said: list[Event] = []

        def hear(event: Event) -> None:
            said.append(event)
            first.set()

        engine.submit(Request("warm-up", [0], Sampling(max_tokens=1)), hear)
        if not first.wait(WARM_UP) or not said[0].tokens:
            raise RuntimeError(f"the model produced no token: {said[0].error if said else 'time ran out'}")
        self.longest_token = max(map(len, model.tokenizer.get_vocab()))
        self.engine, self.model, self.metrics.engine = engine, model, engine
        self.metrics.weights = model.weights
        if self.draining:
            engine.drain()
        self.ready = True

    def drain(self) -> asyncio.Task[None]:
        """Refuse new work; the task is done when nothing runs, at the latest when drain_seconds are over."""
        if self.drained is None:
            self.draining = True
            if self.engine is not None:
                self.engine.drain()
            self.drained = asyncio.get_running_loop().create_task(self._drain())
        return self.drained

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self.drain_seconds
        while (
            self.engine is not None
            and not self.engine.idle
            and self.engine.alive
            and loop.time() < until
            and not self.hurried
        ):
            await asyncio.sleep(DRAIN_LOOK)
        if self.engine is not None:
            self.engine.abort(Finish.DRAINING)
            while not self.engine.idle and self.engine.alive:
                await asyncio.sleep(DRAIN_LOOK)

    def stalled(self, request_id: str) -> None:
        """Tell of a stream that was ended because nobody read it."""
        log.warning("ReaderStalled: %s took nothing for %g s; its stream is ended", request_id, self.stall_seconds)
        self.metrics.stalled.inc()

    def check_characters(self, count: int) -> None:
        """Refuse, before it is tokenized, a text that is too long even if it were made of the longest tokens."""
        engine, _ = self.opened()
        if count > engine.room * self.longest_token:
            message = f"{count} characters are more than the {engine.room} tokens of context; shorten the prompt"
            raise ApiError(400, "ContextTooLong", message)

    async def complete(self, http: HttpRequest, body: CommonBody, prompt: list[int], max_tokens: int) -> Response:
        """Generate, and answer whole or as a stream."""
        engine, model = self.opened()
        if body.model is not None and body.model != self.name:
            raise ApiError(404, "ModelNotFound", f"{body.model} is not served here; {self.name} is", param="model")
        if any(not 0 <= token < model.vocabulary for token in prompt):
            raise ApiError(400, "BadPrompt", f"token ids go from 0 to {model.vocabulary - 1}", param="prompt")
        chat = isinstance(body, ChatBody)
        ttft = ttft_of(body, http.headers)
        request = Request(
            f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}", prompt, body.sampling(max_tokens),
            priority_of(body, http.headers, self.priorities),
            deadline=None if ttft is None else engine.clock() + ttft, salt=body.salt,
        )  # fmt: skip
        if body.berth_resume is not None:
            try:
                request.output = take_over(body.berth_resume, prompt, model.vocabulary, max_tokens - 1)
            except BadHandover as error:
                raise ApiError(400, "BadHandover", str(error), param="berth_resume") from None
            request.taken_over = len(request.output)
        mailbox = Mailbox(asyncio.get_running_loop())

        def tell(event: Event) -> None:
            self.metrics.observe(event)
            mailbox.put(event)

        try:
            if request.taken_over:  # winding the random stream on takes a moment
                await asyncio.to_thread(engine.submit, request, tell, model.vocabulary)
            else:
                engine.submit(request, tell)
        except Refused as refused:
            raise ApiError.of(refused) from None
        answer = Answer(request.id, self.name, chat, model.tokenizer, request.sampling.logprobs is not None)
        answer.goes_on = request.taken_over > 0
        if body.stream:
            return EventStream(mailbox, answer, body.include_usage, lambda: engine.cancel(request.id),
                               self.stall_seconds, lambda: self.stalled(request.id))  # fmt: skip
        ended, gone = asyncio.ensure_future(mailbox.all()), asyncio.ensure_future(_gone(http))
        try:
            await asyncio.wait((ended, gone), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                return Response(status_code=499)  # nobody reads it
            news = ended.result()
            if request.taken_over:
                said = TextStream(model.tokenizer, request.sampling.stop)
                news.text = "".join(said.push(token) for token in request.output[: request.taken_over]) + news.text
        finally:
            ended.cancel()
            gone.cancel()
            engine.cancel(request.id)
        failure = news.failure(news.text)
        if failure is not None:
            raise failure
        return JSONResponse(answer.whole(news))

    def opened(self) -> tuple[Engine, Loaded]:
        if self.draining:
            raise ApiError(503, "Draining", "this server is shutting down; send to another replica", retry_after=1)
        if not self.ready or self.engine is None or self.model is None:
            raise ApiError(503, "Loading", "the weights are being loaded; try again soon", retry_after=5)
        return self.engine, self.model


async def _gone(http: HttpRequest) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass


def build_app(service: Service) -> FastAPI:
    """The routes of a service."""
    app = FastAPI(title="berth-engine", docs_url=None, redoc_url=None, openapi_url=None)

    @app.exception_handler(ApiError)
    async def refuse(_: HttpRequest, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(HTTPException)
    async def unknown(http: HttpRequest, error: HTTPException) -> Response:
        code = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "BadRequest")
        return ApiError(error.status_code, code, f"{http.method} {http.url.path}: {error.detail}").response()

    @app.exception_handler(Exception)
    async def broken(_: HttpRequest, error: Exception) -> Response:
        return ApiError(500, "InternalError", f"{type(error).__name__}; the server's log tells more").response()

    @app.post("/v1/completions")
    async def completions(http: HttpRequest) -> Response:
        body = await read_body(http, CompletionBody)
        _, model = service.opened()
        prompt = body.prompt
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
            if len(prompt) > 1:
                raise ApiError(400, "NotSupported", "one prompt a request; send several requests", param="prompt")
            prompt = prompt[0]
        if isinstance(prompt, str):
            service.check_characters(len(prompt))
            prompt = await asyncio.to_thread(model.tokenizer.encode, prompt)
        tokens = [token for token in prompt if isinstance(token, int)]
        return await service.complete(http, body, tokens, body.max_tokens or 16)

    @app.post("/v1/chat/completions")
    async def chat(http: HttpRequest) -> Response:
        body = await read_body(http, ChatBody)
        engine, model = service.opened()
        messages = [{"role": message.role, "content": message.text} for message in body.messages]
        service.check_characters(sum(len(message["content"]) for message in messages))
        try:
            text = await asyncio.to_thread(
                model.tokenizer.apply_chat_template, messages, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:  # templates are programs of the model's author, and raise what they like
            raise ApiError(400, "ChatTemplate", f"the model's chat template: {error}", param="messages") from None
        service.check_characters(len(text))
        prompt = await asyncio.to_thread(lambda: model.tokenizer.encode(text, add_special_tokens=False))
        rest = max(1, min(DEFAULT_CHAT_TOKENS, engine.room - len(prompt)))
        return await service.complete(http, body, prompt, body.max_completion_tokens or body.max_tokens or rest)

    @app.get("/v1/models")
    async def models() -> Response:
        entry = {"id": service.name, "object": "model", "created": 0, "owned_by": "berth"}
        if service.model is not None and service.model.quantization is not None:
            entry["quantization"] = service.model.quantization
        return JSONResponse({"object": "list", "data": [entry]})

    @app.get("/health")
    async def health() -> Response:
        if service.engine is not None and not service.engine.alive:
            raise ApiError(503, "EngineFailed", service.engine.failed or "the engine's thread has ended")
        return JSONResponse({"status": "ok"})

    @app.get("/ready")
    async def ready() -> Response:
        if service.draining or not service.ready:
            return JSONResponse({"status": "draining" if service.draining else "loading"}, 503)
        engine, _ = service.opened()
        if not engine.alive:
            raise ApiError(503, "EngineFailed", engine.failed or "the engine's thread has ended")
        return JSONResponse({"status": "ready"})

    @app.post("/drain")
    async def drain() -> Response:
        service.drain()
        return JSONResponse(left(), 202)

    @app.get("/drain")
    async def drain_left() -> Response:
        return JSONResponse(left())

    def left() -> dict[str, object]:
        gauges = service.engine.gauges() if service.engine is not None else None
        waiting = sum(gauges.waiting.values()) if gauges else 0
        admitted = gauges.running + gauges.paused if gauges else 0
        done = service.draining and (service.engine is None or service.engine.idle)
        return {"draining": service.draining, "waiting": waiting, "admitted": admitted, "done": done}

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return app
