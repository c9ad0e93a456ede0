"""A small API server over HTTP that lists and watches as a real one does, and misbehaves when told to.

Everything that it holds is JSON by collection path. Lists are pages of one moment, watches send everything since the
version asked for, `compact` forgets the past (410 from then on). What goes wrong next is queued: `refuse`, `cut`, ...
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from berth_cluster.connection import Connection

from .builders import Json, Thing

PATHS = {
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/pods",
    "Namespace": "/api/v1/namespaces",
    "ReplicaSet": "/apis/apps/v1/replicasets",
    "Deployment": "/apis/apps/v1/deployments",
    "StatefulSet": "/apis/apps/v1/statefulsets",
    "DaemonSet": "/apis/apps/v1/daemonsets",
    "CronJob": "/apis/batch/v1/cronjobs",
    "ReplicationController": "/api/v1/replicationcontrollers",
    "Job": "/apis/batch/v1/jobs",
    "PersistentVolumeClaim": "/api/v1/persistentvolumeclaims",
    "PersistentVolume": "/api/v1/persistentvolumes",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
    "PriorityClass": "/apis/scheduling.k8s.io/v1/priorityclasses",
    "PodDisruptionBudget": "/apis/policy/v1/poddisruptionbudgets",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/berth-system/leases",
    "ConfigMap": "/api/v1/namespaces/berth-system/configmaps",
    "PackingPlan": "/apis/berth.dev/v1alpha1/packingplans",
    "PackingPolicy": "/apis/berth.dev/v1alpha1/packingpolicies",
}
PODS = PATHS["Pod"]

Key = tuple[str, str]


class ApiServer:
    def __init__(self) -> None:
        self.version = 100
        self.served = set(PATHS.values())
        self.asked: Counter[str] = Counter()
        """`LIST path` and `WATCH path`: how often."""
        self.queries: list[tuple[str, dict[str, str], str | None]] = []
        """Path, query and Accept of each request."""
        self.url = ""
        self.token = ""
        """Bearer token that it asks for."""
        self._objects: dict[str, dict[Key, Json]] = {path: {} for path in PATHS.values()}
        self._history: dict[str, list[tuple[int, Json]]] = {path: [] for path in PATHS.values()}
        self._floor: dict[str, int] = dict.fromkeys(PATHS.values(), 0)
        self._refusals: dict[str, deque[tuple[int, Json, dict[str, str]]]] = {}
        self._pages: dict[str, tuple[int, list[Json]]] = {}
        self._changed = asyncio.Condition()
        self._cuts: dict[str, str] = {}
        self._mute: set[str] = set()
        self._muted: Counter[str] = Counter()
        self.watchers: Counter[str] = Counter()
        """Watches open now, by path."""

    # What it holds

    async def put(self, thing: Thing) -> Json:
        """Creates or updates."""
        body = deepcopy(thing.body)
        path, key = _place(body)
        before = self._objects[path].get(key)
        self.version += 1
        name = f"{body['kind'].lower()}-{key[1]}"
        body["metadata"].setdefault("uid", before["metadata"]["uid"] if before else f"uid-{name}-{self.version}")
        body["metadata"]["resourceVersion"] = str(self.version)
        self._objects[path][key] = body
        await self._record(path, "MODIFIED" if before else "ADDED", body)
        return body

    async def delete(self, kind: str, name: str, namespace: str = "") -> None:
        path = PATHS[kind]
        body = self._objects[path].pop((namespace, name), None)
        if body is not None:
            self.version += 1
            body = deepcopy(body)
            body["metadata"]["resourceVersion"] = str(self.version)
            await self._record(path, "DELETED", body)

    def holds(self) -> list[Json]:
        return [body for objects in self._objects.values() for body in objects.values()]

    # What goes wrong

    def refuse(
        self, path: str, status: int, reason: str = "", *, retry_after: int | None = None, times: int = 1
    ) -> None:
        """The next requests for the path, lists or watches, are answered so."""
        body = {
            "kind": "Status",
            "status": "Failure",
            "code": status,
            "reason": reason,
            "message": f"told to say {status}",
            "metadata": {},
        }
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self._refusals.setdefault(path, deque()).extend([(status, body, headers)] * times)

    def compact(self, path: str) -> None:
        """Forgets the past: versions up to now, and tokens of lists under way, have expired."""
        self._floor[path] = self.version
        self._pages = {token: page for token, page in self._pages.items() if not token.startswith(path)}

    async def bookmark(self, path: str) -> None:
        """Tells watchers of the path the version of now, as real ones do once a minute."""
        self.version += 1
        bookmark = {"kind": "Bookmark", "metadata": {"resourceVersion": str(self.version)}}
        await self._record(path, "BOOKMARK", bookmark)

    async def say_error(self, path: str, code: int, reason: str, message: str = "told to") -> None:
        """An ERROR event to who watches now."""
        status = {
            "kind": "Status",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            "metadata": {},
        }
        await self._end_watches(path, json.dumps({"type": "ERROR", "object": status}) + "\n")

    async def cut(self, path: str, half: str = "") -> None:
        """Ends the watches of the path, after half an event if one is given."""
        await self._end_watches(path, half)

    async def mute(self, path: str) -> None:
        """Watches of the path say nothing any more, and do not end: as behind a half-open connection."""
        async with self._changed:
            self._mute.add(path)
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._muted[path] >= self.watchers[path])

    def unmute(self, path: str) -> None:
        """For watches from now on."""
        self._mute.discard(path)

    # HTTP

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._get)
        runner = web.AppRunner(app, shutdown_timeout=0.01)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _get(self, request: web.Request) -> web.StreamResponse:
        path, query = request.path, dict(request.query)
        verb = "WATCH" if query.get("watch") else "LIST"
        self.asked[f"{verb} {path}"] += 1
        self.queries.append((path, query, request.headers.get("Accept")))
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response(
                {"kind": "Status", "status": "Failure", "code": 401, "reason": "Unauthorized"}, status=401
            )
        if refusals := self._refusals.get(path):
            status, body, headers = refusals.popleft()
            return web.json_response(body, status=status, headers=headers)
        if path not in self.served:
            return web.Response(status=404, text="404 page not found\n")
        return await self._watch(request, path, query) if verb == "WATCH" else self._list(path, query)

    def _list(self, path: str, query: dict[str, str]) -> web.Response:
        token = query.get("continue")
        if token is not None:
            if token not in self._pages:
                return web.json_response(_expired("the provided continue parameter is too old"), status=410)
            version, rest = self._pages.pop(token)
        else:
            found = (body for _, body in sorted(self._objects[path].items()))
            version, rest = self.version, [body for body in found if _selected(body, query)]
        limit = int(query.get("limit", "0")) or len(rest)
        page, rest = rest[:limit], rest[limit:]
        metadata: Json = {"resourceVersion": str(version)}
        if rest:
            metadata["continue"] = f"{path} {version} {len(rest)}"
            self._pages[metadata["continue"]] = (version, rest)
        return web.json_response({"kind": "List", "metadata": metadata, "items": page})

    async def _watch(self, request: web.Request, path: str, query: dict[str, str]) -> web.StreamResponse:
        since = int(query["resourceVersion"])
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        if since < self._floor[path]:
            await answer.write(json.dumps({"type": "ERROR", "object": _expired("too old")}).encode() + b"\n")
            return answer
        self.watchers[path] += 1
        try:
            async with self._changed:
                await self._send(request, answer, path, since, query)
        finally:
            self.watchers[path] -= 1
        return answer

    async def _send(
        self, request: web.Request, answer: web.StreamResponse, path: str, since: int, query: dict[str, str]
    ) -> None:
        known = self._cuts.get(path, "")
        muted = False
        while True:
            if self._cuts.get(path, "") != known:
                text = self._cuts[path].split("|", 1)[1]
                await answer.write(text.encode())
                assert request.transport is not None
                if not text.endswith("\n"):
                    request.transport.close()
                return
            if path in self._mute and not muted:
                muted = True
                self._muted[path] += 1
                self._changed.notify_all()
            for version, event in [] if muted else self._history[path]:
                if version > since:
                    if event["type"] == "BOOKMARK" or _selected(event["object"], query):
                        await answer.write(json.dumps(event).encode() + b"\n")
                    since = version
            await self._changed.wait()

    async def _record(self, path: str, type_: str, body: Json) -> None:
        self._history[path].append((self.version, {"type": type_, "object": body}))
        async with self._changed:
            self._changed.notify_all()

    async def _end_watches(self, path: str, text: str) -> None:
        number = int(self._cuts.get(path, "0|").split("|", 1)[0]) + 1
        async with self._changed:
            self._cuts[path] = f"{number}|{text}"
            self._changed.notify_all()


def _place(body: Json) -> tuple[str, Key]:
    meta = body["metadata"]
    return PATHS[body["kind"]], (meta.get("namespace", ""), meta["name"])


def _selected(body: Json, query: dict[str, str]) -> bool:
    """The one field selector that is asked for: by name."""
    selector = query.get("fieldSelector", "")
    return not selector or selector == f"metadata.name={body['metadata']['name']}"


def _expired(message: str) -> Json:
    return {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": message, "metadata": {}}


def kubeconfig(folder: Path, url: str, **user: Any) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "c",
                "users": [{"name": "u", "user": user}],
            }
        )
    )
    return path


@asynccontextmanager
async def connected(server: ApiServer, folder: Path, **user: Any) -> AsyncIterator[Connection]:
    connection = await Connection.open(kubeconfig(folder, server.url, **user))
    try:
        yield connection
    finally:
        await connection.close()
