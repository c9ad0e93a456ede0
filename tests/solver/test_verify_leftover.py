"""That not all pods fit, from what would be left over: never claimed where brute force places them all."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from berth_solver.check_bounds import EvidenceError, Terrain
from berth_solver.check_leftover import cannot_all_be_placed
from berth_solver.problem import PodClass, Problem

from .brute_force import BruteForce, TooLargeError
from .problems import make_problem, problems


def never() -> bool:
    return False


@st.composite
def full_clusters(draw: st.DrawFn) -> Problem:
    """Nodes whose capacity is just what is asked for in all, or a unit more."""
    nodes = draw(st.integers(1, 3))
    requests = draw(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=2, max_size=4))
    classes = [PodClass(f"c{k}", 1, request, draw(st.integers(1, 2))) for k, request in enumerate(requests)]
    asked = [sum(c.pending * c.request[r] for c in classes) for r in range(2)]
    slack = draw(st.integers(0, 1))
    return make_problem([[-(-a // nodes) + slack for a in asked]] * nodes, classes)


def check(problem: Problem) -> bool:
    """Whether the argument held; it never may when everything fits."""
    brute = BruteForce(problem)
    everyone = np.ones(len(problem.classes), np.bool_)
    try:
        best = sum(brute.optimum().placed)
        impossible = cannot_all_be_placed(Terrain.of(problem), everyone, never)
    except (TooLargeError, EvidenceError):
        assume(False)
    if impossible:
        assert best < int(problem.totals.sum())
    return impossible


@settings(max_examples=200, deadline=None)
@given(full_clusters())
def test_never_claimed_when_all_pods_fit_a_full_cluster(problem: Problem) -> None:
    check(problem)


@settings(max_examples=150, deadline=None)
@given(problems(constrained=False))
def test_never_claimed_when_all_pods_fit(problem: Problem) -> None:
    check(problem)


def test_sees_what_fractions_do_not() -> None:
    """Two nodes of 10, pods of 7 and 6 and 4 and 3: all fit (7+3, 6+4); of 9, 6, 3 and 2 no two make 10."""
    fits = make_problem([[10], [10]], [PodClass(str(a), 1, (a,), 1) for a in (7, 6, 4, 3)])
    does_not = make_problem([[10], [10]], [PodClass(str(a), 1, (a,), 1) for a in (9, 6, 3, 2)])
    assert not check(fits)
    assert check(does_not)
