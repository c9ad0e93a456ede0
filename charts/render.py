"""Renders charts/berth as Helm does, and writes what is made from it: `python -m charts.render` (`make manifests`).

    manifests/install.yaml        for Kubernetes 1.37, `manifests/install-1.36.yaml` for 1.36 and so on: kube-scheduler follows the
                                  cluster, and a file cannot see which it is
    charts/berth/files/crds/      copies of manifests/crds: a chart can read nothing outside itself
    charts/berth/files/dashboards/   from charts/dashboards.py
    docs/values.md                from the comments of charts/berth/values.yaml

Helm itself runs in the process (helm-python-sdk, a wheel with Helm's Go library): 20 ms a rendering.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from helm_python import _native
from helm_python.chart import Chart

from charts.dashboards import dashboards
from charts.values_page import page

ROOT = Path(__file__).parents[1]
CHART = ROOT / "charts" / "berth"
DASHBOARDS = CHART / "files" / "dashboards"
CRDS = CHART / "files" / "crds"
VALUES_PAGE = ROOT / "docs" / "values.md"
NAMESPACE = "berth-system"
INSTALLS = {
    "install.yaml": "v1.37.2",
    "install-1.36.yaml": "v1.36.3",
    "install-1.35.yaml": "v1.35.4",
    "install-1.34.yaml": "v1.34.4",
    "install-1.33.yaml": "v1.33.13",
    "install-1.32.yaml": "v1.32.13",
    "install-1.31.yaml": "v1.31.14",
    "install-1.30.yaml": "v1.30.14",
}
"""With a patch version of kube-scheduler that exists; any of the cluster's minor does."""
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The kinds are 100 KB of YAML: 0.1 s instead of one."""
NOTES = "NOTES.txt"
TESTS = "/templates/tests/"

Json = dict[str, Any]


def render(
    values: Json | None = None, *, kube_version: str = "v1.37.2", apis: Sequence[str] = (), namespace: str = NAMESPACE
) -> dict[str, str]:
    """Text by template. Raises helm_python's errors. `apis`: groups and versions that the cluster has beyond Kubernetes' own."""
    with Chart.load(CHART) as chart:
        chart.validate_schema(chart.merge_values(values or {}))
        options = {"name": "berth", "namespace": namespace, "kube_version": kube_version}
        if apis:
            options["api_versions"] = list(apis)  # type: ignore[assignment]
        # Chart.render passes neither version nor APIs on, though the library underneath takes them
        given = json.dumps(values) if values else None
        made: dict[str, str] = json.loads(_native.call_string("helm_render", chart._raw(), given, json.dumps(options)))
    return made


def objects(rendered: dict[str, str], *, of_tests: bool = False) -> list[Json]:
    """What would be applied, in the templates' order; or what `helm test` makes."""
    texts = (
        text for name, text in sorted(rendered.items()) if not name.endswith(NOTES) and (TESTS in name) is of_tests
    )
    return [made for text in texts for made in yaml.load_all(text, Loader=LOADER) if made]


def install_file(kube_version: str) -> str:
    """The whole chart with its defaults, and the namespace, which Helm makes by itself."""
    minor = kube_version.rsplit(".", 1)[0].removeprefix("v")
    head = f"# Made from charts/berth by `make manifests`; do not edit. For Kubernetes {minor}: kubectl apply -f this file.\n"
    enforced = "  labels: {pod-security.kubernetes.io/enforce: restricted}\n"
    parts = [f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n{enforced}"]
    rendered = render(kube_version=kube_version)
    # kinds first: kubectl applies in the order of the file
    names = sorted(
        (n for n in rendered if not n.endswith(NOTES) and TESTS not in n),
        key=lambda n: (not n.endswith("/crds.yaml"), n),
    )
    for text in (rendered[name] for name in names):
        parts += [part.strip("\n") + "\n" for part in text.split("\n---\n") if part.strip("\n -")]
    return head + "---\n".join(part.removeprefix("---\n") for part in parts)


def main() -> None:
    CRDS.mkdir(parents=True, exist_ok=True)
    for crd in sorted((ROOT / "manifests" / "crds").glob("*.yaml")):
        shutil.copyfile(crd, CRDS / crd.name)
    VALUES_PAGE.write_text(page(CHART / "values.yaml"))
    DASHBOARDS.mkdir(parents=True, exist_ok=True)
    for name, text in dashboards().items():
        (DASHBOARDS / name).write_text(text)
    for name, version in INSTALLS.items():
        (ROOT / "manifests" / name).write_text(install_file(version))


if __name__ == "__main__":
    main()
