"""The names of all samples that our processes export, read from where the code makes the metrics.

A whole process needs an API server to show all of its metrics (e2e/tests/test_chart.py asks live ones); their names are constants. The
engine's are partly put together, so its registry is asked; of the engine itself only types are needed there, and no torch.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType, SimpleNamespace

ROOT = Path(__file__).parents[2]
PROCESSES = ("extender", "operator", "gateway")
COUNTERS = ("Counter", "CounterMetricFamily", "counts")
GAUGES = ("Gauge", "GaugeMetricFamily", "gauge")


def exported() -> set[str]:
    found: set[str] = set()
    for room in PROCESSES:
        for path in (ROOT / room).rglob("*.py"):
            found |= constants(path.read_text())
    return found | of_the_engine()


def constants(source: str) -> set[str]:
    found: set[str] = set()
    for call in ast.walk(ast.parse(source)):
        if not (isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)):
            continue
        name, by = call.args[0].value, getattr(call.func, "attr", getattr(call.func, "id", ""))
        if not (isinstance(name, str) and re.fullmatch(r"berth_\w+", name)):
            continue
        if by in COUNTERS:
            found.add(f"{name.removesuffix('_total')}_total")
        elif by in GAUGES:
            found.add(name)
        elif by == "Histogram":
            found |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found


def of_the_engine() -> set[str]:
    types = ModuleType("berth_engine.engine")
    types.Engine = types.Event = object  # type: ignore[attr-defined]
    kept = {name: sys.modules.get(name) for name in ("berth_engine", "berth_engine.engine")}
    sys.modules.update({"berth_engine": ModuleType("berth_engine"), "berth_engine.engine": types})
    try:
        spec = importlib.util.spec_from_file_location("engine_metrics", ROOT / "engine" / "berth_engine" / "metrics.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name, was in kept.items():
            sys.modules.pop(name) if was is None else sys.modules.update({name: was})
    metrics = module.Metrics("m")
    counts = SimpleNamespace(preemptions=0, passes=0, slices=0, tokens=0)
    now = SimpleNamespace(
        waiting=Counter(), running=0, paused=0, kv_use=0.0, host_use=0.0, counts=counts, spilled_blocks=0
    )
    metrics.engine = SimpleNamespace(gauges=lambda: now)
    for request in ("urgent", "standard"):
        metrics._ttft.labels(request)
        metrics._token.labels(request)
    text = metrics.text().decode()
    return set(re.findall(r"^([a-z]\w+(?::\w+)?)[{ ]", text, re.MULTILINE))
