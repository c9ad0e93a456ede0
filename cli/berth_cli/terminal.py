"""Where words go: results to stdout, progress and warnings to stderr, colour and motion only on a terminal.

`--no-color`, NO_COLOR and a pipe all switch colour off; a pipe also gets lines of any width, so that nothing that a
program or `grep` looks for is cut. rich costs 0.08 s to import, so this module is imported by commands that print tables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from berth_cli.printable import printable

PIPE_WIDTH = 10_000
"""Columns when stdout is no terminal: wide enough that no line is ever cut."""


MIN_WIDTH = 80
"""Of tables on a terminal: on a narrower one its lines wrap, as kubectl's do, rather than words within columns."""


class SafeConsole(Console):
    """Text is text: no markup in it, and no character that would steer the terminal."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Cells are cleaned before they are measured."""
        return super().render_str(printable(text), **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


@dataclass(frozen=True)
class Terminal:
    """The two consoles of one command."""

    out: Console
    err: Console

    @contextmanager
    def progress(self, doing: str) -> Iterator[Callable[[str], None]]:
        """A spinner with what is being done, on stderr, only when somebody is looking; gives a function that says more."""
        if not self.err.file.isatty():
            yield lambda _: None
            return
        with self.err.status(Text(doing), spinner="dots") as status:
            yield lambda said: status.update(Text(said))

    def warn(self, message: str) -> None:
        self.err.print(Text("warning: ", style="yellow") + Text(message), soft_wrap=True)

    def note(self, message: str) -> None:
        self.err.print(Text(message), soft_wrap=True)


def open_terminal(*, no_color: bool = False) -> Terminal:
    plain = no_color or bool(os.environ.get("NO_COLOR"))
    return Terminal(_console(sys.stdout, plain), _console(sys.stderr, plain))


def _console(file: object, plain: bool) -> Console:
    assert hasattr(file, "isatty")
    on_terminal = bool(file.isatty())
    return SafeConsole(
        markup=False,
        emoji=False,
        file=file,  # type: ignore[arg-type]
        no_color=plain,
        highlight=False,
        width=max(MIN_WIDTH, Console(file=file).width) if on_terminal else PIPE_WIDTH,  # type: ignore[arg-type]
        soft_wrap=False,
    )


def columns(*headers: str, right: tuple[str, ...] = (), pad_left: int = 0) -> Table:
    """A table as kubectl prints them: capitals, three blanks between columns, no lines."""
    table = Table(
        box=None, pad_edge=pad_left > 0, padding=(0, 3 - pad_left, 0, pad_left), header_style="bold", show_edge=False
    )
    for header in headers:
        table.add_column(
            header, justify="right" if header in right else "left", overflow="fold", no_wrap=header in right
        )
    return table
