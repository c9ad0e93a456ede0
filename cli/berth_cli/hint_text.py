"""What was understood of a hint, as text: a row a wish, then what was not understood and what is odd."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from berth_cli.terminal import columns
from berth_intent.intents import STRONG, WEAK
from berth_intent.sentences import insistence, number, phrase
from berth_intent.understood import Preference, Understood

ROWS_SHOWN = 40
NO_WISH = "No wish was found in it: pods with this hint are placed as those without."
MAX_WORDS = 120
"""Characters of the hint that a cell or line quotes; -o wide and -o json have all."""


def print_understood(console: Console, understood: Understood, *, wide: bool, names: str) -> None:
    """names: where the cluster's names are from, for the last line; empty when none were given."""
    wishes = understood.preferences
    shown = wishes if wide or len(wishes) <= ROWS_SHOWN else wishes[:ROWS_SHOWN]
    if wishes:
        more = ("INTENT", "VALUES", "AMOUNT", "SCOPE") if wide else ("INTENT",)
        table = columns("WISH", "STRENGTH", *more, "WORDS")
        for i, wish in enumerate(shown):
            overruled = i in understood.overruled
            table.add_row(phrase(wish), _strength(wish, overruled), *_fields(wish, wide), quoted(wish.text, wide=wide))
        console.print(table)
        if len(shown) < len(wishes):
            console.print(f"... and {_wishes(len(wishes) - len(shown), ' more')} (-o wide shows all)")
        console.print()
    print_doubts(console, understood, wide=wide)
    if understood.unparsed or understood.warnings:
        console.print()
    console.print(Text(_verdict(understood, names), style="bold"))


def print_doubts(console: Console, understood: Understood, *, wide: bool) -> None:
    """What was not understood, and what is odd, a line each."""
    for stretch in understood.unparsed:
        console.print(Text("not understood  ", style="yellow") + Text(quoted(stretch, wide=wide)), soft_wrap=True)
    for warning in understood.warnings:
        console.print(Text(f"{warning.code}  ", style="yellow") + Text(warning.message), soft_wrap=True)


def _fields(wish: Preference, wide: bool) -> tuple[str, ...]:
    if not wide:
        return (wish.intent.value,)
    amount = number(wish.amount) if wish.amount is not None else wish.rank or ""
    return wish.intent.value, ", ".join(wish.values), amount, wish.scope.value if wish.scope else ""


def _strength(wish: Preference, overruled: bool) -> Text:
    if overruled:
        return Text(f"{insistence(wish.strength)}, overruled", style="dim")
    style = "bold" if wish.strength >= STRONG else "dim" if wish.strength <= WEAK else ""
    return Text(insistence(wish.strength), style=style)


def quoted(text: str, *, wide: bool) -> str:
    line = " ".join(text.split())
    return f'"{line if wide or len(line) <= MAX_WORDS else line[: MAX_WORDS - 3] + "..."}"'


def _verdict(understood: Understood, names: str) -> str:
    if not understood.preferences:
        return NO_WISH
    counting = len(understood.effective)
    lost = len(understood.preferences) - counting
    parts = [f"{_wishes(counting)} {'counts' if counting == 1 else 'count'}"]
    if lost:
        parts.append(f"{lost} {'is' if lost == 1 else 'are'} overruled")
    known = (
        f"with the names of {names}"
        if names
        else "names as written (--dump, --live or --vocabulary give the cluster's)"
    )
    return f"{', '.join(parts)}; {known}."


def _wishes(count: int, kind: str = "") -> str:
    return f"{count}{kind} {'wish' if count == 1 else 'wishes'}"
