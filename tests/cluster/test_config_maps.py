"""The ConfigMap of answers about hints is watched by its name alone, and missing or forbidden it counts as empty."""

from __future__ import annotations

import asyncio

from berth_cluster.live import Kind

from .api_server import PATHS
from .builders import Thing
from .live_builders import until, watched

PATH = PATHS["ConfigMap"]
ANSWERS = frozenset((Kind.HINT_ANSWERS,))


def config_map(name: str = "berth-hints", **data: str) -> Thing:
    thing = Thing("v1", "ConfigMap", name, "berth-system")
    thing.body["data"] = data
    return thing


def test_it_is_followed_through_its_changes_and_others_are_not_even_asked_for() -> None:
    async def scenario() -> None:
        async with watched(config_map(a="1"), config_map("secrets-of-others", b="2"), kinds=ANSWERS) as (
            server,
            cluster,
        ):
            assert cluster.hint_answers == {"a": "1"}
            before = cluster.hint_answers
            await server.put(config_map("secrets-of-others", b="3"))
            await server.put(config_map(a="1", c="3"))
            await until(lambda: cluster.hint_answers == {"a": "1", "c": "3"})
            assert before == {"a": "1"}
            await server.delete("ConfigMap", "berth-hints", "berth-system")
            await until(lambda: cluster.hint_answers == {})
            asked = [query for path, query, _ in server.queries if path == PATH]
            assert {query["fieldSelector"] for query in asked} == {"metadata.name=berth-hints"}

    asyncio.run(scenario())


def test_the_same_data_is_the_same_object_so_that_nothing_is_read_anew() -> None:
    async def scenario() -> None:
        async with watched(config_map(a="1"), kinds=ANSWERS) as (server, cluster):
            before = cluster.hint_answers
            relabelled = config_map(a="1")
            relabelled.body["metadata"]["labels"] = {"x": "y"}
            version = (await server.put(relabelled))["metadata"]["resourceVersion"]
            await until(lambda: cluster.resource_versions()["configmaps"] == version)
            assert cluster.hint_answers is before

    asyncio.run(scenario())


def test_values_that_are_too_long_to_be_ours_are_left_out() -> None:
    async def scenario() -> None:
        async with watched(config_map(a="1", huge="x" * 100_000), kinds=ANSWERS) as (_, cluster):
            assert cluster.hint_answers == {"a": "1"}

    asyncio.run(scenario())


def test_forbidden_it_counts_as_empty_and_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        async with watched(kinds=ANSWERS, synced=False) as (server, cluster):
            server.refuse(PATH, 403, "Forbidden", times=100)
            assert await cluster.wait_synced(5)
            assert cluster.hint_answers == {}

    asyncio.run(scenario())


def test_a_few_refusals_of_a_server_that_has_just_begun_are_not_taken_for_a_missing_right() -> None:
    async def scenario() -> None:
        async with watched(config_map(a="1"), kinds=ANSWERS, synced=False) as (server, cluster):
            server.refuse(PATH, 403, "Forbidden", times=2)
            assert await cluster.wait_synced(10)
            assert cluster.hint_answers == {"a": "1"}
            assert cluster.restarts["Absent"] == 0

    asyncio.run(scenario())
