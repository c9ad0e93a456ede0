"""Twenty minutes of workloads that come, grow, shrink and go. Slow: `make test-all`; the same by hand: benchmarks/churn.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEED = 7


@pytest.mark.slow
@pytest.mark.timeout(2_400)
@pytest.mark.usefixtures("binaries")
def test_after_twenty_minutes_of_churn_nothing_is_left_over_and_nobody_waits_in_vain() -> None:
    command = [sys.executable, "-m", "benchmarks.churn", "--nodes", "200", "--minutes", "20", "--seed", str(SEED)]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": "e2e"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr[-4_000:]
