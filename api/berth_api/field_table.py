"""The table of a kind's fields in its documentation page, made from the schema that the API server gets.

    python -m berth_api.field_table LLMService docs/llmservice.md

Writes between the page's lines `<!-- fields -->` and `<!-- /fields -->`; a test makes it again and compares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from berth_api.crds import DEFINITIONS, PRESERVED, Definition, definition

BEGIN, END = "<!-- fields -->", "<!-- /fields -->"

Json = dict[str, Any]


def table(of: Definition) -> str:
    """Markdown: spec, then status."""
    schema = definition(of)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    lines = []
    for part in ("spec", "status"):
        lines += [f"| `{part}` | type | default | |", "| --- | --- | --- | --- |"]
        for path, field, required in _fields(schema[part], ""):
            default = "required" if required else _default(field)
            text = field.get("description", "").replace("|", "\\|")
            lines.append(f"| `{path}` | {_type(field)} | {default} | {text} |")
        lines.append("")
    return "\n".join(lines)


def rewritten(page: str, of: Definition) -> str:
    """The page with a fresh table. Raises ValueError when it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table(of)}{END}{after}"


def _fields(schema: Json, path: str) -> Iterator[tuple[str, Json, bool]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, field, name in required
        yield from _fields(field, here)
        yield from _fields(field.get("items", {}), f"{here}[]")


def _default(field: Json) -> str:
    default = field.get("default")
    if default is None or isinstance(default, dict) or default == []:
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _type(field: Json) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "x-kubernetes-int-or-string" in field:
        return "quantity"
    match field.get("type"):
        case "array":
            items = field["items"]
            if "enum" in items:
                return f"list of {_type(items)}"
            return "list" if items.get("type") == "object" else f"list of {_type(items)}s"
        case "object" if "additionalProperties" in field:
            return "map"
        case "object" if PRESERVED in field and "properties" not in field:
            return "object as in a pod"
        case "integer" | "number" if "minimum" in field or "maximum" in field:
            return f"{field['type']} {field.get('minimum', '')}..{field.get('maximum', '')}"
        case "string" if field.get("format") == "date-time":
            return "time"
    return str(field["type"])


def main(arguments: Sequence[str]) -> int:
    kinds = {of.kind: of for of in DEFINITIONS}
    if len(arguments) != 2 or arguments[0] not in kinds:
        print(f"usage: python -m berth_api.field_table {'|'.join(kinds)} PAGE", file=sys.stderr)
        return 2
    page = Path(arguments[1])
    page.write_text(rewritten(page.read_text(), kinds[arguments[0]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
