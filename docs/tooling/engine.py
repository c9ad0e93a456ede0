"""The engine's part of a generated page: asked of the engine in its own environment, which shares nothing with the control plane.

`python -m docs.tooling.engine metrics|commands` prints it there. Without that environment the part stays as it stands in the page;
engine/tests/test_reference.py holds it against the engine.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-engine/bin/python"
IS_THERE = PYTHON.exists()
BEGIN, END = "<!-- engine -->", "<!-- /engine -->"


def part(what: str, before: str, *, ask: bool) -> str:
    """Between its marks. `before`: the page as it stands. Raises ValueError where it has no such part and the engine is not asked."""
    if not ask:
        return before[before.index(BEGIN) : before.index(END) + len(END)]
    made = subprocess.run(  # noqa: S603
        [PYTHON, "-m", "docs.tooling.engine", what],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'engine'}:{ROOT}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return f"{BEGIN}\n{made.stdout.strip()}\n{END}"


def metrics() -> str:
    """Of a real engine of the smallest model, never started."""
    from docs.tooling.metric_table import table

    admission, launch, models, scheduler, told = map(
        _of_engine, ("admission", "launch", "models", "scheduler", "metrics")
    )
    loaded = models.load("tiny-mixtral", device="cpu")
    found = told.Metrics("model")
    found.engine = launch.launch(
        loaded, scheduler.Limits(1, 8), launch.CacheSize(0.1, 16, 0), admission.QueueLimits(1), None
    )
    found.weights = loaded.weights
    return table(found.registry)


def commands() -> str:
    from docs.tooling.command_table import sections

    return sections(_of_engine("main").app, "berth-engine")


def _of_engine(module: str) -> Any:
    """Found in the engine's environment only; mypy looks at neither."""
    return importlib.import_module(f"berth_engine.{module}")


if __name__ == "__main__":
    print({"metrics": metrics, "commands": commands}[sys.argv[1]]())
