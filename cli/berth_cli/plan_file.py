"""The JSON of a plan: what `--out` writes, `-o json` prints and `berth verify --plan` reads back.

Beside the plan it keeps how it was asked for, so that checking it needs no second guess. docs/plan.md describes it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from berth_cli.exits import CommandError
from berth_cluster.snapshot import InputWarning
from berth_planner.frontier import FrontierPoint
from berth_planner.plan import Plan

if TYPE_CHECKING:
    from berth_planner.options import PlanOptions

FORMAT: Final = "berth.dev/plan-v1"


class Asked(msgspec.Struct, frozen=True):
    """How the plan was asked for."""

    movable: Literal["all", "berth"] = "all"
    budget_seconds: float = 1.0
    seed: int = 0
    pending_only: bool = False
    consolidate: bool = False
    max_moves: int | None = None
    max_evictions: int | None = None


class PlanDocument(msgspec.Struct, frozen=True):
    format: Literal["berth.dev/plan-v1"]
    asked: Asked
    plan: Plan
    warnings: tuple[InputWarning, ...] = ()
    frontier: tuple[FrontierPoint, ...] | None = None


def asked_of(options: PlanOptions) -> Asked:
    return Asked(
        movable=options.movable,
        budget_seconds=options.budget,
        seed=options.seed,
        pending_only=options.pending_only,
        consolidate=options.consolidate,
        max_moves=options.caps.max_moves,
        max_evictions=options.caps.max_evictions,
    )


def read_plan(path: Path) -> PlanDocument:
    """Raises CommandError naming the file and the field."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=PlanDocument)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = "A plan is written by `berth plan --out plan.json` (or -o json)."
        raise CommandError(f"{path}: not a plan: {error}", hint=hint) from error
