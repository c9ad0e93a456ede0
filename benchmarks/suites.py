"""Which instances each suite solves, and under which budgets. Instances are made when their turn comes, not before.

A `quick` run is a sub-grid: all suites together take less than two minutes on two cores, and no axis is left out wholly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product

from benchmarks.consolidation_instances import KINDS, consolidation_instance
from benchmarks.consolidation_instances import NODES as CONSOLIDATION_NODES
from benchmarks.gang_instances import CASES, FITS, gang_instance
from benchmarks.gang_instances import NODES as GANG_NODES
from benchmarks.gang_instances import PRIORITIES as GANG_PRIORITIES
from benchmarks.gpu_instances import GpuCell, gpu_instance
from benchmarks.measure import Task
from benchmarks.paper_instances import Cell, find
from benchmarks.seeds import instance_seed

PAPER_GRID = tuple(
    Cell(n, ppn, k, u) for n, ppn, k, u in product((4, 8, 16, 32), (4, 8), (1, 2, 4), (0.90, 0.95, 1.00, 1.05))
)
PAPER_GRID_QUICK = tuple(Cell(n, ppn, 4, u) for n, ppn, u in product((4, 8, 16, 32), (4, 8), (0.95, 1.05)))

SCALE_NODES = (64, 128, 256, 512, 1_024)
SCALE_KINDS = ((1, 0.90, 1.0), (4, 0.95, 1.0), (2, 1.00, 10.0), (4, 1.05, 10.0))
"""Priorities, usage, budget: everything fits in the first two, the targets say within 1 s; the others are the hard region."""
PAPER_MODEL_MAX_NODES = 128
"""Above, building the paper's model alone takes longer than the budget."""

GPU_NODES = (100, 300, 1_000, 2_000, 5_000)
GPU_USAGE = (0.90, 1.00, 1.05)
GPU_BUDGETS = (0.5, 3.0)
"""The targets: counts exact within the first, counts and moves within the second."""
GANG_BUDGET = 2.0
CONSOLIDATION_BUDGET = 5.0


@dataclass(frozen=True, slots=True)
class Selection:
    """How much of the suites to run."""

    base_seed: int
    seeds: int
    """Instances a cell."""
    quick: bool
    cells: str = "*"
    """Pattern of the names of cells to run, as in a shell."""

    def takes(self, name: str) -> bool:
        return fnmatch(name, self.cells)


@dataclass(frozen=True, slots=True)
class NoInstance:
    """A cell in which the scheduler left nothing pending, whatever the seed."""

    cell: str


Tasks = Iterator[Task | NoInstance]


def paper_tasks(selection: Selection, budget: float) -> Tasks:
    """The paper's grid; a cell's further instances go on counting seeds where the one before stopped."""
    grid = [c for c in (PAPER_GRID_QUICK if selection.quick else PAPER_GRID) if selection.takes(c.name)]
    tried = dict.fromkeys(grid, 0)
    for _ in range(selection.seeds):
        for cell in grid:
            yield _paper_task(cell, selection.base_seed, tried, budget, with_paper=True)


def scale_tasks(selection: Selection) -> Tasks:
    tried: dict[Cell, int] = {}
    nodes = (64, 1_024) if selection.quick else SCALE_NODES
    kinds = SCALE_KINDS[1:2] if selection.quick else SCALE_KINDS
    densities = (8,) if selection.quick else (4, 8)
    for _ in range(selection.seeds):
        for n, ppn, (k, usage, budget) in product(nodes, densities, kinds):
            cell = Cell(n, ppn, k, usage)
            if not selection.takes(cell.name):
                continue
            yield _paper_task(cell, selection.base_seed, tried, budget, with_paper=n <= PAPER_MODEL_MAX_NODES)


def _paper_task(
    cell: Cell, base_seed: int, tried: dict[Cell, int], budget: float, with_paper: bool
) -> Task | NoInstance:
    found = find(cell, base_seed, tried.get(cell, 0))
    tried[cell] = tried.get(cell, 0) + found.attempts
    if found.instance is None:
        return NoInstance(cell.name)
    return Task(
        cell.name,
        found.instance,
        budget,
        cell.nodes,
        cell.priorities,
        cell.usage,
        pods_per_node=cell.pods_per_node,
        attempts=found.attempts,
        with_paper=with_paper,
    )


def gpu_tasks(selection: Selection) -> Tasks:
    cells = [GpuCell(n, k, u) for n, k, u in product(GPU_NODES, (1, 4), GPU_USAGE)]
    if selection.quick:
        cells = [GpuCell(100, 1, 1.05), GpuCell(1_000, 4, 0.90), GpuCell(5_000, 4, 1.00)]
    cells = [c for c in cells if selection.takes(c.name)]
    for i, cell in product(range(selection.seeds), cells):
        instance = gpu_instance(cell, instance_seed(selection.base_seed, cell.name, i))
        for budget in GPU_BUDGETS:
            yield Task(cell.name, instance, budget, cell.nodes, cell.priorities, cell.usage)


def gang_tasks(selection: Selection) -> Tasks:
    cases = [c for c in CASES if selection.takes(f"gang-{c}")]
    for i, case in product(range(selection.seeds), cases):
        instance = gang_instance(case, instance_seed(selection.base_seed, f"gang-{case}", i))
        demand = sum(g.replicas * g.request[0] for g in instance.groups)
        yield Task(
            f"gang-{case}",
            instance,
            GANG_BUDGET,
            GANG_NODES,
            len(GANG_PRIORITIES) + 1,
            demand / int(instance.capacity[:, 0].sum()),
            fits=FITS[case],
        )


def consolidation_tasks(selection: Selection) -> Tasks:
    kinds = [k for k in (KINDS[:1] if selection.quick else KINDS) if selection.takes(f"consolidate-{k}")]
    for i, kind in product(range(selection.seeds), kinds):
        instance = consolidation_instance(kind, instance_seed(selection.base_seed, f"consolidate-{kind}", i))
        yield Task(f"consolidate-{kind}", instance, CONSOLIDATION_BUDGET, CONSOLIDATION_NODES, 1, 0.0, consolidate=True)


SOLVER_SUITES: dict[str, Callable[[Selection], Tasks]] = {
    "paper-1s": lambda selection: paper_tasks(selection, 1.0),
    "paper-10s": lambda selection: paper_tasks(selection, 10.0),
    "scale": scale_tasks,
    "gpu": gpu_tasks,
    "gang": gang_tasks,
    "consolidate": consolidation_tasks,
}
NOT_QUICK = frozenset({"paper-10s", "openb"})
"""Left out of a quick run of everything: ten seconds an instance, and data that a checkout need not have."""
