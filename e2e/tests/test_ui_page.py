"""The dashboard's page: what is committed is what its source builds, and a person can use it.

What is seen and done is told by ui/page/browser/page.test.ts, in chromium over the real server; here it is run. Needs Node, npm's
registry once, and chromium for the second half.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "ui" / "page"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("npm") is None, reason="no npm here: the page is neither built nor looked at"),
]


@pytest.fixture(scope="module")
def installed() -> None:
    if not (PAGE / "node_modules" / ".package-lock.json").exists():
        npm("ci", "--no-audit", "--no-fund")


def npm(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        ["npm", *arguments],
        check=False,
        cwd=PAGE,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=540,
    )
    assert done.returncode == 0, f"npm {' '.join(arguments)}:\n{done.stdout[-6_000:]}\n{done.stderr[-2_000:]}"
    return done.stdout


@pytest.mark.usefixtures("installed")
def test_the_assets_are_what_the_source_builds(tmp_path: Path) -> None:
    npm("run", "build", "--", "--outDir", str(tmp_path), "--emptyOutDir")
    committed = ROOT / "ui" / "berth_ui" / "assets"
    built = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    there = {path.relative_to(committed): path.read_bytes() for path in committed.rglob("*") if path.is_file()}
    assert built.keys() == there.keys()
    assert [str(path) for path in built if built[path] != there[path]] == [], "make page builds them anew"


@pytest.mark.usefixtures("installed")
def test_the_client_is_what_the_description_of_the_api_says(tmp_path: Path) -> None:
    made = tmp_path / "schema.d.ts"
    npm(
        "exec",
        "--",
        "openapi-typescript",
        "../openapi.json",
        "-o",
        str(made),
        "--root-types",
        "--root-types-no-schema-prefix",
    )
    assert made.read_text() == (PAGE / "src" / "api" / "schema.d.ts").read_text(), "make page writes it anew"


@pytest.mark.usefixtures("installed")
def test_types_lint_and_logic() -> None:
    npm("run", "check")
    npm("test")


def test_the_lock_names_no_place_to_download_from() -> None:
    lock = (PAGE / "package-lock.json").read_text()
    assert "resolved" not in lock


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: the page is not looked at")
@pytest.mark.usefixtures("installed")
def test_a_person_can_use_it() -> None:
    assert CHROMIUM
    npm("run", "browser", BERTH_PYTHON=sys.executable, BERTH_CHROMIUM=CHROMIUM)
