"""docs/reference/metrics.md tells of every metric of the engine what the engine tells."""

from __future__ import annotations

import re
from pathlib import Path

from test_engine import engine

from berth_engine.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs/reference/metrics.md"


def test_the_page_of_metrics_is_that_of_the_engine() -> None:
    metrics = Metrics("m")
    metrics.engine, metrics.weights = engine(), {"bfloat16": 1}
    part = PAGE.read_text().partition("<!-- engine -->")[2].partition("<!-- /engine -->")[0]
    told = {
        name: (kind, text)
        for name, kind, text in re.findall(r"^\| `([\w:]+)` \| (\w+) \| .* \| (.*) \|$", part, re.MULTILINE)
    }
    text = metrics.text().decode()
    types = {
        name: kind
        for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)
        if not name.endswith("_created")
    }
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    assert told == {name: (kind, helps[name]) for name, kind in types.items()}, "run: make docs-reference"
