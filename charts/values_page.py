"""docs/values.md: every value of the chart, its default, and what its comment in values.yaml says (`# -- ...`)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

HEAD = """# Values of the chart

Made from [values.yaml](../charts/berth/values.yaml) by `make manifests`; do not edit. What is not here is refused
([values.schema.json](../charts/berth/values.schema.json)). Where to begin: [install.md](install.md#values).
"""
KEY = re.compile(r"( *)([\w-]+):(?: |$)")


def documented(text: str) -> dict[str, str]:
    """What is said of each value, by its path. Raises KeyError for a comment `# --` that no value follows."""
    said: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("# -- "):
            comment = [bare.removeprefix("# -- ")]
        elif bare.startswith("#"):
            if comment:
                comment.append(bare.removeprefix("#").strip())
        elif (found := KEY.match(line)) is not None:
            indent = len(found[1])
            above = [(i, key) for i, key in above if i < indent] + [(indent, found[2])]
            if comment:
                said[".".join(key for _, key in above)] = " ".join(comment)
            comment = []
        elif comment:
            raise KeyError(f"no value follows: {comment[0]}")
    return said


def value_at(values: Any, path: str) -> Any:
    for key in path.split("."):
        values = values[key]
    return values


def page(values_file: Path) -> str:
    text = values_file.read_text()
    values = yaml.safe_load(text)
    parts, section = [HEAD], ""
    for path, says in documented(text).items():
        if path.split(".")[0] != section:
            section = path.split(".")[0]
            parts.append(f"\n## {section}\n\n| value | default | |\n| --- | --- | --- |\n")
        default = json.dumps(value_at(values, path))
        parts.append(f"| `{path}` | `{default}` | {says.replace('|', chr(92) + '|')} |\n")
    return "".join(parts)
