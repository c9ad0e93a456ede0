"""`make demo-cluster` as a person sees it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from berth_e2e import demo
from berth_e2e.state import state_folder


def test_the_demonstration_tells_how_the_wide_pod_comes_to_run_and_cleans_up(binaries: Path) -> None:
    seen = StringIO()
    demo.show(keep=False, console=Console(file=seen, width=200))
    story = seen.getvalue()
    for said in (
        "6 GPUs are free, at most 2 on one node",
        "Insufficient nvidia.com/gpu",
        "FitsAfterMoves",
        "9 of 10 pods placed before, 10 after, at most 10 possible (Optimal)",
        "moves: 1, and no way needs fewer (Optimal)",
        "Finished (Completed)",
        "wwww cc cc",
    ):
        assert said in story
    assert not state_folder(demo.NAME).exists()
