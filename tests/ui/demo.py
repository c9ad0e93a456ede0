"""The demo's cluster behind the API, asked as a browser would."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from starlette.testclient import TestClient

from berth_cli.demo.cluster import demo_dump
from berth_cluster.dump import read_dumps
from berth_ui.server import build_app
from berth_ui.source import StillSource
from berth_ui.thinking import Thinker


class Asking:
    """Status and JSON of an answer."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        given = {} if body is None else {"json": body}
        answer = self.client.request(method.upper(), path, **given)
        return answer.status_code, answer.json()


@contextmanager
def asking() -> Iterator[Asking]:
    """One server for all tests of a run: starting the process that plans takes seconds."""
    yield Asking(_client())


@cache
def _client() -> TestClient:
    thinker = Thinker()
    source = StillSource("Demo", "demo", read_dumps([io.BytesIO(demo_dump())]), thinker)
    client = TestClient(build_app(source, thinker), base_url="http://127.0.0.1")
    client.__enter__()

    def end() -> None:
        client.__exit__(None, None, None)
        thinker.close()

    _ends.append(end)
    return client


def end_all() -> None:
    while _ends:
        _ends.pop()()


_ends: list[Callable[[], None]] = []
