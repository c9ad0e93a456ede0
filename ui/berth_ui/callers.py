"""Who asks, what they may see, and acting as them: never with rights of our own.

Within the cluster each request brings its caller's own bearer token. The API server says whose it is (TokenReview) and what they may do
(SubjectAccessReview): list nodes, list plans, patch plans, list pods in all namespaces or else in each, list LLMServices likewise. Both
answers are kept for some seconds, by the token's hash; a token is never kept nor logged. Standing alone everything happens with one
person's kubeconfig, which the API server checks by itself; only what that person may do is asked, so that the page offers no more.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from berth_api.reasons import Reason
from berth_cluster.connection import ApiError, Connection
from berth_cluster.objects import Wire
from berth_ui.wire import May

KEPT_SECONDS = 20.0
"""How long an answer of the API server holds: so long a right that was taken away may still count for looking; acting is checked by the
API server itself."""
REFUSED_SECONDS = 5.0
MAX_KEPT = 1_000
AT_ONCE = 16
"""Reviews under way."""
MAX_NAMESPACES = 500
"""Of a caller who may not list all: more are not looked into."""
MAX_TOKEN = 16_384
REVIEW_SECONDS = 10.0
MAX_ANSWER = 1 << 20
"""Bytes: who answers through the API server's proxy is a tenant's."""
BEARER = "bearer "


class RefusedError(Exception):
    """The caller gets this answer."""

    def __init__(self, status: int, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message


class Caller(msgspec.Struct, frozen=True):
    """`services`: namespaces whose LLMServices they may list; None: all. `token`: to act with; empty: ours is theirs."""

    may: May
    services: frozenset[str] | None = None
    name: str = ""
    token: str = ""

    @property
    def sees_all(self) -> bool:
        return self.may.namespaces is None and self.may.see_nodes and self.may.see_plans

    def sees(self, namespace: str) -> bool:
        return self.may.namespaces is None or namespace in self.may.namespaces

    def sees_service(self, namespace: str) -> bool:
        return self.services is None or namespace in self.services

    @property
    def rights(self) -> tuple[object, ...]:
        """Equal for callers who see the same."""
        may = self.may
        namespaces = None if may.namespaces is None else tuple(may.namespaces)
        services = None if self.services is None else tuple(sorted(self.services))
        return may.act, may.see_nodes, may.see_plans, namespaces, services


class Callers(Protocol):
    async def of(self, headers: Mapping[str, str]) -> Caller:
        """Raises RefusedError."""
        ...

    async def change_plan(self, caller: Caller, name: str, uid: str, spec: Mapping[str, object]) -> None:
        """As the caller. Raises RefusedError."""
        ...

    async def read(self, caller: Caller, path: str) -> bytes:
        """Lines that the API server shows the caller, at most `MAX_ANSWER` bytes. Raises ApiError, RefusedError."""
        ...


class Onlookers:
    """Nobody acts on a dump."""

    async def of(self, headers: Mapping[str, str]) -> Caller:
        return Caller(May(act=False, see_nodes=True, see_plans=True, namespaces=None))

    async def change_plan(self, caller: Caller, name: str, uid: str, spec: Mapping[str, object]) -> None:
        raise RefusedError(409, Reason.NOT_LIVE, "this is no live cluster: start berth ui without --dump and --demo")

    async def read(self, caller: Caller, path: str) -> bytes:
        raise RefusedError(409, Reason.NOT_LIVE, "this is no live cluster")


class _Attributes(Wire, frozen=True):
    """resourceAttributes of a review."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""


class _User(Wire, frozen=True):
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class _TokenStatus(Wire, frozen=True):
    authenticated: bool = False
    user: _User = _User()


class _AccessStatus(Wire, frozen=True):
    allowed: bool = False


class _TokenReview(Wire, frozen=True):
    status: _TokenStatus = _TokenStatus()


class _AccessReview(Wire, frozen=True):
    status: _AccessStatus = _AccessStatus()


LIST_NODES = _Attributes("list", "nodes")
LIST_PODS = _Attributes("list", "pods")
LIST_SERVICES = _Attributes("list", "llmservices", "berth.dev")
LIST_PLANS = _Attributes("list", "packingplans", "berth.dev")
PATCH_PLANS = _Attributes("patch", "packingplans", "berth.dev")
_AUTHORIZATION = "/apis/authorization.k8s.io/v1"
_TOKENS = "/apis/authentication.k8s.io/v1/tokenreviews"


class OwnLogin:
    """Standing alone: whoever has the address acts with this kubeconfig."""

    def __init__(self, connection: Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._clock = clock
        self._known: tuple[float, Caller] | None = None

    async def of(self, headers: Mapping[str, str]) -> Caller:
        if self._known is None or self._clock() - self._known[0] > KEPT_SECONDS:
            found = await asyncio.gather(*(self.may(each) for each in (PATCH_PLANS, LIST_PLANS)))
            may = May(act=found[0], see_nodes=True, see_plans=found[1], namespaces=None)
            self._known = (self._clock(), Caller(may))
        return self._known[1]

    async def may(self, attributes: _Attributes) -> bool:
        """Raises RefusedError."""
        spec = {"resourceAttributes": msgspec.to_builtins(attributes)}
        body = await _review(self._connection, f"{_AUTHORIZATION}/selfsubjectaccessreviews", spec)
        return msgspec.json.decode(body, type=_AccessReview).status.allowed

    async def change_plan(self, caller: Caller, name: str, uid: str, spec: Mapping[str, object]) -> None:
        await _patch_plan(self._connection.request, name, uid, spec)

    async def read(self, caller: Caller, path: str) -> bytes:
        text = b""
        async for lines in self._connection.batches(path, {}):
            text += b"".join(line + b"\n" for line in lines)
            if len(text) > MAX_ANSWER:
                break
        return text[:MAX_ANSWER]


class BearerCallers:
    """In the cluster. namespaces: those that have something to show."""

    def __init__(
        self,
        connection: Connection,
        namespaces: Callable[[], Iterable[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._clock = clock
        self._known: OrderedDict[bytes, tuple[float, Caller | RefusedError]] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[Caller | RefusedError]] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def of(self, headers: Mapping[str, str]) -> Caller:
        given = headers.get("authorization", "")
        token = given[len(BEARER) :].strip()
        if given[: len(BEARER)].lower() != BEARER or not token or len(token) > MAX_TOKEN:
            raise RefusedError(
                401, Reason.UNAUTHENTICATED, "send your own token: Authorization: Bearer $(kubectl create token ...)"
            )
        key = hashlib.sha256(token.encode()).digest()
        known = self._known.get(key)
        if known is None or known[0] < self._clock():
            found = await self._ask_once(key, token)
        else:
            found = known[1]
        if isinstance(found, RefusedError):  # not the kept one, whose traceback would grow each time
            raise RefusedError(found.status, found.reason, found.message)
        return msgspec.structs.replace(found, token=token)

    async def change_plan(self, caller: Caller, name: str, uid: str, spec: Mapping[str, object]) -> None:
        async def request(method: str, path: str, *, body: object, content_type: str) -> bytes:
            return await _as_token(self._connection, caller.token, method, path, body, content_type)

        await _patch_plan(request, name, uid, spec)

    async def read(self, caller: Caller, path: str) -> bytes:
        return await _as_token(self._connection, caller.token, "GET", path, None, "application/json")

    async def _ask_once(self, key: bytes, token: str) -> Caller | RefusedError:
        """Requests that come together are one question."""
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._find_out(token))
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        found = await asyncio.shield(task)
        kept = REFUSED_SECONDS if isinstance(found, RefusedError) else KEPT_SECONDS
        self._known[key] = (self._clock() + kept, found)
        self._known.move_to_end(key)
        while len(self._known) > MAX_KEPT:
            self._known.popitem(last=False)
        return found

    async def _find_out(self, token: str) -> Caller | RefusedError:
        try:
            async with self._at_once:
                body = await _review(self._connection, _TOKENS, {"token": token})
            status = msgspec.json.decode(body, type=_TokenReview).status
            if not status.authenticated:
                return RefusedError(
                    401,
                    Reason.UNAUTHENTICATED,
                    "the API server does not know this token, or it has expired: bring a new one",
                )
            return await self._rights_of(status.user)
        except RefusedError as error:
            return error

    async def _rights_of(self, user: _User) -> Caller:
        async def may(attributes: _Attributes) -> bool:
            spec = {
                "resourceAttributes": msgspec.to_builtins(attributes),
                "user": user.username,
                "uid": user.uid,
                "groups": user.groups,
                "extra": user.extra,
            }
            async with self._at_once:
                body = await _review(self._connection, f"{_AUTHORIZATION}/subjectaccessreviews", spec)
            return msgspec.json.decode(body, type=_AccessReview).status.allowed

        async def where(attributes: _Attributes) -> list[str] | None:
            if await may(attributes):
                return None
            names = sorted(set(self._namespaces()))[:MAX_NAMESPACES]
            found = await asyncio.gather(*(may(msgspec.structs.replace(attributes, namespace=n)) for n in names))
            return [name for name, allowed in zip(names, found, strict=True) if allowed]

        act, nodes, plans, pods, services = await asyncio.gather(
            may(PATCH_PLANS), may(LIST_NODES), may(LIST_PLANS), where(LIST_PODS), where(LIST_SERVICES)
        )
        return Caller(
            May(act=act, see_nodes=nodes, see_plans=plans, namespaces=pods),
            services=None if services is None else frozenset(services),
            name=user.username,
        )


async def _review(connection: Connection, path: str, spec: Mapping[str, object]) -> bytes:
    group = path.split("/")[2]
    kind = {"tokenreviews": "TokenReview", "subjectaccessreviews": "SubjectAccessReview"}.get(
        path.rsplit("/", 1)[1], "SelfSubjectAccessReview"
    )
    body = {"apiVersion": f"{group}/v1", "kind": kind, "spec": spec}
    try:
        return await connection.request("POST", path, body=body, timeout=REVIEW_SECONDS)
    except ApiError as error:
        if error.status == 403:
            raise RefusedError(
                503, Reason.REVIEWS_FORBIDDEN, f"the operator may not create a {kind}: give it the role of docs/rbac.md"
            ) from error
        raise RefusedError(503, Reason.API_ERROR, f"the API server did not say who may do what: {error}") from error


async def _patch_plan(request: Any, name: str, uid: str, spec: Mapping[str, object]) -> None:
    # the uid: not another plan that took the name
    body = {"metadata": {"uid": uid}, "spec": spec}
    path = f"/apis/berth.dev/v1alpha1/packingplans/{name}"
    try:
        await request("PATCH", path, body=body, content_type="application/merge-patch+json")
    except ApiError as error:
        if error.status == 403:
            raise RefusedError(403, Reason.FORBIDDEN, f"you may not patch packingplans: {error.message}") from error
        if error.status == 404:
            raise RefusedError(404, Reason.UNKNOWN_PLAN, f"there is no plan {name} any more") from error
        if error.status == 401:
            raise RefusedError(
                401, Reason.UNAUTHENTICATED, "the API server does not take your token any more"
            ) from error
        status = 409 if error.status in (409, 422) else 502
        raise RefusedError(status, Reason.API_ERROR, f"the API server refused: {error.message}") from error


async def _as_token(
    connection: Connection, token: str, method: str, path: str, body: object | None, content_type: str
) -> bytes:
    """A request with nothing of ours but the way there: no certificate, no account."""
    import aiohttp

    ours = await connection.credentials()
    if not ours.verify:
        checked: ssl.SSLContext | bool = False
    else:
        checked = ssl.create_default_context(cafile=ours.ca_file) if ours.host.startswith("https:") else True
    asked = f"{method} {path}"
    limits = aiohttp.ClientTimeout(total=REVIEW_SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type, "User-Agent": "berth-ui"}
    try:
        async with (
            aiohttp.ClientSession(timeout=limits) as session,
            session.request(
                method,
                ours.host + path,
                data=None if body is None else msgspec.json.encode(body),
                headers=headers,
                ssl=checked,
            ) as answer,
        ):
            text = await _read(answer, MAX_ANSWER)
            if answer.status >= 400:
                raise _refusal(text, asked, answer.status)
            return text
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ApiError(asked, 0, "Unreachable", str(error) or type(error).__name__) from error


async def _read(answer: Any, most: int) -> bytes:
    """At most so much of it."""
    text = b""
    while len(text) < most and (chunk := await answer.content.readany()):
        text += chunk
    return text[:most]


def _refusal(text: bytes, asked: str, code: int) -> ApiError:
    from berth_cluster.connection import Status, refusal_of

    try:
        status = msgspec.json.decode(text, type=Status)
    except msgspec.DecodeError:
        status = Status()
    return refusal_of(status, asked, code)
