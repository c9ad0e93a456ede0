"""The live cluster before a server that misbehaves: nothing is lost, nothing is emptied, nobody is hammered."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from berth_cluster.connection import ApiError, ConfigurationError, Connection, UnreachableError
from berth_cluster.live import Kind, LiveCluster

from .api_server import PATHS, PODS, ApiServer, connected, kubeconfig
from .builders import Thing, node, pod
from .live_builders import PATIENCE, QUICK, Heard, comparable, truth, until, watched, watching

NODES_AND_PODS = frozenset((Kind.NODES, Kind.PODS))


def run(scenario: Any) -> None:
    asyncio.run(scenario)


def names(cluster: LiveCluster) -> list[str]:
    return [p.name for p in cluster.snapshot().pods]


def test_a_list_that_expires_before_its_end_begins_anew_with_larger_pages() -> None:
    async def scenario() -> None:
        things = [node("n1"), *(pod(f"p{i}") for i in range(10))]
        async with watched(*things, kinds=NODES_AND_PODS, synced=False) as (server, cluster):
            await until(lambda: server.asked[f"LIST {PODS}"])
            server.compact(PODS)
            await until(lambda: cluster.synced)
            assert len(names(cluster)) == 10
            limits = [int(q["limit"]) for path, q, _ in server.queries if path == PODS and "limit" in q]
            assert cluster.restarts["Expired"] == 1
            assert max(limits) > min(limits)

    run(scenario())


def test_a_page_that_fails_is_asked_for_again_not_the_whole_list() -> None:
    async def scenario() -> None:
        things = [node("n1"), *(pod(f"p{i}") for i in range(10))]
        async with watched(*things, kinds=NODES_AND_PODS, synced=False) as (server, cluster):
            await until(lambda: server.asked[f"LIST {PODS}"])
            server.refuse(PODS, 500, "InternalError", times=2)
            await until(lambda: cluster.synced)
            starts = [q for path, q, _ in server.queries if path == PODS and "limit" in q and "continue" not in q]
            assert len(starts) == 1
            assert len(names(cluster)) == 10

    run(scenario())


def test_too_many_requests_are_answered_by_waiting_as_told() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.put(pod("a"))
        server.refuse(PODS, 429, "TooManyRequests", retry_after=1)
        async with watching(server, NODES_AND_PODS) as cluster:
            began = time.monotonic()
            assert await cluster.wait_synced(PATIENCE)
            assert time.monotonic() - began >= 1.0
            assert server.asked[f"LIST {PODS}"] == 2
            assert cluster.restarts["TooManyRequests"] == 1

    run(scenario())


def test_an_expired_watch_lists_again_and_nothing_is_empty_in_between() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), pod("b"), kinds=NODES_AND_PODS) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            await server.say_error(PODS, 410, "Expired")
            await until(lambda: cluster.restarts["Expired"] and server.asked[f"LIST {PODS}"] >= 2)
            await server.put(pod("c"))
            await until(lambda: names(cluster) == ["a", "b", "c"])
            assert [(old, new and new.name) for old, new in heard.pods[2:]] == [(None, "c")]

    run(scenario())


def test_a_deletion_that_nobody_told_us_about_is_found() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), pod("b"), kinds=NODES_AND_PODS) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            server.refuse(PODS, 503, "ServiceUnavailable", times=3)
            await server.cut(PODS)
            await server.delete("Pod", "a", "default")
            server.compact(PODS)
            await until(lambda: names(cluster) == ["b"])
            assert set(heard.standing()) == {"default/b"}

    run(scenario())


def test_another_pod_of_the_same_name_is_another_pod() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a").meta(uid="first"), kinds=NODES_AND_PODS) as (server, cluster):
            heard = Heard()
            cluster.listen(heard)
            server.refuse(PODS, 503, "ServiceUnavailable", times=3)
            await server.cut(PODS)
            await server.delete("Pod", "a", "default")
            await server.put(pod("a").meta(uid="second"))
            server.compact(PODS)
            await until(lambda: (a := cluster.pod("default", "a")) and a.uid == "second")
            assert [(old and old.uid, new and new.uid) for old, new in heard.pods] == [
                (None, "first"),
                ("first", None),
                (None, "second"),
            ]
            assert cluster.pod_by_uid("first") is None

    run(scenario())


@pytest.mark.parametrize("half", ["", '{"type":"ADDED","object":{"metadata":{"name":"ha'])
def test_a_watch_that_is_cut_goes_on_where_it_was(half: str) -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), kinds=NODES_AND_PODS) as (server, cluster):
            await server.put(pod("b"))
            await until(lambda: names(cluster) == ["a", "b"])
            await server.cut(PODS, half)
            await server.put(pod("c"))
            await until(lambda: names(cluster) == ["a", "b", "c"])
            assert server.asked[f"LIST {PODS}"] == 1

    run(scenario())


def test_a_watch_that_falls_silent_is_given_up() -> None:
    async def scenario() -> None:
        pace = msgspec.structs.replace(QUICK, silence=0.2)
        async with watched(node("n1"), pod("a"), kinds=NODES_AND_PODS, pace=pace) as (server, cluster):
            await server.mute(PODS)
            await server.put(pod("b"))
            server.unmute(PODS)  # a new connection works
            await until(lambda: names(cluster) == ["a", "b"])
            assert cluster.restarts["Silent"] >= 1
            assert server.asked[f"LIST {PODS}"] == 1
            assert cluster.staleness() < 1

    run(scenario())


def test_a_quiet_watch_is_opened_again_and_again_without_growing_gaps() -> None:
    async def scenario() -> None:
        pace = msgspec.structs.replace(QUICK, silence=0.05, healthy_after=0.04, max_delay=60)
        async with watched(node("n1"), kinds=NODES_AND_PODS, pace=pace) as (server, _):
            await until(lambda: server.asked[f"WATCH {PODS}"] >= 14)  # doubling from 10 ms would take minutes

    run(scenario())


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with watched(node("n1"), kinds=NODES_AND_PODS) as (server, cluster):
            for outage in (1, 2):
                server.refuse(PODS, 503, "ServiceUnavailable", times=3)
                await server.cut(PODS)
                await until(lambda n=outage: cluster.restarts["ServiceUnavailable"] == 3 * n)  # type: ignore[misc]
                await until(lambda: server.watchers[PODS])

    with caplog.at_level(logging.INFO, "berth_cluster.reflector"):
        run(scenario())
    said = [r.getMessage() for r in caplog.records if PODS in r.getMessage()]
    assert ["503" in sentence for sentence in said] == [True, False, True, False]


def test_bookmarks_move_the_version_that_a_watch_resumes_from() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), kinds=NODES_AND_PODS) as (server, cluster):
            await server.put(node("n2"))
            await server.bookmark(PODS)
            await until(lambda: cluster.resource_versions()["pods"] == str(server.version))
            server._floor[PODS] = server.version
            await server.cut(PODS)
            await server.put(pod("b"))
            await until(lambda: names(cluster) == ["a", "b"])
            assert server.asked[f"LIST {PODS}"] == 1
            assert cluster.restarts["Expired"] == 0

    run(scenario())


def test_a_server_restored_from_a_backup_is_listed_again() -> None:
    async def scenario() -> None:
        async with watched(node("n1"), pod("a"), pod("b"), kinds=NODES_AND_PODS) as (server, cluster):
            await server.say_error(PODS, 504, "Timeout", "Too large resource version: 105, current: 12")
            await until(lambda: server.asked[f"LIST {PODS}"] == 2)
            assert names(cluster) == ["a", "b"]

    run(scenario())


def test_a_server_that_ends_every_watch_is_not_hammered() -> None:
    async def scenario() -> None:
        pace = msgspec.structs.replace(QUICK, first_delay=0.05, max_delay=0.2, healthy_after=5)
        async with watched(node("n1"), kinds=NODES_AND_PODS, pace=pace) as (server, _):
            for _ in range(100):
                await server.cut(PODS, "\n")  # in order, as at a watch's timeout
                await asyncio.sleep(0.005)
            assert server.asked[f"WATCH {PODS}"] < 15

    run(scenario())


def test_an_optional_kind_that_is_not_there_counts_as_empty_until_it_is(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        server = ApiServer()
        path = PATHS["PackingPolicy"]
        server.served.discard(path)
        with caplog.at_level(logging.INFO, "berth_cluster"):
            async with watching(server, frozenset((Kind.POLICIES,))) as cluster:
                assert await cluster.wait_synced(PATIENCE)
                assert cluster.policies == {}
                await until(lambda: server.asked[f"LIST {path}"] >= 3)
                server.served.add(path)
                await server.put(Thing("berth.dev/v1alpha1", "PackingPolicy", "p", spec={}))
                await until(lambda: set(cluster.policies) == {"p"})
        assert len([r for r in caplog.records if path in r.getMessage()]) == 1

    run(scenario())


def test_an_optional_kind_that_goes_again_counts_as_empty() -> None:
    async def scenario() -> None:
        server = ApiServer()
        path = PATHS["PackingPolicy"]
        await server.put(Thing("berth.dev/v1alpha1", "PackingPolicy", "p", spec={}))
        async with watching(server, frozenset((Kind.POLICIES,))) as cluster:
            assert await cluster.wait_synced(PATIENCE)
            assert set(cluster.policies) == {"p"}
            server.served.discard(path)
            await server.cut(path)
            await until(lambda: cluster.policies == {})
            server.served.add(path)
            await until(lambda: set(cluster.policies) == {"p"})

    run(scenario())


def test_a_kind_that_is_required_and_forbidden_keeps_the_cache_from_being_ready() -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.put(pod("a"))
        server.refuse(PODS, 403, "Forbidden", times=5)
        async with watching(server, NODES_AND_PODS) as cluster:
            await until(lambda: cluster.restarts["Forbidden"] >= 2)
            assert not cluster.synced
            assert await cluster.wait_synced(PATIENCE)

    run(scenario())


def test_a_server_that_goes_away_and_comes_back_is_found_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = ApiServer()
        await server.put(pod("a"))
        await server.put(node("n1"))
        async with watching(server, NODES_AND_PODS) as cluster:
            assert await cluster.wait_synced(PATIENCE)
            server.refuse(PODS, 500, "InternalError", times=4)
            server.refuse(PODS, 503, "ServiceUnavailable", times=4)
            await server.cut(PODS)
            await server.delete("Pod", "a", "default")
            await server.put(pod("b"))
            assert names(cluster) == ["a"]  # what was known stays
            await until(lambda: names(cluster) == ["b"])
            assert comparable(cluster.snapshot()) == truth(server)

    run(scenario())


class TestConnection:
    def test_a_refusal_says_what_was_asked_and_what_came_back(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            async with ApiServer().running() as server, connected(server, tmp_path) as connection:
                server.refuse(PODS, 429, "TooManyRequests", retry_after=7)
                with pytest.raises(ApiError) as found:
                    await connection.request("GET", PODS)
                assert (found.value.status, found.value.reason, found.value.retry_after) == (429, "TooManyRequests", 7)
                assert str(found.value) == "GET /api/v1/pods: 429 TooManyRequests: told to say 429"

        run(scenario())

    def test_a_server_that_is_not_there_is_unreachable(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            connection = await Connection.open(kubeconfig(tmp_path, "http://127.0.0.1:1"))
            with pytest.raises(UnreachableError, match="GET /healthz: Unreachable"):
                await connection.request("GET", "/healthz")
            await connection.close()

        run(scenario())

    def test_a_token_that_was_rotated_is_read_again_when_the_server_refuses_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("berth_cluster.connection.RELOAD_SECONDS", 0.0)

        async def scenario() -> None:
            server = ApiServer()
            server.token = "new"
            token = tmp_path / "token"
            token.write_text("old")
            async with server.running(), connected(server, tmp_path, tokenFile=str(token)) as connection:
                token.write_text("new")
                with pytest.raises(ApiError, match="401"):
                    await connection.request("GET", PODS)
                assert await connection.request("GET", PODS)

        run(scenario())

    def test_a_plugin_is_asked_for_the_token_again_when_it_expires(self, tmp_path: Path) -> None:
        asked = tmp_path / "asked"
        code = f"""
import json, pathlib, datetime
path = pathlib.Path({str(asked)!r})
times = int(path.read_text()) + 1 if path.exists() else 1
path.write_text(str(times))
ends = "2020-01-01T00:00:00Z" if times == 1 else "2999-01-01T00:00:00Z"
status = {{"token": f"token-{{times}}", "expirationTimestamp": ends}}
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}}))
"""
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": ["-c", code],
            "interactiveMode": "Never",
        }  # fmt: skip

        async def scenario() -> None:
            server = ApiServer()
            server.token = "token-2"
            async with server.running(), connected(server, tmp_path, exec=plugin) as connection:
                for _ in range(3):
                    assert await connection.request("GET", PODS)
            assert asked.read_text() == "2"

        run(scenario())

    def test_no_configuration_says_where_it_was_looked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(ConfigurationError, match="neither a kubeconfig"):
            run(Connection.open())
        with pytest.raises(ConfigurationError, match="no kubeconfig at"):
            run(Connection.open(tmp_path / "nowhere"))

    def test_lines_of_a_stream_come_one_by_one(self, tmp_path: Path) -> None:
        async def scenario() -> None:
            server = ApiServer()
            async with server.running(), connected(server, tmp_path) as connection:
                stream = connection.stream(PODS, {"watch": "true", "resourceVersion": "0"})
                await server.put(pod("a"))
                await server.put(pod("b"))
                lines = [await anext(stream), await anext(stream)]
                assert [msgspec.json.decode(line)["object"]["metadata"]["name"] for line in lines] == ["a", "b"]
                await stream.aclose()

        run(scenario())
