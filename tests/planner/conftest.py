"""Scenarios measure the planner, not how long the solver takes to load."""

from __future__ import annotations

import pytest

from berth_solver.cpsat import preload
from berth_solver.warm import warm


@pytest.fixture(scope="session", autouse=True)
def warm_solver() -> None:
    warm()
    preload()
