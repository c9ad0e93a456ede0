"""How every subcommand parses and explains itself: options in named groups, examples that keep their shape.

(Typer keeps the classes of its contexts and formatters to itself, hence `Any`.) `--help` is plain text in sections (it
pipes, greps and reads in 80 columns), the examples come from the epilog line by line. And `--dump` takes several files
after one flag, as a shell's `--dump *.json` gives them: for a command with arguments of its own, a further word counts as
a file when it looks or is like one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

DUMP_FLAGS = ("--dump", "-f")
DUMP_SUFFIXES = (".json", ".jsonl", ".gz", ".ndjson")


class BerthCommand(TyperCommand):
    """A subcommand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        takes_arguments = any(parameter.param_type_name == "argument" for parameter in self.params)
        return super().parse_args(ctx, spread_dumps(args, takes_arguments=takes_arguments))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is None:
                continue
            if parameter.param_type_name == "argument":  # Typer's record repeats the type
                groups.setdefault("Arguments", []).append(
                    (str(parameter.metavar), getattr(parameter, "help", "") or "")
                )
            else:
                groups.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(record)
        order = sorted(groups, key=lambda name: (name != "Arguments", name == "Options"))
        for name in order:
            with formatter.section(name):
                formatter.write_dl(groups[name], col_max=26)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_as_is(formatter, self.epilog)


class BerthGroup(TyperGroup):
    """A command of subcommands, in the order in which a newcomer meets them."""

    order: tuple[str, ...] = (
        "demo",
        "plan",
        "why",
        "what-if",
        "hint",
        "status",
        "adopt",
        "verify",
        "solve",
        "import",
        "extender",
        "operator",
        "version",
    )

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        self.format_epilog(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each with the first sentence of its help, whole."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_line(found.help)) for name, found in named if found is not None])

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        _write_as_is(formatter, self.epilog)

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(
            self.commands,
            key=lambda name: (name not in self.order, self.order.index(name) if name in self.order else 0),
        )


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


def _write_as_is(formatter: Any, text: str | None) -> None:
    if text:
        formatter.write_paragraph()
        for line in text.strip("\n").splitlines():
            formatter.write(f"{line}\n")


def spread_dumps(args: list[str], *, takes_arguments: bool) -> list[str]:
    """`--dump a b` to `--dump a --dump b`."""
    spread: list[str] = []
    gathering = False
    for position, word in enumerate(args):
        if word == "--":
            return spread + args[position:]
        if word in DUMP_FLAGS:
            gathering = True
            spread.append(word)
        elif word.startswith("-") and word != "-":
            gathering = False
            spread.append(word)
        elif gathering and spread[-1] in DUMP_FLAGS:
            spread.append(word)
        elif gathering and (not takes_arguments or _looks_like_dump(word)):
            spread += ["--dump", word]
        else:
            gathering = False
            spread.append(word)
    return spread


def _looks_like_dump(word: str) -> bool:
    return word == "-" or word.endswith(DUMP_SUFFIXES) or Path(word).is_file()
