"""Native placement fields as YAML to paste under a pod's spec: each element with the wish that it comes from as a comment."""

from __future__ import annotations

import msgspec

from berth_cli.printable import printable
from berth_intent.intents import STRONG
from berth_intent.native import Native, Said, Section
from berth_intent.sentences import insistence, phrase
from berth_intent.understood import Preference, Understood

HEAD = "# The hint in Kubernetes' own words. Paste under a pod's spec (of a Deployment: spec.template.spec)."
SOFT = "# All of it is preferred; --enforce requires what was said strongly."
NOTHING = "# Nothing of the hint can be said in Kubernetes' own words."
MAX_WORDS = 80
"""Characters of the hint that a comment quotes."""


def native_yaml(understood: Understood, native: Native, *, enforced: bool = False) -> str:
    """The document, newline at the end."""
    lines = [HEAD] if native.said else [NOTHING]
    if not enforced and any(wish.strength >= STRONG for said in native.said for wish in said.wishes):
        lines.append(SOFT)
    written: list[str] = []
    for section in Section:
        items = [said for said in native.said if said.section is section]
        if items:
            path = section.value.split(".")
            lines += _headers(path, written)
            written = path
            lines += _items(items, "  " * len(path))
    lost = [understood.preferences[i] for i in sorted(understood.overruled)]
    if lost:
        lines += ["# Left out, as another wish contradicts it:", *(f"#   {_wish(wish)}" for wish in lost)]
    if native.unsaid:
        lines += ["# Cannot be said:", *(f"#   {_wish(unsaid.wish)}: {_line(unsaid.why)}" for unsaid in native.unsaid)]
    return "\n".join(lines) + "\n"


def native_fields(native: Native) -> dict[str, object]:
    """The same as one value, for JSON."""
    fields: dict[str, object] = {}
    for section in Section:
        items = [msgspec.to_builtins(said.body) for said in native.said if said.section is section]
        if items:
            *above, last = section.value.split(".")
            place = fields
            for name in above:
                place = place.setdefault(name, {})  # type: ignore[assignment]
            place[last] = items
    return fields


def _headers(path: list[str], written: list[str]) -> list[str]:
    """The keys on the way that the section before has not opened yet."""
    shared = next(
        (i for i, (a, b) in enumerate(zip(path, written, strict=False)) if a != b), min(len(path), len(written))
    )
    return [f"{'  ' * depth}{name}:" for depth, name in enumerate(path) if depth >= shared]


def _items(items: list[Said], indent: str) -> list[str]:
    import yaml

    lines: list[str] = []
    told: tuple[Preference, ...] = ()
    for said in items:
        if said.wishes != told:
            lines += [f"{indent}# {_wish(wish)}" for wish in said.wishes]
        lines += [f"{indent}# {_line(note)}" for note in said.notes if said.wishes != told]
        told = said.wishes
        text = yaml.safe_dump(
            [msgspec.to_builtins(said.body, builtin_types=())], sort_keys=False, allow_unicode=True, width=100
        )
        lines += [indent + line for line in text.splitlines()]
    return lines


def _wish(wish: Preference) -> str:
    quoted = _line(wish.text)
    shown = quoted if len(quoted) <= MAX_WORDS else quoted[: MAX_WORDS - 3] + "..."
    return f"{_line(phrase(wish))} ({insistence(wish.strength)})" + (f', from "{shown}"' if shown else "")


def _line(text: str) -> str:
    """On one line: a hint's line break would end the comment, and what follows be read as YAML. (split knows all of Unicode's.)"""
    return printable(" ".join(text.split()))
