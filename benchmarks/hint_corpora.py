"""Corpora of labelled hints: our own, and the paper's files, whose exact keys were not published in its text.

Ours is one JSON object a line. The paper's (lsliwko/poc-schedule-intent-evaluation on Hugging Face, CC-BY-4.0) are read
loosely: a list, or an object of lists, of items with the text under one of `TEXT_KEYS` and the expected intents under one of
`INTENT_KEYS`, as a list of names, a list of objects, or an object from name to fields. What is not recognised is an error
that names the item; nothing is skipped in silence. That loader could only be tried on files written after the paper's text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.hint_metrics import Expected, Labelled
from berth_intent.intents import WITH_AMOUNT, WITH_VALUES, Intent

TEXT_KEYS = ("hint", "allocation_hint", "text", "prompt", "input")
INTENT_KEYS = ("expected", "expected_intents", "intents", "expected_output", "output", "labels")
NAME_KEYS = ("intent", "name", "type", "intent_name")
SKIPPED_FIELDS = ("confidence", "strength_explanation", "strength_reason", "explanation")
RENAMED = {"prefer_gpu_cores": Intent.PREFER_GPU, "prefer_cpu_cores": Intent.PREFER_CPU}


class CorpusError(ValueError):
    """The file is not a corpus; the message says where and why."""


def read_ours(path: Path) -> list[Labelled]:
    """Raises CorpusError."""
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(msgspec.json.decode(line, type=Labelled))
        except msgspec.MsgspecError as error:
            raise CorpusError(f"{path}:{number}: {error}") from error
    return found


def read_paper(path: Path, lang: str = "en") -> list[Labelled]:
    """Raises CorpusError."""
    content = json.loads(path.read_text())
    groups = content if isinstance(content, dict) else {"": content}
    found = []
    for category, items in groups.items():
        if not isinstance(items, list):
            continue
        for number, item in enumerate(items):
            where = f"{path.name}: {category or 'item'} {number}"
            if not isinstance(item, dict):
                raise CorpusError(f"{where} is no object")
            text = _first(item, TEXT_KEYS)
            if not isinstance(text, str):
                raise CorpusError(f"{where} has no text under any of {', '.join(TEXT_KEYS)}")
            if not any(key in item for key in INTENT_KEYS):
                raise CorpusError(f"{where} has no intents under any of {', '.join(INTENT_KEYS)}")
            expected = tuple(_expected(_first(item, INTENT_KEYS), where))
            found.append(Labelled(f"{category}-{number}", text, expected, lang, str(item.get("category", category))))
    return found


def _first(item: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((item[key] for key in keys if key in item), None)


def _expected(intents: Any, where: str) -> list[Expected]:
    if intents is None:
        return []
    if isinstance(intents, dict) and "intents" in intents:
        intents = intents["intents"]
    if isinstance(intents, dict):
        intents = [{"intent": name} | (fields if isinstance(fields, dict) else {}) for name, fields in intents.items()]
    if not isinstance(intents, list):
        raise CorpusError(f"{where}: intents are neither a list nor an object")
    return [_one({"intent": entry} if isinstance(entry, str) else entry, where) for entry in intents]


def _one(entry: Any, where: str) -> Expected:
    if not isinstance(entry, dict):
        raise CorpusError(f"{where}: an intent is no object")
    name = _first(entry, NAME_KEYS)
    intent = RENAMED.get(name, name)
    if intent not in list(Intent):
        raise CorpusError(f"{where}: unknown intent {name!r}")
    intent = Intent(intent)
    nested = entry.get("metadata")
    fields = {**entry, **(nested if isinstance(nested, dict) else {})}
    rest = {k: v for k, v in fields.items() if k not in (*NAME_KEYS, *SKIPPED_FIELDS, "metadata", "strength")}
    values: tuple[str, ...] = ()
    amount = None
    for value in rest.values():
        if isinstance(value, list) and intent in WITH_VALUES:
            values += tuple(map(str, value))
        elif isinstance(value, str) and intent in WITH_VALUES:
            values += (value,)
        elif isinstance(value, int | float) and not isinstance(value, bool) and intent in WITH_AMOUNT:
            amount = float(value)
    strength = fields.get("strength")
    return Expected(intent.value, values, amount, strength=float(strength) if strength is not None else None)
