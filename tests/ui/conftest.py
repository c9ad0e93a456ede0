"""Ends what the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .demo import end_all


@pytest.fixture(scope="session", autouse=True)
def _shared() -> Iterator[None]:
    yield
    end_all()
