"""The report in a real browser: each wave shows what the plan says, and hostile names stay text. Needs chromium."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")]


@pytest.fixture(scope="module")
def scenarios() -> ModuleType:
    """The builders of test_report.py, which importlib mode does not put on the path."""
    spec = util.spec_from_file_location("report_scenarios", Path(__file__).with_name("test_report.py"))
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def dom(page: Path, state: str, profile: Path) -> str:
    """The document after its script ran, as chromium serialises it."""
    assert CHROMIUM
    quiet = (
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet, f"--user-data-dir={profile}",
        "--window-size=1400,1000", "--dump-dom", f"{page.as_uri()}#{state}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def text_of(document: str, element: str) -> str:
    found = re.search(rf'<\w+[^>]* id="{element}"[^>]*>(.*?)</(?:output|h1|aside|title)>', document, re.DOTALL)
    assert found, f"no {element}"
    return html.unescape(re.sub(r"<[^>]+>", " ", found.group(1)))


def test_each_wave_shows_what_the_plan_says(scenarios: ModuleType, tmp_path: Path) -> None:
    harbour = scenarios.fragmented(12, wanted=4)
    page = tmp_path / "report.html"
    scenarios.write_report(page, harbour.snapshot, harbour.plan, title="prod", generated="now")
    for wave, state in enumerate(scenarios.told(harbour)):
        placed = sum(state.values())
        shown = text_of(dom(page, f"view=after&wave={wave}", tmp_path / "profile"), "state")
        assert f"{placed} pods placed, {len(harbour.pods) - placed} waiting." in shown


def test_a_shared_address_opens_the_node_it_names(scenarios: ModuleType, tmp_path: Path) -> None:
    harbour = scenarios.fragmented(12, wanted=4)
    page = tmp_path / "report.html"
    scenarios.write_report(page, harbour.snapshot, harbour.plan, title="prod", generated="now")
    eviction = harbour.waves[0].evictions[0]
    detail = text_of(dom(page, f"node={eviction.node}", tmp_path / "profile"), "detail")
    assert eviction.node in detail
    assert re.search(rf"{eviction.pod}\s.*moves {eviction.node} → {eviction.target} in wave 1", detail)


def test_hostile_names_stay_text(scenarios: ModuleType, tmp_path: Path) -> None:
    harbour = scenarios.Harbour()
    harbour.node("n1")
    for i, name in enumerate(scenarios.HOSTILE):
        harbour.node(name + str(i))
        harbour.pod(name, 1, 100, "n1", name)
        harbour.waves.append(
            scenarios.Wave(
                (harbour.eviction(f"ai/{name}", name + str(i)),),
                (harbour.placement(f"ai/{name}", name + str(i), named=False),),
            )
        )
    page = tmp_path / "report.html"
    scenarios.write_report(page, harbour.snapshot, harbour.plan, title=scenarios.HOSTILE[1], generated="now")
    document = dom(page, "node=n1", tmp_path / "profile")
    assert document.count("<script") == 2, "more than the contents and our own script"
    assert "<img" not in document
    detail = text_of(document, "detail")
    for name in scenarios.HOSTILE[:3]:
        assert name in detail
