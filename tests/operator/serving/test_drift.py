"""What stands is compared with what was asked for: what the API server and others add is no drift, what they take away is."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_operator.serving.drift import missing

ASKED: dict[str, Any] = {
    "metadata": {"labels": {"app": "llama"}},
    "spec": {
        "replicas": 2,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "engine",
                        "args": ["serve", "--port", "8000"],
                        "resources": {"limits": {"cpu": "1500m", "memory": "2048Mi"}},
                        "ports": [{"name": "http", "containerPort": 8000}],
                    }
                ],
            }
        },
    },
}


def standing() -> dict[str, Any]:
    """As an API server with an injector of sidecars gives it back."""
    found = copy.deepcopy(ASKED)
    found["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    found["metadata"]["labels"]["added"] = "by somebody"
    pod = found["spec"]["template"]["spec"]
    engine = pod["containers"][0]
    engine |= {"imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log"}
    engine["resources"]["limits"] = {"cpu": "1.5", "memory": "2Gi", "nvidia.com/gpu": "1"}
    engine["ports"][0]["protocol"] = "TCP"
    pod["containers"].insert(0, {"name": "sidecar", "image": "proxy"})
    pod["dnsPolicy"] = "ClusterFirst"
    return found


def test_defaults_sidecars_and_other_words_for_a_quantity_are_no_drift() -> None:
    assert missing(ASKED, standing()) is None


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda o: o["spec"].update(replicas=3), "spec.replicas"),
        (lambda o: o["metadata"]["labels"].pop("app"), "metadata.labels.app"),
        (lambda o: _engine(o).update(name="other"), "spec.template.spec.containers[engine]"),
        (lambda o: _engine(o)["args"].reverse(), "spec.template.spec.containers[engine].args[0]"),
        (lambda o: _engine(o)["args"].append("--more"), "spec.template.spec.containers[engine].args"),
        (lambda o: _engine(o)["resources"]["limits"].update(memory="1Gi"), "spec.template.spec.containers[engine].resources.limits.memory"),
        (lambda o: o.pop("spec"), "spec"),
        (lambda o: o["spec"]["template"].update(spec=None), "spec.template.spec"),
    ],
)  # fmt: skip
def test_what_was_taken_away_or_changed_is_named(change: Any, where: str) -> None:
    found = standing()
    change(found)
    assert missing(ASKED, found) == where


def _engine(found: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in found["spec"]["template"]["spec"]["containers"] if one["name"] == "engine")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3),
    max_leaves=12,
)


@given(_JSON)
def test_what_is_as_asked_has_no_drift(value: Any) -> None:
    assert missing(value, copy.deepcopy(value)) is None


@given(st.dictionaries(st.sampled_from("abc"), _JSON), st.dictionaries(st.sampled_from("xyz"), _JSON, min_size=1))
def test_more_than_asked_is_no_drift_and_less_is(asked: dict[str, Any], more: dict[str, Any]) -> None:
    assert missing(asked, {**asked, **more}) is None
    assert missing({**asked, "new": 1}, asked) == "new"
