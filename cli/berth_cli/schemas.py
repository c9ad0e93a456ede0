"""The JSON Schemas of `berth solve`, made from the structs that read and write the lines, so that they cannot differ.

python -m berth_cli.schemas docs      writes docs/problem.schema.json and docs/solution.schema.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from berth_cli.files import write_whole
from berth_solver.wire import WireError, WireProblem, WireSolution

DIALECT = "https://json-schema.org/draft/2020-12/schema"

FILES: dict[str, tuple[str, tuple[type, ...]]] = {
    "problem.schema.json": ("One line of input to `berth solve`: a packing problem.", (WireProblem,)),
    "solution.schema.json": (
        "One line of output of `berth solve`: a solution, or why there is none.",
        (WireSolution, WireError),
    ),
}
PREFIX = "Wire"
"""Of the structs' names, which says nothing to readers of a schema."""


def schema_of(name: str) -> bytes:
    """The file's content."""
    title, types = FILES[name]
    shapes, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    document = {"$schema": DIALECT, "title": title, "anyOf": list(shapes), "$defs": definitions}
    text = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    return text.replace(b"/" + PREFIX.encode(), b"/").replace(b'"' + PREFIX.encode(), b'"')


def write_schemas(folder: Path) -> None:
    for name in FILES:
        write_whole(folder / name, schema_of(name))


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
