"""The image of `berth-fetch` for real nodes: the one that ships, built here. 10 s, 180 MB, made anew when the code changes."""

from __future__ import annotations

from pathlib import Path

from berth_e2e.real_node.shipped_image import shipped_image

FETCH_IMAGE = "localhost/berth-fetch:local"
SOURCES = ("api/berth_api", "operator/berth_operator/__init__.py", "operator/berth_operator/weights")


def built_fetch_image() -> Path:
    """As an archive for `RealNode.import_image`. Raises RealNodesError."""
    return shipped_image("berth-fetch", FETCH_IMAGE, SOURCES)
