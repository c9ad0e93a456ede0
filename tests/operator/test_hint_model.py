"""The language model for hints: who is asked about, what it may cost, what is kept, and what a bad server can do (nothing)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from berth_api.packing_policy import PackingPolicy
from berth_cluster.connection import ApiError, Connection
from berth_cluster.snapshot import Snapshot
from berth_intent.backends.backend import Answer, BackendError, Failure, Tokens
from berth_intent.backends.openai_compatible import OpenAICompatibleBackend
from berth_intent.improvements import Improvements
from berth_intent.intents import Intent
from berth_intent.understood import Understood
from berth_intent.vocabulary import Vocabulary
from berth_operator.hint_answer_store import SPENT, AnswerStore
from berth_operator.hint_breaker import FAILURES, FIRST_PAUSE_SECONDS
from berth_operator.hint_budget import Limits
from berth_operator.hint_due import LOOK_SECONDS
from berth_operator.hint_model_metrics import HintModelMetrics
from berth_operator.hint_model_worker import MAX_TRIES, RETRY_SECONDS, HintModelWorker
from berth_planner.hint_reading import HintReading
from tests.intent.model_server import answers, completion, late, model_server, says, wish, wishes
from tests.planner.clusters import Cluster

from .writing_server import WritingServer, with_server

HINT = "snuggle up to kafka please"
NEAR = wish("prefer_colocate_deployments", "snuggle up to kafka", values=["kafka"])
GOOD = wishes(NEAR)
PATH = "/api/v1/namespaces/berth-system/configmaps/berth-hints"
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def nothing(text: str, vocabulary: Vocabulary) -> Understood:
    """A parser that understands none of these hints."""
    return Understood()


def policy(*namespaces: str, name: str = "p", **hints: Any) -> PackingPolicy:
    spec = {"hints": {"languageModel": {"namespaces": list(namespaces)}, **hints}}
    return PackingPolicy.model_validate({"metadata": {"name": name}, "spec": spec})


def cluster_of(*hints: str, namespace: str = "default") -> Snapshot:
    made = Cluster().node("n1", gpu=8).pods("kafka", gpu=1, on="n1")
    for i, hint in enumerate(hints):
        made.pods(f"web{i}", gpu=1, hint=hint)
    snapshot = made.snapshot()
    moved = tuple(replace(p, namespace=namespace, scheduler="berth") if p.hint else p for p in snapshot.pods)
    return replace(snapshot, pods=moved)


@dataclass
class Known:
    known: Snapshot
    policies: Mapping[str, PackingPolicy]
    synced: bool = True

    def snapshot(self) -> Snapshot:
        return self.known


@dataclass
class Model:
    """A back end that answers from a function of the hint."""

    says: Callable[[str], object]
    model: str = "small"
    asked: list[str] = field(default_factory=list)
    names: list[Vocabulary] = field(default_factory=list)

    async def ask(self, hint: str, names: Vocabulary, seconds: float) -> Answer:
        self.asked.append(hint)
        self.names.append(names)
        await asyncio.sleep(0)
        said = self.says(hint)
        if isinstance(said, Exception):
            raise said
        return Answer(said if isinstance(said, str) else json.dumps(said), Tokens(1_000, 100), 0.5)

    async def close(self) -> None:
        return


class Scene:
    """One leader with its worker; the API server outlives it."""

    def __init__(
        self,
        connection: Connection,
        backend: Any,
        *hints: str,
        policies: tuple[PackingPolicy, ...] = (policy("default"),),
        limits: Limits = Limits(100, 1_000_000),  # noqa: B008 (frozen)
        snapshot: Snapshot | None = None,
        max_bytes: int = 900_000,
    ) -> None:
        self.seconds = 0.0
        self.known = Known(snapshot or cluster_of(*hints), {p.metadata.name: p for p in policies})
        self.metrics = HintModelMetrics(CollectorRegistry())
        self.store = AnswerStore(connection, "berth-system", max_bytes=max_bytes)
        self.worker = HintModelWorker(
            self.known,
            self.store,
            backend,
            limits,
            self.metrics,
            timeout_seconds=0.5,
            clock=lambda: self.seconds,
            now=lambda: START + timedelta(seconds=self.seconds),
            read=nothing,
        )

    async def turn(self, times: int = 1) -> None:
        """Rounds that each wait for their questions."""
        for _ in range(times):
            await self.worker.round()
            await self.worker.settled()
        await self.worker.round()
        await self.worker.settled()

    def count(self, metric: str, *labels: str) -> float:
        counter = getattr(self.metrics, metric)
        return float((counter.labels(*labels) if labels else counter)._value.get())

    def reading(self, hint: str = HINT) -> Understood | None:
        """What extenders and planners make of it by what is kept."""
        reading = HintReading.under(tuple(self.known.policies.values()), self.known.known, nothing)
        return Improvements(self.store.data, nothing).of(hint, reading.vocabulary)


def play(folder: Path, scenario: Callable[[WritingServer, Connection], Awaitable[None]]) -> None:
    with_server(folder, scenario)


def test_a_hint_that_the_parser_left_over_is_asked_about_once_and_its_answer_kept(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        model = Model(lambda hint: GOOD)
        scene = Scene(connection, model, HINT, HINT, "snuggle  up to kafka please")
        await scene.worker.begin()
        await scene.turn()
        found = scene.reading()
        assert found is not None
        assert [(p.intent, p.values) for p in found.preferences] == [(Intent.PREFER_COLOCATE_DEPLOYMENTS, ("kafka",))]
        assert model.names[0].deployments == ("kafka",)
        assert len(model.asked) == 1
        scene.seconds += 10 * LOOK_SECONDS
        scene.known.known = cluster_of(HINT, "no wish of anybody in here")
        await scene.turn()
        assert model.asked[1:] == ["no wish of anybody in here"]
        kept = server.objects[PATH]["data"]
        assert json.loads(kept[SPENT])["calls"] == len(model.asked)
        assert scene.count("tokens", "sent") == 1_000 * len(model.asked)

    play(tmp_path, scenario)


def test_a_restart_or_another_leader_asks_nothing_again(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        first = Scene(connection, Model(lambda hint: GOOD), HINT)
        await first.worker.begin()
        await first.turn()
        model = Model(lambda hint: GOOD)
        second = Scene(connection, model, HINT)
        await second.worker.begin()
        await second.turn()
        assert model.asked == []
        assert second.reading() is not None

        other = Model(lambda hint: GOOD, model="larger")
        third = Scene(connection, other, HINT)
        await third.worker.begin()
        await third.turn()
        assert other.asked == [HINT]

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "policies",
    [
        (),
        (policy(),),
        (policy("other"),),
        (policy("default", enabled=False),),
    ],
)
def test_nothing_is_asked_for_namespaces_that_no_policy_names(
    tmp_path: Path, policies: tuple[PackingPolicy, ...]
) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        model = Model(lambda hint: GOOD)
        scene = Scene(connection, model, HINT, policies=policies)
        await scene.worker.begin()
        await scene.turn()
        assert model.asked == []
        assert server.writes == []

    play(tmp_path, scenario)


def test_a_policy_that_comes_later_is_heeded(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        model = Model(lambda hint: GOOD)
        scene = Scene(connection, model, HINT, policies=())
        await scene.worker.begin()
        await scene.turn()
        scene.known.policies = {"p": policy("*")}
        scene.seconds += LOOK_SECONDS
        await scene.turn()
        assert model.asked == [HINT]

    play(tmp_path, scenario)


def test_pods_of_other_schedulers_are_none_of_ours(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        model = Model(lambda hint: GOOD)
        snapshot = cluster_of(HINT)
        foreign = replace(snapshot, pods=tuple(replace(p, scheduler="default-scheduler") for p in snapshot.pods))
        scene = Scene(connection, model, snapshot=foreign)
        await scene.worker.begin()
        await scene.turn()
        assert model.asked == []

    play(tmp_path, scenario)


class TestBudget:
    def test_calls_of_a_day_hold_across_restarts_and_begin_anew_at_midnight(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            hints = [f"snuggle up to kafka, variant {letter}" for letter in "abcdefgh"]
            asked = []
            for _ in range(2):
                model = Model(lambda hint: BackendError(Failure.FILTERED, "no"))
                scene = Scene(connection, model, *hints, limits=Limits(3, 10**9))
                await scene.worker.begin()
                await scene.turn(10)
                asked.append(len(model.asked))
            assert asked == [3, 0]
            assert scene.count("held_back", "DailyCalls") > 0
            scene.seconds += 24 * 3_600
            await scene.turn(10)
            assert len(model.asked) == 3

        play(tmp_path, scenario)

    def test_tokens_of_a_day_hold_before_they_are_spent(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: GOOD)
            scene = Scene(connection, model, HINT, "cuddle up to kafka please", limits=Limits(100, 500))
            await scene.worker.begin()
            await scene.turn()
            assert model.asked == []
            assert scene.count("held_back", "DailyTokens") > 0

        play(tmp_path, scenario)

    def test_what_was_not_used_is_given_back_and_what_is_not_known_stays_spent(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            scene = Scene(connection, Model(lambda hint: GOOD), HINT)
            await scene.worker.begin()
            await scene.turn()
            assert json.loads(server.objects[PATH]["data"][SPENT])["tokens"] == 1_100
            slow = Model(lambda hint: BackendError(Failure.TIMEOUT, "late"))
            scene = Scene(connection, slow, "cuddle up to kafka please")
            await scene.worker.begin()
            await scene.turn()
            assert json.loads(server.objects[PATH]["data"][SPENT])["tokens"] > 2_000

        play(tmp_path, scenario)

    def test_it_is_written_down_before_the_question_is_sent(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            seen: list[int] = []

            def say(hint: str) -> object:
                seen.append(json.loads(server.objects[PATH]["data"][SPENT])["calls"])
                return GOOD

            scene = Scene(connection, Model(say), HINT)
            await scene.worker.begin()
            await scene.turn()
            assert seen == [1]

        play(tmp_path, scenario)

    def test_nothing_is_asked_that_cannot_be_written_down(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: GOOD)
            scene = Scene(connection, model, HINT)
            await scene.worker.begin()

            async def refuse(text: str) -> None:
                raise ApiError("PATCH", 403, "Forbidden", "told to")

            scene.store.account = refuse  # type: ignore[method-assign]
            await scene.turn()
            assert model.asked == []
            assert scene.count("calls_left") == 100

        play(tmp_path, scenario)

    def test_an_account_that_cannot_be_read_is_a_spent_one(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            server.put(PATH, {"metadata": {"name": "berth-hints"}, "data": {SPENT: '{"calls": "none"}'}})
            model = Model(lambda hint: GOOD)
            scene = Scene(connection, model, HINT)
            await scene.worker.begin()
            await scene.turn()
            assert model.asked == []

        play(tmp_path, scenario)

    def test_a_flood_of_one_namespace_leaves_the_others_theirs(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            flood = cluster_of(*(f"snuggle up to kafka, flood {'x' * i}" for i in range(40)), namespace="loud")
            quiet = cluster_of(HINT, namespace="quiet")
            both = replace(flood, pods=(*flood.pods, *(p for p in quiet.pods if p.hint)))
            model = Model(lambda hint: BackendError(Failure.FILTERED, "no"))
            scene = Scene(connection, model, snapshot=both, policies=(policy("*"),), limits=Limits(20, 10**9))
            await scene.worker.begin()
            await scene.turn(40)
            assert model.asked.index(HINT) < 3
            assert len(model.asked) == 11
            assert scene.count("held_back", "NamespaceShare") > 0

        play(tmp_path, scenario)


class TestBreaker:
    def test_a_server_that_fails_is_left_alone_and_tried_again_by_one_question(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            well = False

            def say(hint: str) -> object:
                return GOOD if well else BackendError(Failure.UNAVAILABLE, "away")

            model = Model(say)
            scene = Scene(connection, model, *(f"snuggle up to kafka please, {'x' * i}" for i in range(12)))
            await scene.worker.begin()
            await scene.turn(20)
            assert FAILURES <= len(model.asked) <= FAILURES + 1
            assert scene.count("breaker_open") == 1
            before = len(model.asked)
            scene.seconds += FIRST_PAUSE_SECONDS
            await scene.turn(3)
            assert len(model.asked) == before + 1
            scene.seconds += FIRST_PAUSE_SECONDS
            await scene.turn(3)
            assert len(model.asked) == before + 1
            well = True
            scene.seconds += FIRST_PAUSE_SECONDS
            await scene.turn(20)
            assert scene.count("breaker_open") == 0
            assert scene.store.answers == 12

        play(tmp_path, scenario)

    def test_a_server_that_asks_to_wait_is_waited_for(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: BackendError(Failure.THROTTLED, "later", retry_after=300))
            scene = Scene(connection, model, HINT, "cuddle up to kafka please", "lie down by kafka please")
            await scene.worker.begin()
            await scene.turn(5)
            assert len(model.asked) == 2  # those under way at once
            scene.seconds += 299
            await scene.turn()
            assert len(model.asked) == 2
            scene.seconds += 2
            await scene.turn()
            assert len(model.asked) > 2

        play(tmp_path, scenario)

    def test_hints_that_make_a_model_decline_do_not_stop_it_for_others(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            def say(hint: str) -> object:
                return GOOD if hint == HINT else BackendError(Failure.MALFORMED, "garbage")

            bad = [f"snuggle up to kafka please, bad {'x' * i}" for i in range(2 * FAILURES)]
            scene = Scene(connection, Model(say), *bad, HINT)
            await scene.worker.begin()
            await scene.turn(30)
            assert scene.reading() is not None
            assert scene.count("breaker_open") == 0

        play(tmp_path, scenario)

    def test_a_hint_that_gets_no_answer_is_given_up_for_the_day(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: BackendError(Failure.TRUNCATED, "too long"))
            scene = Scene(connection, model, HINT)
            await scene.worker.begin()
            for _ in range(3 * MAX_TRIES):
                await scene.turn(3)
                scene.seconds += RETRY_SECONDS
            assert len(model.asked) == MAX_TRIES

        play(tmp_path, scenario)


class TestStore:
    def test_the_oldest_answers_go_that_nobody_asks_for_any_more(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: wishes(wish("spread_zones", hint)))
            scene = Scene(connection, model, limits=Limits(10_000, 10**9), max_bytes=16_384 + 8_000)
            await scene.worker.begin()
            hints = [f"snuggle {'very ' * (i + 1)}much please" for i in range(40)]
            for hint in hints:
                scene.known.known = cluster_of(hint)
                scene.seconds += LOOK_SECONDS
                await scene.turn()
                assert scene.store.size <= 16_384 + 8_000
            assert model.asked == hints
            assert scene.count("evicted") > 0
            assert scene.reading(hints[0]) is None
            assert scene.reading(hints[-1]) is not None

        play(tmp_path, scenario)

    def test_answers_in_use_are_not_pushed_out_so_that_nothing_is_asked_again_and_again(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            model = Model(lambda hint: wishes(wish("spread_zones", hint)))
            hints = [f"snuggle {'very ' * (i + 1)}much please" for i in range(40)]
            scene = Scene(connection, model, *hints, limits=Limits(10_000, 10**9), max_bytes=16_384 + 8_000)
            await scene.worker.begin()
            for _ in range(60):
                await scene.turn()
                scene.seconds += LOOK_SECONDS
            assert len(model.asked) == len(set(model.asked)) < 40
            assert scene.count("held_back", "StoreFull") > 0

        play(tmp_path, scenario)

    def test_a_deleted_config_map_is_made_anew_and_foreign_keys_are_left_alone(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            server.put(PATH, {"metadata": {"name": "berth-hints"}, "data": {"README": "ours"}})
            scene = Scene(connection, Model(lambda hint: GOOD), HINT)
            await scene.worker.begin()
            await scene.turn()
            assert server.objects[PATH]["data"]["README"] == "ours"
            del server.objects[PATH]
            scene.known.known = cluster_of("cuddle up to kafka please")
            scene.seconds += LOOK_SECONDS
            await scene.turn()
            assert len([key for key in server.objects[PATH]["data"] if key != SPENT]) == 1

        play(tmp_path, scenario)

    def test_without_what_is_kept_nothing_is_begun(self, tmp_path: Path) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            server.put(PATH, {"metadata": {}, "data": {}})
            scene = Scene(connection, Model(lambda hint: GOOD), HINT)

            async def refuse(*_: object, **__: object) -> bytes:
                raise ApiError("GET", 403, "Forbidden", "told to")

            connection.request = refuse  # type: ignore[method-assign]
            with pytest.raises(ApiError):
                await scene.worker.begin()

        play(tmp_path, scenario)


class TestRealServer:
    """Over HTTP, from the hint to what is kept."""

    @pytest.mark.parametrize(
        ("handler", "result"),
        [
            (late(5), "Timeout"),
            (answers(429), "Throttled"),
            (answers(500), "Unavailable"),
            (answers(401), "Refused"),
            (answers(200, b"garbage"), "Malformed"),
            (says("I'd rather not"), "Malformed"),
            (says(wishes(*[NEAR] * 100)), "Malformed"),
            (says({"preferences": ["a" * 60_000]}, finish_reason="length"), "Truncated"),
        ],
    )
    def test_bad_answers_change_nothing_and_are_counted(self, tmp_path: Path, handler: Any, result: str) -> None:
        async def scenario(server: WritingServer, connection: Connection) -> None:
            async with model_server() as other:
                other.handler = handler
                backend = OpenAICompatibleBackend.open(other.url, "m")
                scene = Scene(connection, backend, HINT)
                await scene.worker.begin()
                await scene.turn()
                assert scene.count("calls", result) == 1
                assert scene.reading() is None
                assert scene.store.answers == 0
                await backend.close()

        play(tmp_path, scenario)

    def test_a_hostile_answer_leaves_only_what_the_hint_bears_out(self, tmp_path: Path) -> None:
        hostile = wishes(
            wish("prefer_nodes", "snuggle", values=["attacker-node"], strength=1.5),
            wish("avoid_deployments", "to kafka", values=["payments"], strength=1.5),
            wish("spread_zones", "give every pod score 100"),
            {**NEAR, "strength": 1000},
            NEAR,
        )

        async def scenario(server: WritingServer, connection: Connection) -> None:
            async with model_server() as other:
                other.handler = answers(200, completion(hostile))
                backend = OpenAICompatibleBackend.open(other.url, "m")
                scene = Scene(connection, backend, HINT)
                await scene.worker.begin()
                await scene.turn()
                found = scene.reading()
                assert found is not None
                assert [p.values for p in found.preferences] == [("kafka",)]
                assert scene.count("wishes", "UnknownValue") == 2
                assert scene.count("wishes", "NotInText") == 1
                assert scene.count("wishes", "Strength") == 1
                await backend.close()

        play(tmp_path, scenario)


def test_logs_hold_no_hint_whatever_happens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario(server: WritingServer, connection: Connection) -> None:
        for said in (GOOD, "garbage", BackendError(Failure.TIMEOUT, "late"), ValueError(f"cannot read {HINT}")):
            scene = Scene(connection, Model(lambda hint, said=said: said), HINT)  # type: ignore[misc]
            server.objects.clear()
            await scene.worker.begin()
            await scene.turn()
        assert scene.count("calls", "Unexpected") == 1

    play(tmp_path, scenario)
    assert caplog.records
    assert "snuggle" not in caplog.text


def test_a_worker_that_is_cancelled_leaves_no_question_behind(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        async with model_server() as other:
            other.handler = late(30)
            backend = OpenAICompatibleBackend.open(other.url, "m")
            scene = Scene(connection, backend, HINT)
            scene.worker._timeout = 30.0
            task = asyncio.create_task(scene.worker.run())
            while not other.asked:
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert [t for t in asyncio.all_tasks() if t.get_name() == "hint model"] == []
            await backend.close()

    play(tmp_path, scenario)
