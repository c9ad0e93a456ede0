"""Whatever values.schema.json allows renders to objects that Kubernetes takes, or is refused in words of ours."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import Chart
from helm_python.errors import HelmError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from charts import render as charts

from .values_by_schema import values

Json = dict[str, Any]

SCHEMA = json.loads((charts.CHART / "values.schema.json").read_text())
OUR_REFUSALS = (
    "gateway.enabled needs gateway.namespace",
    "admission.optIn.enabled needs MutatingAdmissionPolicy",
    "is newer than the cluster",
    "more than one minor older",
)
NO_KINDS: Json = {"crds": {"enabled": False}}
MINORS = ["1.30", "1.33", "1.36", "1.37"]
APIS = ["monitoring.coreos.com/v1", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]
PREVIOUS = Path(__file__).parent / "previous" / "values.yaml"
"""The defaults of the chart before this one, as `helm get values --all` shows them after its install."""


def check(given_values: Json, minor: str, apis: list[str]) -> None:
    version = f"v{minor}.1"
    try:
        rendered = charts.render(given_values | NO_KINDS, kube_version=version, apis=apis)  # the kinds cost the most
    except HelmError as error:
        if not any(word in str(error) for word in OUR_REFUSALS):
            raise
        return
    made = charts.objects(rendered) + charts.objects(rendered, of_tests=True)
    for body in made:
        assert body["metadata"]["name"]
        if "monitoring.coreos.com" not in body["apiVersion"]:
            _takes(minor if "Mutating" not in body["kind"] else "1.37", json.dumps(body))
    _said_as_given(made, given_values)


@functools.cache
def _takes(minor: str, body: str) -> None:
    """Once for what is the same in many renderings."""
    kubernetes_validate.validate(json.loads(body), minor, strict=True)


def _said_as_given(made: list[Json], given_values: Json) -> None:
    """No text of the user's is taken for YAML."""
    (operator,) = [b for b in made if b["kind"] == "Deployment" and b["metadata"]["name"] == "berth-operator"]
    container = operator["spec"]["template"]["spec"]["containers"][0]
    assert all(isinstance(argument, str) for argument in container["args"])
    told = given_values.get("operator", {})
    if url := told.get("prometheusUrl"):
        assert f"--prometheus-url={url}" in container["args"]
    model = told.get("hintModel", {})
    if model.get("backend") and "model" in model:
        assert f"--hint-model={model['model']}" in container["args"]
    image = given_values.get("image", {})
    if "repository" in image:
        assert container["image"].startswith(image["repository"])


TAKEN_FOR_YAML: Json = {
    "operator": {
        "hintModel": {"backend": "openai", "model": "a: b # c", "baseUrl": "http://m #/v1", "region": "{x"},
        "prometheusUrl": "http://p/: #",
        "images": {"engine": "# e: 1"},
        "serviceNamespaces": ["1e3", "true"],
    },
    "image": {"repository": '"r: \\'},
    "gateway": {"enabled": True, "namespace": "0"},
    "priorityClass": {"name": "1.5"},
    "monitoring": {"dashboards": {"enabled": True, "namespace": "12"}},
}
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=15, deadline=None, suppress_health_check=QUIET)
@given(values(SCHEMA), st.sampled_from(MINORS), st.sampled_from([APIS, []]))
@example(TAKEN_FOR_YAML, "1.37", APIS)
def test_any_values_render_or_are_refused_in_words(given_values: Json, minor: str, apis: list[str]) -> None:
    check(given_values, minor, apis)


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=1_000, deadline=None, suppress_health_check=QUIET)
@given(values(SCHEMA), st.sampled_from(MINORS), st.sampled_from([APIS, []]))
def test_many_values_render_or_are_refused_in_words(given_values: Json, minor: str, apis: list[str]) -> None:
    check(given_values, minor, apis)


# --- from the chart before this one


def test_the_previous_release_s_values_still_render() -> None:
    check(yaml.safe_load(PREVIOUS.read_text()), "1.37", APIS)


def test_reused_values_that_lack_what_is_new_render_as_the_defaults(tmp_path: Path) -> None:
    """`helm upgrade --reuse-values` puts the old chart's values in the place of the new one's defaults."""
    reused = tmp_path / "berth"
    shutil.copytree(charts.CHART, reused)
    shutil.copyfile(PREVIOUS, reused / "values.yaml")
    with Chart.load(reused) as chart:
        made = charts.objects(chart.render(name="berth", namespace=charts.NAMESPACE))
    with Chart.load(charts.CHART) as chart:
        assert made == charts.objects(chart.render(name="berth", namespace=charts.NAMESPACE))
