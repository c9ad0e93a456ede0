"""The generator against instances that the paper's authors recorded (analysis/kwok_workload_once/*/results.csv)."""

import pytest

from benchmarks.check import faults
from benchmarks.paper_instances import Cell, find, instance, node_capacity, replica_sets

ONE_PRIORITY = (
    (4, 427, 343966759),
    (2, 391, 390597870),
    (2, 828, 613089629),
    (4, 151, 549358279),
    (1, 553, 311363716),
    (3, 671, 700290895),
)


def test_generator_matches_the_published_vector() -> None:
    groups = replica_sets(484806185843093489, 16, 1)

    assert tuple((g.replicas, *g.request) for g in groups) == ONE_PRIORITY
    assert {g.priority for g in groups} == {1}
    assert node_capacity(groups, 4, 0.95) == (1926, 2103397777)


@pytest.mark.parametrize(
    ("seed", "names", "replicas", "capacity"),
    [
        (
            484806185843093489,
            "rs-01-p3 rs-02-p2 rs-03-p2 rs-04-p3 rs-05-p3 rs-06-p2",
            (4, 2, 2, 4, 1, 3),
            (1926, 2103397777),
        ),
        (4219457405427907235, "rs-01-p3 rs-02-p3 rs-03-p4 rs-04-p2 rs-05-p4", (1, 3, 4, 4, 4), (1282, 2263556097)),
        (
            7309940385334237743,
            "rs-01-p2 rs-02-p2 rs-03-p1 rs-04-p3 rs-05-p1 rs-06-p3 rs-07-p3 rs-08-p3",
            (2, 4, 1, 1, 4, 2, 1, 1),
            (2393, 2252550505),
        ),
    ],
)
def test_generator_matches_recorded_instances_of_four_priorities(
    seed: int, names: str, replicas: tuple[int, ...], capacity: tuple[int, int]
) -> None:
    groups = replica_sets(seed, 16, 4)

    assert " ".join(g.name for g in groups) == names
    assert tuple(g.replicas for g in groups) == replicas
    assert node_capacity(groups, 4, 0.95) == capacity


def test_the_same_seed_gives_the_same_instance() -> None:
    cell = Cell(8, 8, 4, 1.00)

    assert instance(cell, 17).json_line() == instance(cell, 17).json_line()
    assert instance(cell, 17).json_line() != instance(cell, 18).json_line()


def test_what_stands_is_allowed_and_something_waits() -> None:
    for usage in (0.90, 1.05):
        found = find(Cell(8, 4, 2, usage), base_seed=5)

        assert found.instance is not None
        problem = found.instance.problem()
        assert faults(problem, problem.standing_counts) == []
        assert not problem.overloaded.any()
        assert found.instance.pending > 0


def test_further_instances_of_a_cell_do_not_repeat_the_first() -> None:
    cell = Cell(4, 4, 1, 0.90)
    first = find(cell, base_seed=5)
    second = find(cell, base_seed=5, first_attempt=first.attempts)

    assert first.instance is not None
    assert second.instance is not None
    assert first.instance.seed != second.instance.seed
