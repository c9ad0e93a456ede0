"""A Typer command line as Markdown: a section a command, a row an option. Imports nothing of Berth, so that the engine's environment can."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from docs.tooling.markdown import cell, code


def sections(app: typer.Typer, name: str) -> str:
    return "\n\n".join(_section(path, command) for path, command in commands(app, name))


def commands(app: typer.Typer, name: str) -> Iterator[tuple[str, Any]]:
    """`berth plan`, `berth import openb` ...: all that can be run."""
    return _below(typer.main.get_command(app), name)


def _below(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from _below(command.commands[name], f"{path} {name}")


def _section(path: str, command: Any) -> str:
    parts = [f"## `{path}`", inspect.cleandoc(command.help or "").replace("<", "&lt;")]
    context = command.make_context(path, [], resilient_parsing=True)
    rows = []
    for parameter in command.params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        record = parameter.get_help_record(context)
        if parameter.param_type_name == "argument":  # Typer's record repeats the type
            record = (str(parameter.metavar or parameter.name.upper()), getattr(parameter, "help", "") or "")
        if record is not None:
            rows.append((record[0], record[1]))
    parts.append(table(rows))
    if command.epilog:
        parts.append(f"```text\n{command.epilog.strip(chr(10))}\n```")
    return "\n\n".join(part for part in parts if part)


def table(rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    return "\n".join(["| | |", "| --- | --- |", *(f"| {code(name)} | {cell(about)} |" for name, about in rows)])
