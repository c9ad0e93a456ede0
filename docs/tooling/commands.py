"""docs/reference/cli.md: every command, argument and option, from the command lines themselves: `berth`, `berth-fetch`, `berth-engine`."""

from __future__ import annotations

import argparse

from berth_cli.main import app
from docs.tooling import engine
from docs.tooling.command_table import commands, sections, table


def page(before: str = "", *, ask_engine: bool = engine.IS_THERE) -> str:
    """`before`: see `engine.part`."""
    parts = [
        "# Every command and option",
        "What `--help` says, in one page. What holds for all commands (input, output, exit codes), and what the answers mean:\n"
        "[the command line](../cli.md). `kubectl berth` is the same command as `berth`.",
        sections(app, "berth"),
        _fetch(),
        engine.part("commands", before, ask=ask_engine),
    ]
    return "\n\n".join(parts) + "\n"


def command_lines() -> list[str]:
    """`berth plan`, `berth import openb` ...: all that can be run."""
    return [path for path, _ in commands(app, "berth")]


def options_of(command_line: str) -> set[str]:
    """The spellings of a command's options."""
    command = dict(commands(app, "berth"))[command_line]
    return {word for option in command.params for word in (*option.opts, *option.secondary_opts)}


def _fetch() -> str:
    from berth_operator.weights.main import arguments

    rows = []
    for action in arguments()._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and action.nargs != 0:
            name += f" {action.metavar or action.dest.upper()}"
        rows.append((name, (action.help or "") % {"default": action.default}))
    about = "Brings a model's files to a node: the init container of serving pods ([weights](../weights.md))."
    return "\n\n".join(["## `berth-fetch`", about, table(rows)])
