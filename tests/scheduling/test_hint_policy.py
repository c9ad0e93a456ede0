"""The policy's list of wishes is the language's."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from berth_api.hint_policy import HintIntent, HintLabels, Hints
from berth_intent.facts import LABELS
from berth_intent.intents import Intent
from berth_intent.terms import MAX_PREFERENCES


def test_a_policy_can_name_every_wish_and_no_other() -> None:
    assert get_args(HintIntent) == tuple(intent.value for intent in Intent)


def test_every_fact_that_labels_tell_can_have_other_keys() -> None:
    assert set(HintLabels.model_fields) == set(LABELS)


def test_what_is_not_said_is_as_without_a_policy() -> None:
    assert Hints().max_preferences == MAX_PREFERENCES
    assert Hints().allowed("any") is None
    assert not Hints().enforces("any")


def test_a_wish_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="prefer_zone"):
        Hints.model_validate({"allowedIntents": [{"intents": ["prefer_zone"]}]})
