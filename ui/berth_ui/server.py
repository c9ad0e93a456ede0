"""The HTTP of the dashboard: `/api/v1/...` as JSON, and the page under `/ui`.

Every answer carries an ETag of what it was made of, so that asking again for what has not changed costs a 304. Answers are encoded from
the types of `wire`; errors are a `Problem` with a reason and a sentence. The page is static and needs nothing from elsewhere, which its
Content-Security-Policy holds it to.
"""

import asyncio
import hashlib
from importlib.resources import files
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from msgspec.structs import replace
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from berth_api.reasons import Reason
from berth_cluster.decoding import MALFORMED
from berth_ui import acting
from berth_ui.answers import DEFAULT_LIMIT, MAX_LIMIT, Answers, UnknownError
from berth_ui.callers import Caller, Callers, Onlookers, RefusedError
from berth_ui.engine_figures import EngineFigures
from berth_ui.history import EMPTY, Recorder, csv_of
from berth_ui.openapi import document
from berth_ui.source import Source
from berth_ui.streams import Streams
from berth_ui.thinking import AskError, BusyError, NoReverseError, Thinker
from berth_ui.wire import Asked, History, Problem

MAX_BODY = 64 * 1024
RETRY_SECONDS = 3
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_encode = msgspec.json.Encoder().encode


def build_app(
    source: Source, thinker: Thinker, callers: Callers | None = None, recorder: Recorder | None = None
) -> FastAPI:
    """All of it over one source. callers: None: anybody may look, nobody acts. recorder: None: there is no history."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=3)
    app.add_middleware(Guard)
    _say_why_not(app)
    answers = Answers(source, thinker)
    who = callers or Onlookers()
    streams = Streams()
    engines = EngineFigures(who, source.metrics_of)

    async def caller_of(request: Request) -> Caller:
        return await who.of(request.headers)

    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @app.get("/api/v1/overview")
    async def overview(request: Request, caller: Asking) -> Response:
        return answer(request, answers.overview(caller))

    @app.get("/api/v1/harbour")
    async def harbour(request: Request, caller: Asking, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, answers.harbour(caller, after, capped(limit)))

    @app.get("/api/v1/changes")
    async def changes(request: Request, caller: Asking) -> Response:
        return streams.open(request, caller, lambda: who.of(request.headers), source.feed, answers)

    @app.get("/api/v1/pods/{namespace}/{name}")
    async def pod(request: Request, caller: Asking, namespace: str, name: str) -> Response:
        return answer(request, await answers.pod(caller, namespace, name))

    @app.get("/api/v1/nodes/{name}")
    async def node(request: Request, caller: Asking, name: str) -> Response:
        return answer(request, answers.node(caller, name))

    @app.get("/api/v1/waiting")
    async def waiting(request: Request, caller: Asking, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, await answers.waiting(caller, after, capped(limit)))

    @app.get("/api/v1/plans")
    async def plans(request: Request, caller: Asking, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, answers.plans(caller, after, capped(limit)))

    @app.post("/api/v1/plans/preview")
    async def preview(request: Request, caller: Asking) -> Response:
        return answer(request, await answers.preview(caller))

    @app.get("/api/v1/plans/{name}")
    async def plan(request: Request, caller: Asking, name: str) -> Response:
        return answer(request, answers.plan(caller, name))

    @app.post("/api/v1/plans/{name}/reverse")
    async def reverse(request: Request, caller: Asking, name: str) -> Response:
        return answer(request, await answers.reverse(caller, name))

    @app.post("/api/v1/plans/{name}/approve")
    async def approve(request: Request, caller: Asking, name: str) -> Response:
        found = answers.plan_named(caller, name)
        return answer(request, await acting.approve(who, caller, found, source.policies()))

    @app.post("/api/v1/plans/{name}/cancel")
    async def cancel(request: Request, caller: Asking, name: str) -> Response:
        return answer(request, await acting.cancel(who, caller, answers.plan_named(caller, name)))

    @app.get("/api/v1/services")
    async def services(request: Request, caller: Asking, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        found = answers.services(caller, after, capped(limit))
        return answer(request, replace(found, items=await engines.fill(caller, found.items)))

    @app.get("/api/v1/fragments")
    async def fragments(request: Request, caller: Asking) -> Response:
        return answer(request, answers.fragments(caller))

    @app.post("/api/v1/what-if")
    async def what_if(request: Request, caller: Asking) -> Response:
        body = await read_body(request)
        if body is None:
            return problem(413, Reason.TOO_LARGE, f"a question of more than {MAX_BODY} bytes is not read")
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except MALFORMED as error:
            return problem(422, Reason.BAD_FIELD, f"the question cannot be read: {error}")
        return answer(request, await answers.what_if(caller, asked))

    async def history_of(caller: Caller, since: str, until: str) -> History:
        if not caller.sees_all:
            raise RefusedError(
                403,
                Reason.FORBIDDEN,
                "the history is that of the whole cluster: you must be allowed to list nodes, packingplans, and pods in all namespaces",
            )
        if recorder is None:
            return EMPTY
        try:
            return await asyncio.to_thread(recorder.history, since, until)
        except ValueError as error:
            raise RefusedError(422, Reason.BAD_FIELD, f"since and until are moments as in RFC 3339: {error}") from error

    @app.get("/api/v1/history")
    async def history(request: Request, caller: Asking, since: str = "", until: str = "") -> Response:
        return answer(request, await history_of(caller, since, until))

    @app.get("/api/v1/history.csv")
    async def as_csv(caller: Asking, since: str = "", until: str = "") -> Response:
        found = csv_of(await history_of(caller, since, until))
        return Response(
            found, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="berth.csv"'}
        )

    @app.get("/api/v1/openapi.json")
    async def described(request: Request) -> Response:
        return answer(request, document())

    @app.get("/")
    @app.get("/ui")
    async def page() -> Response:
        return RedirectResponse("/ui/")

    assets = files("berth_ui") / "assets"
    if assets.is_dir():
        app.mount("/ui", StaticFiles(directory=str(assets), html=True), name="page")
    return app


def _say_why_not(app: FastAPI) -> None:
    @app.exception_handler(UnknownError)
    async def unknown(_: Request, error: UnknownError) -> Response:
        return problem(404, Reason.NOT_FOUND, str(error.args[0]))

    @app.exception_handler(RefusedError)
    async def refused(_: Request, error: RefusedError) -> Response:
        answer = problem(error.status, error.reason, error.message)
        if error.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.exception_handler(NoReverseError)
    async def no_way_back(_: Request, error: NoReverseError) -> Response:
        return problem(409, Reason.NO_WAY_BACK, str(error))

    @app.exception_handler(AskError)
    async def cannot(_: Request, error: AskError) -> Response:
        return problem(422, Reason.BAD_CHANGE, str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:
        refused = problem(429, Reason.BUSY, str(error))
        refused.headers["Retry-After"] = str(RETRY_SECONDS)
        return refused

    @app.exception_handler(HTTPException)
    async def nowhere(_: Request, error: HTTPException) -> Response:
        reason = {404: Reason.NOT_FOUND, 405: Reason.METHOD_NOT_ALLOWED}.get(
            error.status_code, Reason.MALFORMED_REQUEST
        )
        return problem(error.status_code, reason, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> Response:
        wrong = error.errors()[0]
        return problem(422, Reason.BAD_FIELD, f"{wrong['loc'][-1]}: {wrong['msg']}")


class Guard:
    """Puts `HEADERS` on every answer; a middleware without a body of its own, so that streams pass."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


def answer(request: Request, value: object) -> Response:
    """As JSON; 304 when the caller has it already."""
    body = _encode(value)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.method == "GET" and tag in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def problem(status: int, reason: str, message: str) -> Response:
    return Response(_encode(Problem(reason=reason, message=message)), status, media_type="application/json")


async def read_body(request: Request) -> bytes | None:
    """None: too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def capped(limit: int) -> int:
    return min(max(limit, 1), MAX_LIMIT)
