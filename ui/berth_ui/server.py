"""The HTTP of the dashboard: `/api/v1/...` as JSON, and the page under `/ui`.

Every answer carries an ETag of what it was made of, so that asking again for what has not changed costs a 304. Answers are encoded from
the types of `wire`; errors are a `Problem` with a reason and a sentence. The page is static and needs nothing from elsewhere, which its
Content-Security-Policy holds it to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from importlib.resources import files

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import RedirectResponse

from berth_ui.answers import DEFAULT_LIMIT, MAX_LIMIT, Answers, UnknownError
from berth_ui.openapi import document
from berth_ui.source import Source
from berth_ui.thinking import AskError, BusyError, Thinker
from berth_ui.wire import Asked, May, Problem

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
EVERYBODY = May(act=False, see_nodes=True, namespaces=None)

_encode = msgspec.json.Encoder().encode


def build_app(source: Source, thinker: Thinker) -> FastAPI:
    """All of it over one source."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=3)
    answers = Answers(source, thinker)

    @app.middleware("http")
    async def guard(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await go_on(request)
        response.headers.update(HEADERS)
        return response

    @app.exception_handler(UnknownError)
    async def unknown(_: Request, error: UnknownError) -> Response:
        return problem(404, "NotFound", str(error.args[0]))

    @app.exception_handler(AskError)
    async def cannot(_: Request, error: AskError) -> Response:
        return problem(422, "BadChange", str(error))

    @app.exception_handler(BusyError)
    async def busy(_: Request, error: BusyError) -> Response:
        refused = problem(429, "Busy", str(error))
        refused.headers["Retry-After"] = str(RETRY_SECONDS)
        return refused

    @app.exception_handler(HTTPException)
    async def nowhere(_: Request, error: HTTPException) -> Response:
        return problem(error.status_code, "NotFound" if error.status_code == 404 else "BadRequest", str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> Response:
        wrong = error.errors()[0]
        return problem(422, "BadField", f"{wrong['loc'][-1]}: {wrong['msg']}")

    @app.get("/api/v1/overview")
    async def overview(request: Request) -> Response:
        return answer(request, answers.overview(EVERYBODY))

    @app.get("/api/v1/harbour")
    async def harbour(request: Request, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, answers.harbour(after, capped(limit)))

    @app.get("/api/v1/pods/{namespace}/{name}")
    async def pod(request: Request, namespace: str, name: str) -> Response:
        return answer(request, await answers.pod(namespace, name))

    @app.get("/api/v1/nodes/{name}")
    async def node(request: Request, name: str) -> Response:
        return answer(request, answers.node(name))

    @app.get("/api/v1/waiting")
    async def waiting(request: Request, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, await answers.waiting(after, capped(limit)))

    @app.get("/api/v1/plans")
    async def plans(request: Request, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, answers.plans(after, capped(limit)))

    @app.post("/api/v1/plans/preview")
    async def preview(request: Request) -> Response:
        return answer(request, await answers.preview())

    @app.get("/api/v1/plans/{name}")
    async def plan(request: Request, name: str) -> Response:
        return answer(request, answers.plan(name, may_act=False))

    @app.get("/api/v1/services")
    async def services(request: Request, after: str = "", limit: int = DEFAULT_LIMIT) -> Response:
        return answer(request, answers.services(after, capped(limit)))

    @app.get("/api/v1/fragments")
    async def fragments(request: Request) -> Response:
        return answer(request, answers.fragments())

    @app.post("/api/v1/what-if")
    async def what_if(request: Request) -> Response:
        body = await read_body(request)
        if body is None:
            return problem(413, "TooLarge", f"a question of more than {MAX_BODY} bytes is not read")
        try:
            asked = msgspec.json.decode(body, type=Asked)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return problem(422, "BadField", f"the question cannot be read: {error}")
        return answer(request, await answers.what_if(asked))

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
