"""The image of berth-fetch, built from its Dockerfile, run as nobody on a read-only root without network: what it has for which source.
Slow. That it fetches is seen in test_chart_on_real_nodes.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pytest

from berth_api.reasons import Reason
from berth_e2e.real_node.fetch_image import built_fetch_image
from berth_e2e.real_node.packages import require_packages
from berth_e2e.real_node.unpacked_image import UnpackedImage, unpacked

NOBODY = "http://127.0.0.1:1"
KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.geteuid() != 0, reason="mounts and namespaces need root"),
]


@pytest.fixture(scope="module")
def image() -> Iterator[UnpackedImage]:
    require_packages()
    with unpacked(built_fetch_image()) as image:
        print(f"{image.mebibytes()} MiB unpacked")
        yield image


@pytest.mark.parametrize("uri", ["s3://models/tiny", "hf://org/name"])
def test_it_has_what_a_source_needs_and_says_that_nobody_answers(image: UnpackedImage, uri: str) -> None:
    where = ("--cache", "/dev/shm/cache", "--endpoint-url", NOBODY, "--tries", "1", "-o", "json")
    run = image.run(*image.entrypoint, uri, *where, HOME="/dev/shm", **KEYS)
    end = json.loads(run.stdout.splitlines()[-1])
    assert (run.returncode, end["code"]) == (1, str(Reason.SOURCE_UNREACHABLE)), run.stderr
