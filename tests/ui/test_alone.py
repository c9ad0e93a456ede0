"""A page on a loopback port answers whoever has its address, and no other page in the same browser."""

from __future__ import annotations

import io

from starlette.testclient import TestClient

from berth_cli.demo.cluster import demo_dump
from berth_cluster.dump import read_dumps
from berth_ui.alone import keep_to
from berth_ui.server import build_app
from berth_ui.source import StillSource
from berth_ui.thinking import Thinker


def client(host: str = "http://127.0.0.1:8765") -> TestClient:
    thinker = Thinker()
    source = StillSource("Demo", "demo", read_dumps([io.BytesIO(demo_dump())]), thinker)
    app = build_app(source, thinker)
    keep_to(app, "secret")
    return TestClient(app, base_url=host, follow_redirects=False)


def test_without_the_key_nothing_is_said() -> None:
    with client() as browser:
        assert browser.get("/api/v1/overview").status_code == 401
        assert browser.get("/ui/?key=guessed").status_code == 401
        browser.cookies["berth-ui"] = "guessed"
        assert browser.get("/api/v1/overview").status_code == 401


def test_the_key_becomes_a_cookie_that_other_sites_cannot_send() -> None:
    with client() as browser:
        moved = browser.get("/ui/?key=secret")
        assert (moved.status_code, moved.headers["location"]) == (307, "/ui/")
        assert all(word in moved.headers["set-cookie"] for word in ("HttpOnly", "SameSite=strict"))
        assert browser.get("/api/v1/overview").status_code == 200


def test_another_name_for_the_machine_is_no_way_in() -> None:
    with client("http://evil.example:8765") as browser:
        assert browser.get("/ui/?key=secret").json()["reason"] == "WrongHost"


def test_another_site_may_not_ask_for_work() -> None:
    with client() as browser:
        browser.get("/ui/?key=secret")
        refused = browser.post("/api/v1/plans/preview", headers={"Origin": "http://evil.example"})
        assert refused.json()["reason"] == "WrongOrigin"
