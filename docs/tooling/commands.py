"""docs/reference/cli.md: every command, argument and option, from the command line itself (and `berth-fetch`, which is apart)."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from typing import Any

import typer

from berth_cli.main import app
from docs.tooling.markdown import cell


def page() -> str:
    root: Any = typer.main.get_command(app)
    parts = [
        "# Every command and option",
        "What `--help` says, in one page. What holds for all commands (input, output, exit codes), and what the answers mean:\n"
        "[the command line](../cli.md). `kubectl berth` is the same command.",
        *(_command(path, command) for path, command in _commands(root, "berth")),
        _fetch(),
    ]
    return "\n\n".join(parts) + "\n"


def command_lines() -> list[str]:
    """`berth plan`, `berth import openb` ...: all that can be run."""
    return [path for path, _ in _commands(typer.main.get_command(app), "berth")]


def options_of(command_line: str) -> set[str]:
    """The spellings of a command's options."""
    command = dict(_commands(typer.main.get_command(app), "berth"))[command_line]
    return {word for option in command.params for word in (*option.opts, *option.secondary_opts)}


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from _commands(command.commands[name], f"{path} {name}")


def _command(path: str, command: Any) -> str:
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
            rows.append(f"| `{cell(record[0])}` | {cell(record[1])} |")
    if rows:
        parts.append("\n".join(["| | |", "| --- | --- |", *rows]))
    if command.epilog:
        parts.append(f"```text\n{command.epilog.strip(chr(10))}\n```")
    return "\n\n".join(parts)


def _fetch() -> str:
    from berth_operator.weights.main import arguments

    rows = []
    for action in arguments()._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.nargs != 0:
            name += f" {action.metavar or action.dest.upper()}"
        about = (action.help or "").replace("%(default)s", str(action.default))
        rows.append(f"| `{name}` | {cell(about)} |")
    return "\n\n".join(
        [
            "## `berth-fetch`",
            "Brings a model's files to a node: the init container of serving pods ([weights](../weights.md)).",
            "\n".join(["| | |", "| --- | --- |", *rows]),
        ]
    )
