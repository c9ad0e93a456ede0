"""Pages made from code say what the code says."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from berth_api.reasons import Reason
from docs.tooling import commands, kinds, metrics, pictures, reasons
from docs.tooling.markdown import MADE
from docs.tooling.reference import DOCS, FOLDER

ROOT = Path(__file__).parents[2]
AGAIN = "run: make docs-reference"


@pytest.mark.parametrize(("name", "page"), [("kinds", kinds.page), ("reasons", reasons.page)])
def test_a_generated_page_is_that_of_the_code(name: str, page: object) -> None:
    assert callable(page)
    assert (FOLDER / f"{name}.md").read_text() == MADE + page(), AGAIN


@pytest.mark.parametrize(("name", "made_by"), [("cli", commands), ("metrics", metrics)])
def test_a_page_with_a_part_of_the_engine_is_that_of_the_code(name: str, made_by: ModuleType) -> None:
    """All but that part, which engine/tests/test_reference.py holds against the engine."""
    told = (FOLDER / f"{name}.md").read_text()
    assert told == MADE + made_by.page(told, ask_engine=False), AGAIN


def test_every_metric_named_in_the_sources_is_on_the_page() -> None:
    """The processes are asked for the page; this looks from the other side, for one that is registered on some path only."""
    told = set(re.findall(r"^\| `([\w:]+)` \|", (FOLDER / "metrics.md").read_text(), re.MULTILINE))
    named = set()
    for folder in ("extender", "operator", "gateway", "engine/berth_engine"):
        for file in (ROOT / folder).rglob("*.py"):
            named |= set(re.findall(r'"(berth_[a-z]+_[a-z_]+)",', file.read_text()))
    assert len(named) > 50
    missing = {name for name in named if not {name, f"{name}_total"} & told}
    assert missing == set(), AGAIN


def test_every_field_of_the_kinds_is_told() -> None:
    """Seen from the files that are applied, not from the generator."""
    import yaml

    page = (FOLDER / "kinds.md").read_text()
    for file in sorted((ROOT / "manifests/crds").glob("*.yaml")):
        body = yaml.safe_load(file.read_text())
        schema = body["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        part = page.partition(f"## {body['spec']['names']['kind']}\n")[2]
        for place in ("spec", "status"):
            for path, field in _fields(schema[place], ""):
                assert f"| `{path}` |" in part, path
                for rule in field.get("x-kubernetes-validations", ()):
                    assert " ".join(rule["message"].split()).replace("<", "&lt;").replace("|", "\\|") in part


def _fields(schema: dict[str, object], path: str) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    properties = schema.get("properties", {})
    assert isinstance(properties, dict)
    for name, field in properties.items():
        here = f"{path}.{name}" if path else name
        found += [(here, field), *_fields(field, here), *_fields(field.get("items", {}), f"{here}[]")]
    return found


def test_every_reason_is_told_once() -> None:
    codes = re.findall(r"^\| `(\w+)` \|", (FOLDER / "reasons.md").read_text(), re.MULTILINE)
    outcomes = {o.value for o in reasons.OUTCOMES}
    assert sorted(set(codes) - outcomes) == sorted(r.value for r in Reason)
    assert len(codes) == len(set(codes))


def test_every_reason_is_on_one_page_or_making_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    first = reasons.GROUPS[0]
    less = first._replace(said={r: text for r, text in first.said.items() if r is not Reason.GATED})
    monkeypatch.setattr(reasons, "GROUPS", (less, *reasons.GROUPS[1:]))
    with pytest.raises(ValueError, match="Gated"):
        reasons.page()


def test_pictures_are_those_of_the_script() -> None:
    for name, drawing in pictures.drawings().items():
        assert (DOCS / "pictures" / f"{name}.svg").read_text() == drawing, AGAIN
