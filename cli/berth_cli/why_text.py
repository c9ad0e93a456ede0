"""Explanations as text: one row for each look of waiting pods, or everything there is to say about one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich.console import Console
from rich.text import Text

from berth_api.reasons import Reason
from berth_cli.amounts import needs
from berth_cli.hint_text import quoted
from berth_cli.plan_text import counted
from berth_cli.terminal import columns
from berth_cluster.snapshot import Pod
from berth_intent.sentences import insistence
from berth_planner.explanation import Explanation, HintVerdict
from berth_planner.why import summary

ROWS_SHOWN = 40
"""Of waiting pods in `table`."""
REMEDIES_SHOWN = 4
TARGETS_SHOWN = 6
STYLES = {
    Reason.FITS_NOW: "green",
    Reason.FITS_AFTER_MOVES: "green",
    Reason.NO_PLACEMENT_EXISTS: "red",
    Reason.HIGHER_PRIORITY_FIRST: "yellow",
}


class WhyDocument(msgspec.Struct, frozen=True):
    """What `-o json` prints."""

    explanations: tuple[Explanation, ...]


def print_explanations(
    console: Console, explanations: Sequence[Explanation], *, full: bool, wide: bool, namespace: str | None = None
) -> None:
    if full:
        for i, explanation in enumerate(explanations):
            if i:
                console.print()
            _print_full(console, explanation)
        return
    if not explanations:
        console.print(
            "No pod waits for a node." if namespace is None else f"No pod of namespace {namespace} waits for a node."
        )
        return
    table = columns("PODS", "PRIORITY", "NEEDS", "WHY", "WHAT WOULD HELP", right=("PRIORITY",))
    table.columns[3].no_wrap = True
    # those without a place first: they are the question
    ordered = sorted(explanations, key=lambda e: (e.wave is not None, -e.priority))
    shown = ordered if wide or len(ordered) <= ROWS_SHOWN + 1 else ordered[:ROWS_SHOWN]
    for explanation in shown:
        table.add_row(
            _who(explanation),
            str(explanation.priority),
            needs(explanation.requests, every=wide),
            Text(explanation.code.value, style=STYLES.get(explanation.code, "")),
            _help(explanation),
        )
    console.print(table)
    console.print()
    if len(shown) < len(ordered):
        hidden = sum(len(e.pods) for e in ordered[ROWS_SHOWN:])
        console.print(f"... and {counted(hidden, 'more pod')} (-o wide shows all)")
        console.print()
    codes = ", ".join(f"{count:,} {code.value}" for code, count in summary(explanations).most_common())
    waiting = sum(len(e.pods) for e in explanations)
    placed = sum(len(e.pods) for e in explanations if e.wave is not None)
    console.print(
        Text(f"{counted(waiting, 'pod')} waiting, {placed:,} of them with a place in the plan: ", style="bold")
        + Text(f"{codes}. One in full: berth why POD")
    )


def print_running(console: Console, pods: Sequence[Pod]) -> None:
    """For pods that were asked about and do not wait at all."""
    running = [pod for pod in pods if pod.node is not None]
    if len(running) > 1:
        nodes = {pod.node for pod in running}
        console.print(
            f"{counted(len(running), 'pod')} of {running[0].workload.name} run, on {counted(len(nodes), 'node')}."
        )
    for pod in running if len(running) == 1 else ():
        going = ", and is being deleted" if pod.terminating else ""
        console.print(f"{pod.key} runs on {pod.node}{going}.")


def _who(explanation: Explanation) -> str:
    count = len(explanation.pods)
    if count == 1:
        return explanation.pods[0]
    if len(explanation.workloads) > 1:
        return f"{explanation.pods[0]} and {count - 1} more"
    return f"{explanation.workloads[0].namespace}/{explanation.workloads[0].name} x{count}"


def _help(explanation: Explanation) -> str:
    if explanation.wave is not None:
        cost = [
            counted(n, noun)
            for n, noun in ((explanation.moves or 0, "move"), (explanation.evictions or 0, "eviction"))
            if n
        ]
        return f"planned: wave {explanation.wave}" + (f", with {' and '.join(cost)}" if cost else "")
    if explanation.remedies:
        return explanation.remedies[0].message
    return "" if explanation.code is not Reason.NO_PLACEMENT_EXISTS else "no single change"


def _print_full(console: Console, explanation: Explanation) -> None:
    style = STYLES.get(explanation.code, "")
    console.print(Text(f"{_who(explanation)}  ", style="bold") + Text(explanation.code.value, style=style))
    console.print(Text(f"  {_sentence(explanation.message)}" + ("" if explanation.proven else " (not proven)")))
    table = columns("", "", pad_left=2)
    table.show_header = False
    table.add_row("needs", needs(explanation.requests, every=True))
    table.add_row("priority", str(explanation.priority))
    if explanation.wave is not None:
        table.add_row("in the plan", f"wave {explanation.wave}")
    if explanation.targets:
        more = len(set(explanation.targets)) - TARGETS_SHOWN
        shown = ", ".join(sorted(set(explanation.targets))[:TARGETS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        table.add_row("goes to", shown)
    if explanation.hint is not None:
        for i, line in enumerate(hint_lines(explanation.hint)):
            table.add_row("hint" if i == 0 else "", line)
    when = "now" if explanation.targets else "once the plan is done"
    for i, reason in enumerate(sorted(explanation.reasons, key=lambda r: -r.nodes)):
        resource = f" {reason.resource}" if reason.resource else ""
        table.add_row(
            f"nodes, {when}" if i == 0 else "", f"{reason.nodes:,} of {explanation.nodes:,}: {reason.reason}{resource}"
        )
    for i, remedy in enumerate(explanation.remedies[:REMEDIES_SHOWN]):
        table.add_row("it would fit" if i == 0 else "or", remedy.message)
    console.print(table)


def hint_lines(verdict: HintVerdict) -> Iterator[str]:
    """What was said, and what becomes of it."""
    yield quoted(verdict.hint, wide=False)
    if not verdict.wishes:
        yield "no wish of it counts"
    elif verdict.node:
        met = sum(v.satisfaction >= 1 for v in verdict.verdicts)
        yield f"on {verdict.node} {met} of {len(verdict.verdicts)} wishes are met in full"
        for unmet in verdict.verdicts:
            if unmet.satisfaction < 1:
                strength = insistence(unmet.strength)
                yield f"{unmet.wish} ({strength}) is met to {unmet.satisfaction:.0%}: {unmet.reason}"
    else:
        yield f"understood as: {'; '.join(verdict.wishes)}"
    for stretch in verdict.aside:
        yield f"does not count: {quoted(stretch, wide=False)}"


def _sentence(message: str) -> str:
    return message if message.endswith(".") else message + "."
