"""`--watch`: the same command again and again, until Ctrl-C.

On a terminal each round takes the place of the one before; in a pipe it follows it, so that with `-o json` one document comes after the
other. A round that fails says so, and the next one tries again: a cluster that is away for a moment ends nothing.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from berth_cli.exits import CommandError

CLEAR = "\x1b[H\x1b[2J"
SHORTEST = 0.5
WATCH = Annotated[
    float | None,
    typer.Option(
        "--watch",
        "-w",
        min=SHORTEST,
        metavar="SECONDS",
        help="Again every so many seconds, until Ctrl-C.",
        rich_help_panel="Output",
    ),
]


def watchable(command: Callable[..., None], sleep: Callable[[float], None] = time.sleep) -> Callable[..., None]:
    """The command, with `--watch`."""
    signature = inspect.signature(command, eval_str=True)
    watch = inspect.Parameter("watch", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=WATCH)

    @wraps(command)
    def again(*args: Any, watch: float | None = None, **options: Any) -> None:
        if watch is None:
            command(*args, **options)
            return
        while True:
            if sys.stdout.isatty():
                sys.stdout.write(CLEAR)
            try:
                command(*args, **options)
            except typer.Exit:
                pass  # the answer is no, for now
            except CommandError as error:
                print(f"error: {error}", file=sys.stderr)
            sys.stdout.flush()
            sleep(watch)

    ordered = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    again.__signature__ = signature.replace(parameters=[*ordered, watch])  # type: ignore[attr-defined]
    return again
