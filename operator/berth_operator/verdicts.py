"""What each waiting pod is told: from an answer of the solver to `berth.dev/why`, the same sentences as `berth why` prints. Pure.

A pod that a plan serves is told the plan and the wave; one that no plan serves why, whether that is proven, and the smallest
change that would help. Where only a limit of the policy stands in the way (moves left, quiet hours) that is said instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from berth_api.annotations import Why
from berth_api.packing_policy import Mode
from berth_api.reasons import Reason
from berth_planner.explanation import Explanation, Remedy
from berth_planner.plan import Plan

MAX_MESSAGE = 1_024
_FITS = (Reason.FITS_NOW, Reason.FITS_AFTER_MOVES)


class Limits(msgspec.Struct, frozen=True):
    """What kept the plan from doing more. cut: why its later waves were left out; empty: they were not."""

    cut: str = ""
    quiet_until: datetime | None = None
    no_moves_left: bool = False


class WrittenPlan(msgspec.Struct, frozen=True):
    name: str
    mode: Mode
    plan: Plan


class Verdict(msgspec.Struct, frozen=True):
    """One sentence for several pods in the same position."""

    pods: tuple[str, ...]
    """namespace/name."""
    why: Mapping[str, Why]
    sentence: str
    code: str
    is_final: bool
    """No plan serves them: the present placement is the best there is for them, or nothing better is known."""
    capacity: str = ""
    """How many nodes of which shape would help; empty where none would."""
    shape: str = ""
    """A node of that shape."""


def verdicts(explanations: Iterable[Explanation], written: WrittenPlan | None, limits: Limits) -> tuple[Verdict, ...]:
    positions = {} if written is None else _positions(written.plan)
    found = []
    for explanation in explanations:
        served = tuple(p for p in explanation.pods if p in positions)
        left = tuple(p for p in explanation.pods if p not in positions)
        if served and written is not None:
            found.append(_served(explanation, served, positions, written))
        if left:
            found.append(_left_waiting(explanation, left, limits))
    return tuple(found)


def _positions(plan: Plan) -> dict[str, int]:
    return {name: w for w, wave in reversed(list(enumerate(plan.waves, 1))) for p in wave.placements for name in p.pods}


def _served(
    explanation: Explanation, pods: tuple[str, ...], positions: Mapping[str, int], written: WrittenPlan
) -> Verdict:
    tail = {
        Mode.AUTOMATIC: "",
        Mode.MANUAL: f"; plan {written.name} waits for approval",
        Mode.DRY_RUN: f"; plan {written.name} is a dry run and is not carried out",
    }[written.mode]
    sentence = _cut(f"{explanation.message}{tail}")
    whys = {
        pod: Why(code=explanation.code, message=sentence, plan=written.name, position=positions[pod]) for pod in pods
    }
    return Verdict(pods, whys, sentence, explanation.code, is_final=False)


def _left_waiting(explanation: Explanation, pods: tuple[str, ...], limits: Limits) -> Verdict:
    code, sentence = str(explanation.code), explanation.message
    if explanation.code in _FITS:
        if limits.cut:
            code, sentence = Reason.MOVE_BUDGET_SPENT, f"{sentence}; not planned now: {limits.cut}"
        elif limits.quiet_until is not None:
            code, sentence = Reason.QUIET_HOURS, f"{sentence}; quiet hours until {limits.quiet_until:%H:%M} UTC"
        elif limits.no_moves_left:
            code, sentence = Reason.MOVE_BUDGET_SPENT, f"{sentence}; the policy's moves of this hour are spent"
    change = explanation.smallest_change
    if change:
        sentence = f"{sentence}. {change}"
    sentence = _cut(sentence)
    whys = {pod: Why(code=code, message=sentence) for pod in pods}
    capacity = next((r for r in explanation.remedies if r.kind == "one-more-node"), None)
    return Verdict(
        pods,
        whys,
        sentence,
        code,
        is_final=True,
        capacity=_capacity(explanation, pods, capacity),
        shape="" if capacity is None else capacity.node,
    )


def _capacity(explanation: Explanation, pods: tuple[str, ...], remedy: Remedy | None) -> str:
    if remedy is None:
        return ""
    who = pods[0] if len(pods) == 1 else f"{len(pods)} pods of {explanation.workload.name}"
    return f"{who} would fit {remedy.message}"


def _cut(sentence: str) -> str:
    return sentence if len(sentence) <= MAX_MESSAGE else sentence[: MAX_MESSAGE - 3] + "..."
