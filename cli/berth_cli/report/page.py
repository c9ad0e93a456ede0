"""Puts contents, script and style into one HTML file that asks the network for nothing.

Names come from tenants: they travel as JSON in which no `<`, `>` or `&` is left, the page only ever sets text, and a
Content-Security-Policy allows exactly the script and the style that are in the file, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from string import Template

import msgspec

from berth_cli.files import write_whole
from berth_cli.report.contents import contents
from berth_cluster.snapshot import Snapshot
from berth_planner.explanation import Explanation
from berth_planner.plan import Plan

ASSETS = resources.files("berth_cli.report") / "assets"
SCRIPTS = ("model.js", "layout.js", "paint.js", "tables.js", "main.js")
"""In this order, inside one function: they share a scope and leave nothing in the page's."""
ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def render_report(
    snapshot: Snapshot, plan: Plan, *, title: str, generated: str, explanations: Sequence[Explanation] = ()
) -> str:
    """The whole file. `generated`: when, as the reader should see it; `explanations`: why pods still wait, if `why` was asked.

    Raises PlanMismatchError when the plan does not belong to the snapshot.
    """
    title = title.encode("utf-8", "replace").decode()
    shown = contents(snapshot, plan, title=title, generated=generated, explanations=explanations)
    script = "(() => {\n'use strict';\n" + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();"
    style = _asset("style.css")
    return Template(_asset("page.html")).substitute(
        title=html.escape(title),
        policy=f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        contents=msgspec.json.encode(shown).decode().translate(ESCAPES),
    )


def write_report(
    path: Path, snapshot: Snapshot, plan: Plan, *, title: str, generated: str, explanations: Sequence[Explanation] = ()
) -> None:
    """Writes the file whole or not at all. Raises PlanMismatchError, and CommandError when the place cannot be written."""
    page = render_report(snapshot, plan, title=title, generated=generated, explanations=explanations)
    write_whole(path, page.encode())


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
