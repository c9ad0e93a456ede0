"""The chart as it renders for values that stand for many: a change of a template shows as a change of these files in review.

The defaults are manifests/install*.yaml. Kinds, and what is in dashboards, have tests of their own. After a change that is meant:
`PYTHONPATH=. python tests/charts/test_golden.py`.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts import render as charts

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "golden"
APIS = ["monitoring.coreos.com/v1", "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"]
ON: Json = {"enabled": True}
CASES: dict[str, Json] = {
    "everything": {
        "gateway": {"enabled": True, "namespace": "chat"},
        "samplePriorityClasses": ON,
        "scheduler": {"metrics": ON, "tolerations": [{"operator": "Exists"}], "nodeSelector": {"pool": "system"}},
        "operator": {
            "prometheusUrl": "http://prometheus:9090",
            "images": {"engine": "e:1", "vllm": "v:1", "fetch": "f:1"},
            "hintModel": {"backend": "openai", "model": "m", "baseUrl": "http://m/v1", "apiKeySecret": {"name": "key"}},
        },
        "image": {"digest": "sha256:" + "ab" * 32},
        "imagePullSecrets": [{"name": "registry"}],
        "networkPolicies": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
        "monitoring": {"labels": {"release": "prometheus"}, "serviceMonitors": ON, "dashboards": ON},
        "admission": {"pods": ON, "operator": ON, "approval": ON, "optIn": ON},
    },
    "namespaced": {"operator": {"serviceNamespaces": ["chat", "search"]}, "admission": {"operator": ON}},
}


def golden(values: Json) -> str:
    rendered = charts.render(values | {"crds": {"enabled": False}}, apis=APIS)
    made = charts.objects(rendered) + charts.objects(rendered, of_tests=True)
    for body in made:
        if body["kind"] == "ConfigMap" and "dashboard" in body["metadata"]["name"]:
            body["data"] = dict.fromkeys(body["data"], "charts/dashboards.py")
    return yaml.safe_dump_all(made, sort_keys=False, width=140, explicit_start=True)


@pytest.mark.parametrize("name", CASES)
def test_the_chart_renders_as_it_did(name: str) -> None:
    kept, now = (FOLDER / f"{name}.yaml").read_text(), golden(CASES[name])
    changed = "\n".join(difflib.unified_diff(kept.splitlines(), now.splitlines(), "kept", "now", lineterm="", n=2))
    assert not changed, f"look, and if it is meant: PYTHONPATH=. python {Path(__file__).name}\n{changed}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for case, given in CASES.items():
        (FOLDER / f"{case}.yaml").write_text(golden(given))
