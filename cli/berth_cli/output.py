"""Machine-readable results: one value, as JSON or as YAML, on stdout."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from berth_cli.files import write_stdout
from berth_cli.options import OutputFormat

Value = msgspec.Struct | Mapping[str, object]


def as_json(value: Value) -> bytes:
    """Indented, newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def as_yaml(value: Value) -> bytes:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(msgspec.to_builtins(value), Dumper=dumper, sort_keys=False, allow_unicode=True, width=120)
    return text.encode()


def print_value(value: Value, output: OutputFormat) -> bool:
    """Prints when `output` is json or yaml; says whether it did."""
    if output is OutputFormat.JSON:
        write_stdout(as_json(value))
    elif output is OutputFormat.YAML:
        write_stdout(as_yaml(value))
    else:
        return False
    return True
