"""After an outage: who waits is woken by the first that is answered, and a forgotten version costs no second outage."""

from __future__ import annotations

import asyncio
import time

from berth_cluster.live import Kind
from berth_cluster.outage import ONCE_IN_SECONDS, Outage
from berth_cluster.watching import Pace

from .api_server import PODS
from .builders import node, pod
from .live_builders import until, watched

NEVER = 60.0


def test_everybody_who_waits_is_woken_when_it_is_over() -> None:
    async def scenario() -> None:
        outage = Outage()
        waiting = [asyncio.create_task(outage.wait(NEVER)) for _ in range(3)]
        await asyncio.sleep(0)
        outage.is_over()
        assert await asyncio.wait_for(asyncio.gather(*waiting), 5) == [True] * 3
        assert not await outage.wait(0.01), "the next one is another outage"

    asyncio.run(scenario())


def test_they_do_not_wake_each_other_without_end() -> None:
    async def scenario() -> None:
        at = 0.0
        outage = Outage(lambda: at)
        outage.is_over()
        waiting = asyncio.create_task(outage.wait(NEVER))
        await asyncio.sleep(0)
        outage.is_over()
        await asyncio.sleep(0)
        assert not waiting.done()
        at = ONCE_IN_SECONDS
        outage.is_over()
        assert await asyncio.wait_for(waiting, 5)

    asyncio.run(scenario())


def test_a_version_that_a_restarted_server_has_forgotten_does_not_wait_as_long_as_the_outage() -> None:
    async def scenario() -> None:
        pace = Pace(first_delay=0.05, max_delay=30, healthy_after=30, absent=0.05, first_kinds=2)
        async with watched(node("n1"), pod("a"), kinds=frozenset((Kind.NODES, Kind.PODS)), pace=pace) as (
            server,
            _,
        ):
            server.refuse(PODS, 500, "InternalError", times=5)  # the next delay would be 0.8 s at least
            await server.cut(PODS)
            watches = server.asked[f"WATCH {PODS}"]
            await until(lambda: server.asked[f"WATCH {PODS}"] >= watches + 6 and server.watchers[PODS])
            lists = server.asked[f"LIST {PODS}"]
            began = time.monotonic()
            await server.say_error(PODS, 410, "Expired")
            await until(lambda: server.asked[f"LIST {PODS}"] > lists)
            assert time.monotonic() - began < 0.6

    asyncio.run(scenario())
