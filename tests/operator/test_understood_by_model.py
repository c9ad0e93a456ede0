"""When a language model has read a hint its owner is told so, though it was told before what the parser made of it."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from berth_api.packing_policy import PackingPolicy
from berth_api.reasons import Reason
from berth_cluster.snapshot import Snapshot
from berth_intent.improvements import entry_key, entry_text
from berth_intent.intents import Intent
from berth_intent.mentioned import Mentioned
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary
from berth_operator.metrics import Metrics
from berth_operator.understood_as import outcomes
from berth_operator.understood_events import ANEW_SECONDS, UnderstoodHints
from berth_operator.understood_reading import HintReaders
from tests.planner.clusters import Cluster

from .test_understood import Told

HINT = "please bunk where thrifty folk would"
SPOT = Preference(Intent.PREFER_SPOT, text="bunk where thrifty folk would", start=7)
READ = Preference(Intent.SPREAD_ZONES, text="spread over zones")


class World:
    synced = True

    def __init__(self) -> None:
        spec = {"hints": {"languageModel": {"namespaces": ["*"]}}}
        self.policies = {"p": PackingPolicy.model_validate({"metadata": {"name": "p"}, "spec": spec})}
        self.known = Cluster().node("n1", gpu=8).pods("web", 2, gpu=1, hint=HINT, scheduler="berth").snapshot()
        self.kept: dict[str, str] = {}
        self.now = 0.0
        self.events = Told()
        readers = HintReaders(lambda text, names: Understood(), lambda: self.kept)
        metrics = Metrics(CollectorRegistry())
        self.hints = UnderstoodHints(self, self.events, metrics, readers, clock=lambda: self.now)  # type: ignore[arg-type]

    def snapshot(self) -> Snapshot:
        return self.known

    def round(self) -> list[tuple[str, str]]:
        before = len(self.events.told)
        self.now += ANEW_SECONDS
        asyncio.run(self.hints.round())
        return [(reason, sentence) for _, reason, sentence in self.events.told[before:]]


def test_an_answer_is_told_once_and_as_what_it_is() -> None:
    world = World()
    ((reason, sentence),) = world.round()
    assert (reason, "no place in particular" in sentence) == (Reason.HINT_UNDERSTOOD, True)
    world.kept = {entry_key(HINT, Mentioned(Vocabulary()).of(HINT)): entry_text(1, "m", Understood((SPOT,)))}
    world.hints.answers_changed()
    told = dict(world.round())
    assert "on a spot node [read by a language model]" in told[Reason.HINT_UNDERSTOOD]
    assert "no node" in told[Reason.HINT_UNSATISFIABLE]  # it is not a spot cluster
    world.hints.answers_changed()
    assert world.round() == []


def test_the_wishes_of_the_parser_are_told_without_that() -> None:
    (outcome,) = outcomes(Understood((READ, SPOT), by_model=frozenset((1,))))
    assert outcome.by_model
    assert outcome.sentence.count("[read by a language model]") == 1
    (outcome,) = outcomes(Understood((READ, SPOT), overruled=frozenset((1,)), by_model=frozenset((1,))))[:1]
    assert not outcome.by_model
