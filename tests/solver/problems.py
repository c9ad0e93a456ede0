"""Problems for the solver's tests: hypothesis strategies with every feature in them, and a builder for single scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from berth_solver.problem import (
    NO_DOMAIN,
    Affinity,
    Budget,
    Constraints,
    Exclusion,
    Gang,
    Limit,
    PodClass,
    Problem,
    Spread,
    Standing,
)


def make_problem(
    capacity: Sequence[Sequence[int]],
    classes: Sequence[PodClass],
    standing: Sequence[tuple[int, int, int]] = (),
    constraints: Constraints | None = None,
) -> Problem:
    """`capacity` one row a node; `standing` as (class, node, count)."""
    width = len(capacity[0]) if capacity else len(classes[0].request) if classes else 0
    return Problem(
        resources=tuple(f"r{k}" for k in range(width)),
        nodes=tuple(f"n{k}" for k in range(len(capacity))),
        capacity=np.array(capacity, np.int64).reshape(len(capacity), width),
        classes=tuple(classes),
        standing=tuple(Standing(*s) for s in standing),
        constraints=constraints or Constraints(),
    )


@st.composite
def domains(draw: st.DrawFn, nodes: int) -> tuple[int, ...]:
    if draw(st.booleans()):
        return tuple(range(nodes))
    return tuple(draw(st.lists(st.integers(NO_DOMAIN, 2), min_size=nodes, max_size=nodes)))


def groups(classes: int) -> st.SearchStrategy[frozenset[int]]:
    return st.frozensets(st.integers(0, classes - 1), min_size=1, max_size=classes)


KINDS = ("limit", "exclusion", "affinity", "spread", "gang", "budget", "max_disruption", "max_evictions")


@st.composite
def constraint_sets(draw: st.DrawFn, nodes: int, classes: int, kinds: Sequence[str] = KINDS) -> Constraints:
    """One to three constraints of any kind; some have no effect, some leave little."""
    some, where = groups(classes), domains(nodes)
    result = Constraints()
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        match kind:
            case "limit":
                result = replace(
                    result, limits=(*result.limits, Limit(draw(some), draw(where), draw(st.integers(0, 2))))
                )
            case "exclusion":
                exclusion = Exclusion(draw(some), draw(some), draw(where))
                result = replace(result, exclusions=(*result.exclusions, exclusion))
            case "affinity":
                affinity = Affinity(draw(some), draw(some), draw(where))
                result = replace(result, affinities=(*result.affinities, affinity))
            case "spread":
                counted = draw(st.none() | some)
                spread = Spread(draw(some), draw(where), draw(st.integers(1, 2)), counted, draw(st.integers(1, 3)))
                result = replace(result, spreads=(*result.spreads, spread))
            case "gang":
                gang = Gang(draw(some), draw(st.integers(1, 4)), f"g{len(result.gangs)}")
                result = replace(result, gangs=(*result.gangs, gang))
            case "budget":
                result = replace(result, budgets=(*result.budgets, Budget(draw(some), draw(st.integers(0, 2)))))
            case "max_disruption":
                result = replace(result, max_disruption=draw(st.integers(0, 3)))
            case "max_evictions":
                result = replace(result, max_evictions=draw(st.integers(0, 2)))
    return result


@st.composite
def problems(
    draw: st.DrawFn,
    max_nodes: int = 3,
    max_classes: int = 4,
    max_pods: int = 3,
    max_priority: int = 2,
    constrained: bool | None = None,
) -> Problem:
    """Problems with overloaded nodes, pods where they are not eligible, immovable pods, preferences and constraints.

    constrained: True and False force or forbid constraints. The defaults are small enough for brute force.
    """
    nodes = draw(st.integers(1, max_nodes))
    count = draw(st.integers(1, max_classes))
    width = draw(st.integers(1, 2))
    capacity = draw(
        st.lists(st.lists(st.integers(-1, 12), min_size=width, max_size=width), min_size=nodes, max_size=nodes)
    )
    if draw(st.booleans()):
        capacity = [capacity[0]] * nodes
    classes, standing = [], []
    for c in range(count):
        movable = draw(st.integers(0, 5)) > 0
        running = draw(st.lists(st.integers(0, nodes - 1), max_size=max_pods))
        request = draw(st.lists(st.integers(0, 7), min_size=width, max_size=width))
        everywhere = draw(st.integers(0, 2)) > 0
        likes = draw(st.dictionaries(st.integers(0, nodes - 1), st.sampled_from([0.25, 0.5, 1.0]), max_size=2))
        classes.append(
            PodClass(
                name=f"c{c}",
                priority=draw(st.integers(0, max_priority)),
                request=tuple(request) if movable else (0,) * width,
                pending=draw(st.integers(0, max_pods - len(running))) if movable else 0,
                eligible=None if everywhere else draw(st.frozensets(st.integers(0, nodes - 1))),
                preference=tuple(sorted(likes.items())) if movable else (),
                move_cost=draw(st.integers(0, 3)),
                movable=movable,
            )
        )
        standing += [(c, n, running.count(n)) for n in sorted(set(running))]
    has_constraints = draw(st.booleans()) if constrained is None else constrained
    constraints = draw(constraint_sets(nodes, count)) if has_constraints else Constraints()
    return make_problem(capacity, classes, standing, constraints)


@st.composite
def ruled_placements(draw: st.DrawFn, kind: str) -> tuple[Problem, np.ndarray]:  # type: ignore[type-arg]
    """A problem with room for everything, one constraint or more of a kind, and a placement that only they can refuse."""
    nodes, classes = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    few = st.integers(0, 2)
    cells = [(c, n) for c in range(classes) for n in range(nodes)]
    before = {cell: draw(few) for cell in cells if draw(st.booleans())}
    after = {cell: draw(few) if draw(st.booleans()) else before.get(cell, 0) for cell in cells}
    placement = np.array([[after[c, n] for n in range(nodes)] for c in range(classes)])
    pods = [PodClass(f"c{c}", 1, (1,), 2 * nodes, move_cost=draw(few)) for c in range(classes)]
    standing = [(c, n, count) for (c, n), count in before.items() if count]
    return make_problem([[99]] * nodes, pods, standing, draw(constraint_sets(nodes, classes, [kind]))), placement


@st.composite
def placements(draw: st.DrawFn, problem: Problem) -> np.ndarray:  # type: ignore[type-arg]
    """Any counts near what stands: most break some rule, some keep all."""
    placement = problem.standing_counts.copy()
    for _ in range(draw(st.integers(0, 5))):
        c = draw(st.integers(0, len(problem.classes) - 1))
        n = draw(st.integers(0, len(problem.nodes) - 1))
        placement[c, n] = max(0, placement[c, n] + draw(st.sampled_from([-1, 1, 1])))
    return placement
