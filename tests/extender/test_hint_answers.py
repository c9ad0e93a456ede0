"""A language model's answers reach the request path when they change, and cost nothing when only the account does."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from berth_extender.hint_answers import AGAIN_SECONDS, HintAnswers
from berth_intent.improvements import entry_key, entry_text
from berth_intent.intents import Intent
from berth_intent.mentioned import Mentioned
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary

CLUSTER = Vocabulary(deployments=("kafka",))
HINT = "snuggle, burrow and nestle: kafka"
READ = Preference(Intent.PREFER_COLOCATE_DEPLOYMENTS, ("kafka",), text="burrow and nestle: kafka", start=9)
ANSWER = {entry_key(HINT, Mentioned(CLUSTER).of(HINT)): entry_text(1, "m", Understood((READ,)))}


class Scene:
    def __init__(self) -> None:
        self.now = 0.0
        self.kept: dict[str, str] = {}
        self.given: list[Callable[[str, Vocabulary], Understood | None]] = []
        self.answers = HintAnswers(lambda: self.kept, self.given.append, clock=lambda: self.now)

    def change(self, kept: dict[str, str]) -> None:
        self.kept = kept
        self.now += AGAIN_SECONDS
        self.answers.look()


def test_a_new_answer_is_used_and_a_lost_one_is_not_any_more() -> None:
    scene = Scene()
    scene.change(ANSWER | {"budget": "{}"})
    found = scene.given[-1](HINT, CLUSTER)
    assert found is not None
    assert [msgspec.structs.replace(p, start=0) for p in found.preferences if p.intent == READ.intent]
    scene.change({})
    assert scene.given[-1](HINT, CLUSTER) is None


def test_hints_are_not_read_anew_for_the_account_alone() -> None:
    scene = Scene()
    scene.change(ANSWER | {"budget": "1"})
    scene.change(ANSWER | {"budget": "2"})
    assert len(scene.given) == 1


def test_answers_that_come_one_after_the_other_are_taken_together() -> None:
    scene = Scene()
    scene.change(ANSWER)
    for i in range(5):
        scene.kept = ANSWER | {f"{i:032x}.{i:016x}": "{}"}
        scene.answers.look()
    assert len(scene.given) == 1
    scene.now += AGAIN_SECONDS
    scene.answers.look()
    assert len(scene.given) == 2
