"""An LLMService as Python reads and writes it, and its page: what the schema says, the page says, and every reason is told of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from berth_api.crds import DEFINITIONS, at, definition
from berth_api.field_table import main, rewritten
from berth_api.llm_service import (
    Autoscaling,
    LLMService,
    LLMServiceSpec,
    LLMServiceStatus,
    Metric,
    Resources,
    ScalingEvent,
)
from berth_api.llm_service_rules import LLM_SERVICE_RULES, MAX_NAME
from berth_api.llm_service_scaling import USUAL_TARGET
from berth_api.reasons import Reason

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "llmservice.md"
SAMPLE = ROOT / "manifests" / "samples" / "llmservice.yaml"
OF = next(of for of in DEFINITIONS if of.kind == "LLMService")
LONGEST_MESSAGE = 250
REPLICA_SUFFIX = "-0123456789-abcde"
"""What a ReplicaSet and its pods add to a Deployment's name."""


def schema() -> dict[str, Any]:
    found: dict[str, Any] = definition(OF)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def examples() -> list[dict[str, Any]]:
    return [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.S | re.M)]


def service(**spec: object) -> LLMService:
    return LLMService.model_validate({"metadata": {"name": "chat"}, "spec": {"model": {"uri": "s3://b/p"}, **spec}})


def test_the_page_lists_the_fields_as_they_are() -> None:
    assert rewritten(PAGE.read_text(), OF) == PAGE.read_text(), (
        "run: python -m berth_api.field_table LLMService docs/llmservice.md"
    )


@pytest.mark.parametrize("page", ["nothing", "<!-- fields -->\nno end"])
def test_a_page_without_a_place_for_the_table_is_told(page: str) -> None:
    with pytest.raises(ValueError, match="needs the lines <!-- fields -->"):
        rewritten(page, OF)


def test_wrong_usage_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Pod", "x"]) == 2
    assert "usage: python -m berth_api.field_table" in capsys.readouterr().err


def test_the_page_begins_with_the_example_of_twelve_lines() -> None:
    text = SAMPLE.read_text()
    assert len(text.splitlines()) <= 12
    assert PAGE.read_text().split("```yaml\n")[1].startswith(text)


def test_the_page_says_what_to_do_about_every_reason() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text().partition("## Reasons")[2], re.M))
    reasons = list(Reason)
    ours = {str(reason) for reason in reasons[reasons.index(Reason.FETCHED) : reasons.index(Reason.STALLED) + 1]}
    assert set(told) == ours
    assert all(sentence[-1] in ".?" for sentence in told.values())


def test_every_example_of_the_page_is_read_whole() -> None:
    for example in examples():
        read = json.loads(LLMService.model_validate(example).model_dump_json(by_alias=True))["spec"]
        _assert_within(example["spec"], read)


def _assert_within(given_: Any, read: Any) -> None:
    if isinstance(given_, dict):
        assert given_.keys() <= read.keys()
        for key, value in given_.items():
            _assert_within(value, read[key])
    elif isinstance(given_, list):
        assert len(given_) == len(read)
        for one, other in zip(given_, read, strict=True):
            _assert_within(one, other)
    else:
        assert str(given_) == str(read)


def test_what_python_takes_for_granted_the_api_server_fills_in() -> None:
    """Defaults live in the schema, so that readers in any language see what holds."""
    filled = _filled(schema()["properties"]["spec"], {"model": {"uri": "s3://b/p"}})
    assert filled == service().spec.to_json()


def _filled(of: dict[str, Any], value: Any) -> Any:
    """As the API server sets defaults."""
    if not isinstance(value, dict):
        return value
    for name, field in of.get("properties", {}).items():
        if name not in value and "default" in field:
            value[name] = json.loads(json.dumps(field["default"]))
        if name in value:
            value[name] = _filled(field, value[name])
    return value


def test_the_usual_targets_are_those_that_the_field_tells_of() -> None:
    told = at(schema(), "spec.autoscaling.target")["description"]
    for metric in Metric:
        assert f"{USUAL_TARGET[metric]} for {metric}" in told
        assert Autoscaling(max=2, metric=metric).effective_target == USUAL_TARGET[metric]
    assert Autoscaling(max=2, target=7).effective_target == 7


def test_clients_call_the_model_by_the_services_name_unless_another_is_given() -> None:
    assert service().model_name == "chat"
    assert service(model={"uri": "s3://b/p", "name": "gpt"}).model_name == "gpt"


@pytest.mark.parametrize(("written", "read"), [(4, "4"), ("4", "4"), (1.5, "1.5"), ("500m", "500m")])
def test_a_number_is_a_quantity(written: object, read: str) -> None:
    assert Resources.model_validate({"cpu": written}).cpu == read


def test_a_truth_value_is_none() -> None:
    with pytest.raises(ValidationError):
        Resources.model_validate({"cpu": True})


def test_an_event_comes_back_as_it_went() -> None:
    event = ScalingEvent.model_validate({"time": "2026-01-01T00:00:00Z", "from": 1, "to": 3})
    assert event == ScalingEvent(time=event.time, from_=1, to=3)
    assert event.to_json()["from"] == 1


@pytest.mark.parametrize(
    "path", ["spec.placement.affinity", "spec.placement.tolerations[]", "spec.engine.env[].valueFrom"]
)
def test_what_is_handed_on_is_not_pruned(path: str) -> None:
    assert at(schema(), path)["x-kubernetes-preserve-unknown-fields"] is True


def test_conditions_are_merged_by_type() -> None:
    conditions = at(schema(), "status.conditions")
    assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])


def test_autoscalers_find_what_they_need() -> None:
    scale = definition(OF)["spec"]["versions"][0]["subresources"]["scale"]
    assert set(scale) == {"specReplicasPath", "statusReplicasPath", "labelSelectorPath"}
    for path in scale.values():
        assert at(schema(), path[1:])["type"] in ("integer", "string")
    assert "default" not in at(schema(), "spec.replicas"), "a number filled in would contradict every autoscaling"


def test_a_name_leaves_room_for_those_of_its_pods() -> None:
    assert len("a" * MAX_NAME + REPLICA_SUFFIX) <= 63


def test_rules_speak_to_people() -> None:
    for path, rules in LLM_SERVICE_RULES.items():
        for rule in rules:
            assert len(rule.message) <= LONGEST_MESSAGE, path
            assert "self" not in rule.message


words = st.text("abz-09", min_size=1, max_size=8)
specs = st.fixed_dictionaries(
    {"model": st.fixed_dictionaries({"uri": words.map("s3://b/{}".format)}, optional={"name": words})},
    optional={
        "replicas": st.integers(0, 1_000),
        "autoscaling": st.fixed_dictionaries(
            {"max": st.integers(1, 9)}, optional={"metric": st.sampled_from([str(metric) for metric in Metric])}
        ),
        "resources": st.fixed_dictionaries(
            {}, optional={"cpu": st.integers(0, 99).map(str), "gpus": st.integers(0, 16)}
        ),
        "engine": st.fixed_dictionaries(
            {},
            optional={
                "args": st.lists(words, max_size=3),
                "kvCacheShare": st.sampled_from([0.05, 0.5, 0.99]),
                "env": st.lists(st.fixed_dictionaries({"name": words, "value": words}), max_size=2),
            },
        ),
        "podTemplate": st.dictionaries(
            words, st.recursive(words | st.none(), lambda inner: st.lists(inner, max_size=2))
        ),
        "suspend": st.booleans(),
    },
)


@given(specs)
def test_what_is_read_is_written_as_it_was(given_: dict[str, Any]) -> None:
    read = LLMServiceSpec.model_validate(given_)
    assert LLMServiceSpec.model_validate(read.to_json()) == read


def test_a_status_says_nothing_before_anybody_looked() -> None:
    assert LLMServiceStatus().to_json().keys() >= {"conditions", "readyReplicas"}
    assert LLMServiceStatus().model is None
