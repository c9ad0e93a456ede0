"""The options that several commands share, each defined once, in kubectl's words."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from berth_cli.durations import seconds_of

INPUT = "Input (a dump, or else the current kubeconfig context)"
OUTPUT = "Output"
SOLVING = "Solving"

MAX_THREADS = 256


class OutputFormat(StrEnum):
    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


class LoggedFrom(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Movable(StrEnum):
    ALL = "all"
    BERTH = "berth"


def parse_duration(text: str | float) -> float:
    if isinstance(text, float):
        return text
    try:
        return seconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Dump = Annotated[
    list[Path] | None,
    typer.Option(
        "--dump",
        "-f",
        metavar="FILE...",
        help="Output of `kubectl get ... -A -o json`, plain or gzipped; several files; - reads standard input.",
        rich_help_panel=INPUT,
    ),
]
Context = Annotated[str | None, typer.Option(metavar="NAME", help="kubeconfig context to read.", rich_help_panel=INPUT)]
Kubeconfig = Annotated[Path | None, typer.Option(metavar="FILE", help="kubeconfig file to use.", rich_help_panel=INPUT)]
MovableOption = Annotated[
    Movable | None,
    typer.Option(
        metavar="all|berth",
        help="Whose pods may be placed and moved: every scheduler's, or only those of the scheduler `berth`. "
        "Default: all.",
        rich_help_panel=SOLVING,
    ),
]
Budget = Annotated[
    float,
    typer.Option(
        parser=parse_duration,
        metavar="TIME",
        show_default=False,
        help="Time to solve: 500ms, 1s (the default), 2m. A longer time proves more.",
        rich_help_panel=SOLVING,
    ),
]
PendingOnly = Annotated[
    bool, typer.Option("--pending-only", help="Place pending pods, move nobody.", rich_help_panel=SOLVING)
]
Seed = Annotated[
    int,
    typer.Option(min=0, metavar="N", help="Same seed, same answer, when time does not bind.", rich_help_panel=SOLVING),
]
Threads = Annotated[
    int, typer.Option(min=1, max=MAX_THREADS, metavar="N", help="Threads to solve with.", rich_help_panel=SOLVING)
]
Output = Annotated[
    OutputFormat,
    typer.Option(
        "--output", "-o", metavar="table|wide|json|yaml", help="How to print the result.", rich_help_panel=OUTPUT
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="Show this namespace only.", rich_help_panel=OUTPUT),
]
AllNamespaces = Annotated[
    bool, typer.Option("--all-namespaces", "-A", help="Show all namespaces (the default).", rich_help_panel=OUTPUT)
]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour, as with NO_COLOR set.", rich_help_panel=OUTPUT)]
LogLevel = Annotated[LoggedFrom, typer.Option(metavar="debug|info|warning|error", help="What a process logs, and up.")]
