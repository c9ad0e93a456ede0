"""The API's own description, OpenAPI 3.1, made from the types that its answers are encoded from."""

from __future__ import annotations

from typing import Any

import msgspec

from berth_ui import wire

Json = dict[str, Any]


class Endpoint(msgspec.Struct, frozen=True):
    method: str
    path: str
    answer: type[msgspec.Struct]
    summary: str
    asked: type[msgspec.Struct] | None = None
    query: tuple[str, ...] = ()
    acts: bool = False
    """It writes to the cluster, with the caller's own token."""


PAGE = ("after", "limit")
ENDPOINTS = (
    Endpoint("get", "/overview", wire.Overview, "The cluster in a few numbers"),
    Endpoint("get", "/harbour", wire.Harbour, "Nodes and pods; pages by node", query=PAGE),
    Endpoint("get", "/pods/{namespace}/{name}", wire.PodDetail, "One pod: why it is here, or why it waits"),
    Endpoint("get", "/nodes/{name}", wire.NodeDetail, "One node and its pods"),
    Endpoint("get", "/waiting", wire.Waiting, "Who waits and why, most important first", query=PAGE),
    Endpoint("get", "/plans", wire.Plans, "Plans, newest first", query=PAGE),
    Endpoint("get", "/plans/{name}", wire.PlanDetail, "One plan: its proof, its waves, how far it is"),
    Endpoint("post", "/plans/{name}/approve", wire.PlanDetail, "Have a plan carried out", acts=True),
    Endpoint("post", "/plans/{name}/cancel", wire.PlanDetail, "Stop a plan; what is under way is finished", acts=True),
    Endpoint("post", "/plans/{name}/reverse", wire.WhatIf, "The way back, with its own certificate; writes nothing"),
    Endpoint("post", "/plans/preview", wire.WhatIf, "What a plan made now would do; writes nothing"),
    Endpoint("get", "/services", wire.Services, "LLMServices and their replicas", query=PAGE),
    Endpoint("get", "/fragments", wire.Fragments, "Where room is lost to fragments"),
    Endpoint("post", "/what-if", wire.WhatIf, "What a change would be worth; writes nothing", asked=wire.Asked),
    Endpoint("get", "/history", wire.History, "The last days", query=("since", "until")),
)
"""All that answer with JSON. Beside them are /changes (server-sent events, each a Change) and /history.csv."""
TEMPLATE = "#/components/schemas/{name}"


def document() -> Json:
    """The whole of it, with keys in a fixed order."""
    types = [wire.Problem, wire.Change]
    for endpoint in ENDPOINTS:
        types += [endpoint.answer] + ([endpoint.asked] if endpoint.asked is not None else [])
    _, components = msgspec.json.schema_components(dict.fromkeys(types), ref_template=TEMPLATE)
    paths: dict[str, Json] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(f"/api/v1{endpoint.path}", {})[endpoint.method] = _operation(endpoint)
    paths["/api/v1/changes"] = {"get": _changes()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Berth", "version": "v1", "description": "What the dashboard knows of a cluster."},
        "paths": paths,
        "components": {"schemas": dict(sorted(components.items()))},
    }


def _operation(endpoint: Endpoint) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("namespace", "name")
        if f"{{{name}}}" in endpoint.path
    ]
    parameters += [
        {"name": name, "in": "query", "schema": {"type": "integer" if name == "limit" else "string"}}
        for name in endpoint.query
    ]
    made: Json = {
        "operationId": _name(endpoint),
        "summary": endpoint.summary,
        "responses": {
            "200": {"description": "As asked.", "content": _json(endpoint.answer)},
            "default": {"description": "Why not, and what to do.", "content": _json(wire.Problem)},
        },
    }
    if parameters:
        made["parameters"] = parameters
    if endpoint.asked is not None:
        made["requestBody"] = {"required": True, "content": _json(endpoint.asked)}
    return made


def _changes() -> Json:
    return {
        "operationId": "getChanges",
        "summary": "Server-sent events; the data of each is a Change",
        "responses": {
            "200": {"description": "Until either side ends it.", "content": {"text/event-stream": {}}},
            "default": {"description": "Why not, and what to do.", "content": _json(wire.Problem)},
        },
    }


def _json(of: type[msgspec.Struct]) -> Json:
    return {"application/json": {"schema": {"$ref": TEMPLATE.format(name=of.__name__)}}}


def _name(endpoint: Endpoint) -> str:
    """getPlan for /plans/{name}, postPlansPreview for /plans/preview."""
    words = [w for part in endpoint.path.split("/") if part for w in part.split("-")]
    one = words and words[-1].startswith("{")
    kept = [w for w in words if not w.startswith("{")]
    if one:
        kept[-1] = kept[-1].removesuffix("s")
    return endpoint.method + "".join(w[:1].upper() + w[1:] for w in kept)
