"""A thin hand on CP-SAT: integer variables by index, linear rows, one objective, a hint, a strict time limit.

Rows are written straight into the model's protocol buffer, which costs 0.4 us a term; the expression classes of OR-Tools
cost 1.8 us. Importing CP-SAT takes 0.5 to 1.4 s, so it happens at first use; `preload` does it ahead of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

STOP_MARGIN_SECONDS = 0.004
"""CP-SAT returns up to this much later than its own limit, and later in large models: 20 ms at 12,000 variables."""
STOP_MARGIN_PER_VARIABLE = 1.5e-6
NO_LIMIT = (1 << 63) - 1
LARGEST_PRESOLVED = 1 << 31
"""Coefficients up to which rows are presolved. From 2^32 on presolve (seen with OR-Tools 9.15) may cut the optimum off."""
LEAST_SECONDS = 0.002
"""Below this a call is not worth starting."""


def preload() -> None:
    """Import CP-SAT now, so that no solve pays for it."""
    from ortools.sat.python import cp_model  # noqa: F401


@dataclass(slots=True)
class Linear:
    """sum(coefficients x variables) + constant."""

    variables: list[int] = field(default_factory=list)
    coefficients: list[int] = field(default_factory=list)
    constant: int = 0

    def add(self, variable: int, coefficient: int) -> None:
        self.variables.append(variable)
        self.coefficients.append(coefficient)

    def plus(self, other: Linear, factor: int = 1) -> Linear:
        return Linear(
            self.variables + other.variables,
            self.coefficients + [factor * k for k in other.coefficients],
            self.constant + factor * other.constant,
        )

    def value(self, values: Sequence[int]) -> int:
        return self.constant + sum(k * values[v] for v, k in zip(self.variables, self.coefficients, strict=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """`values`: one a variable, None when nothing was found. `bound`: no value of the objective can be below it."""

    values: Sequence[int] | None
    bound: int | None
    proven: bool
    infeasible: bool = False


class IntegerModel:
    """Minimise a linear objective over integer variables with linear rows."""

    def __init__(self) -> None:
        from ortools.sat.python import cp_model

        self._cp_model: Any = cp_model
        self._model: Any = cp_model.CpModel()
        self._proto: Any = self._model.proto
        self.least: list[int] = []
        self.most: list[int] = []
        self.rows = 0
        self._largest = 0

    def variable(self, least: int, most: int) -> int:
        self._proto.variables.add().domain.extend([least, most])
        self.least.append(least)
        self.most.append(most)
        return len(self.least) - 1

    def minimum(self, linear: Linear) -> int:
        """The least value that the variables' own ranges allow."""
        terms = zip(linear.variables, linear.coefficients, strict=True)
        return linear.constant + sum(k * (self.least[v] if k > 0 else self.most[v]) for v, k in terms)

    def maximum(self, linear: Linear) -> int:
        terms = zip(linear.variables, linear.coefficients, strict=True)
        return linear.constant + sum(k * (self.most[v] if k > 0 else self.least[v]) for v, k in terms)

    def at_most(self, linear: Linear, most: int) -> None:
        if self.maximum(linear) > most:
            self._row(linear, -NO_LIMIT, most - linear.constant)

    def at_least(self, linear: Linear, least: int) -> None:
        if self.minimum(linear) < least:
            self._row(linear, least - linear.constant, NO_LIMIT)

    def _row(self, linear: Linear, least: int, most: int) -> None:
        row = self._proto.constraints.add().linear
        row.vars.extend(linear.variables)
        row.coeffs.extend(linear.coefficients)
        row.domain.extend([least, most])
        self.rows += 1
        self._largest = max(self._largest, max(map(abs, linear.coefficients), default=0))

    def minimize(self, linear: Linear) -> None:
        self._model.clear_objective()
        objective = self._proto.objective
        objective.vars.extend(linear.variables)
        objective.coeffs.extend(linear.coefficients)
        objective.offset = float(linear.constant)
        objective.scaling_factor = 1.0

    def hint(self, values: Iterable[int]) -> None:
        """Where to start: one value a variable."""
        self._model.clear_hints()
        self._proto.solution_hint.vars.extend(range(len(self.least)))
        self._proto.solution_hint.values.extend(values)

    def solve(self, seconds: float, seed: int, threads: int, effort: float | None = None) -> Answer:
        """Search for at most `seconds` of wall-clock time, margins included. No time, no answer: never an error.

        effort: a limit in CP-SAT's own deterministic seconds, the same on every machine. One thread gives the same
        answer each time as long as wall-clock time does not bind; more threads do not.
        """
        limit = seconds - STOP_MARGIN_SECONDS - STOP_MARGIN_PER_VARIABLE * len(self.least)
        if limit < LEAST_SECONDS:
            return Answer(None, None, False)
        solver = self._cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = limit
        solver.parameters.random_seed = seed & 0x7FFFFFFF
        solver.parameters.num_workers = threads
        # Ctrl-C is the caller's: CP-SAT would end one stage by it and leave the handler at its default
        solver.parameters.catch_sigint_signal = False
        solver.parameters.cp_model_presolve = self._largest <= LARGEST_PRESOLVED
        if effort is not None:
            solver.parameters.max_deterministic_time = effort
        status = solver.solve(self._model)
        if status == self._cp_model.INFEASIBLE:
            return Answer(None, None, True, infeasible=True)
        if status not in (self._cp_model.OPTIMAL, self._cp_model.FEASIBLE):
            return Answer(None, None, False)
        values = list(solver.response_proto.solution)
        proven = status == self._cp_model.OPTIMAL
        objective = round(solver.objective_value)
        bound = objective if proven else min(objective, _ceil(solver.best_objective_bound))
        return Answer(values, bound, proven)


def _ceil(bound: float) -> int:
    """The least integer an integral objective can take above a bound that CP-SAT reports as a float."""
    whole = round(bound)
    return whole if abs(bound - whole) < 1e-6 * max(1.0, abs(bound)) else int(-(-bound // 1))
