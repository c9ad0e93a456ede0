"""Reading a live cluster: the real kubectl against a small API server, and programs on the PATH that fail as kubectl does."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from .command import Here, berth
from .scenes import fragmented

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")


class Api(BaseHTTPRequestHandler):
    """Lists of what the server has, 403 for what it keeps to itself, 404 for the rest; typed lists have no kind in items."""

    lists: dict[str, list[dict[str, Any]]]
    forbidden: frozenset[str] = frozenset()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in self.forbidden:
            self._answer(
                403, {"kind": "Status", "message": f"{path} is forbidden: User cannot list", "reason": "Forbidden"}
            )
        elif path in self.lists:
            kind = self.lists[path][0]["kind"] if self.lists[path] else "Thing"
            items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in self.lists[path]]
            self._answer(200, {"kind": f"{kind}List", "apiVersion": "v1", "items": items})
        else:
            message = "the server could not find the requested resource"
            self._answer(404, {"kind": "Status", "message": message, "reason": "NotFound"})

    def _answer(self, code: int, body: dict[str, Any]) -> None:
        data = json.dumps({"apiVersion": "v1", "code": code} | body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's word)
        pass


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    objects = fragmented()
    Api.lists = {
        "/api/v1/nodes": [o for o in objects if o["kind"] == "Node"],
        "/api/v1/pods": [o for o in objects if o["kind"] == "Pod"],
    }
    Api.forbidden = frozenset()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
                "current-context": "test",
            }
        )
    )
    yield path
    server.shutdown()
    server.server_close()


@needs_kubectl
def test_a_live_cluster_is_planned_like_its_dump(here: Here, kubeconfig: Path) -> None:
    ended = here("plan", "--kubeconfig", kubeconfig, "--context", "test", "-o", "json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["plan"]["disruption"]["moves"] == 1
    assert "warning" not in ended.err


@needs_kubectl
def test_a_kind_that_may_not_be_read_is_a_warning_with_its_consequence(here: Here, kubeconfig: Path) -> None:
    Api.forbidden = frozenset({"/apis/policy/v1/poddisruptionbudgets"})
    ended = here("plan", "--kubeconfig", kubeconfig)
    assert ended.code == 0, ended.err
    assert "cannot read poddisruptionbudgets" in ended.err
    assert "budgets are not honoured" in ended.err


@needs_kubectl
def test_without_the_right_to_read_pods_there_is_no_plan(here: Here, kubeconfig: Path) -> None:
    Api.forbidden = frozenset({"/api/v1/pods"})
    ended = here("plan", "--kubeconfig", kubeconfig)
    assert ended.code == 3
    assert "kubectl auth can-i list pods" in ended.err


@needs_kubectl
@pytest.mark.parametrize(
    ("args", "said"),
    [(["--context", "prod"], "prod"), (["--kubeconfig", "/nowhere/config"], "/nowhere/config")],
)
def test_a_context_that_is_not_there(kubeconfig: Path, args: list[str], said: str) -> None:
    ended = berth("why", *args, env={"KUBECONFIG": str(kubeconfig)})
    assert ended.code == 3
    assert said in ended.err
    assert "--dump" in ended.err


def program(folder: Path, script: str) -> Path:
    """An executable named kubectl."""
    path = folder / "kubectl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def test_without_kubectl_it_is_said_what_to_do(tmp_path: Path) -> None:
    ended = berth("plan", env={"PATH": str(tmp_path)})
    assert ended.code == 3
    assert "kubectl is not on the PATH" in ended.err
    assert "--dump" in ended.err


def test_what_kubectl_says_last_is_passed_on(tmp_path: Path) -> None:
    folder = program(
        tmp_path, "echo noise >&2; echo 'error: You must be logged in to the server (Unauthorized)' >&2; exit 1"
    )
    ended = berth("plan", env={"PATH": f"{folder}:{os.environ['PATH']}"})
    assert ended.code == 3
    assert "KubectlFailed: cannot read nodes: You must be logged in to the server (Unauthorized)" in ended.err
    assert ended.out == ""


def test_an_answer_that_is_no_json_names_where_it_came_from(tmp_path: Path) -> None:
    folder = program(tmp_path, "echo '<html>login</html>'")
    ended = berth("plan", env={"PATH": f"{folder}:{os.environ['PATH']}"})
    assert ended.code == 2
    assert "nodes of the cluster" in ended.err
