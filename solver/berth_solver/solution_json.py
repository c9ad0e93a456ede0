"""A `Solution` to one JSON line in the names of the pods, and back: what `berth solve` writes and `berth verify` reads.

The solver only counts. Writing names the pods so that nothing moves without need: on each node as many pods stay as the
counts allow, displaced pods get the new places before pending ones, and pods of one group are taken together.

Cost: one pass over the pods.
"""

from __future__ import annotations

from collections import defaultdict, deque

import msgspec
import numpy as np

from berth_solver.problem import IntArray
from berth_solver.problem_json import DEDUCTED, PENDING, LineError, ReadProblem
from berth_solver.solution import Certificate, Evidence, Improvement, Solution, StageResult, TierResult
from berth_solver.wire import WireDisruption, WireError, WireSolution, WireTier

UNPLACED = -1

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(WireSolution)


def write_solution(read: ReadProblem, solution: Solution, *, reading_seconds: float = 0.0) -> bytes:
    """One JSON object and a newline. `reading_seconds` went by before the solver's clock started; both times include it."""
    nodes = read.problem.nodes
    assignment = {
        name: None if node == UNPLACED else nodes[node]
        for name, node in zip(read.names, name_nodes(read, solution.placement), strict=True)
    }
    first = solution.first_improvement_seconds
    wire = WireSolution(
        id=read.id,
        tiers=_wire_tiers(read, solution),
        disruption=WireDisruption(
            _number(solution.disruption.value),
            _number(solution.disruption.bound),
            solution.disruption.certificate.value,
        ),
        assignment=assignment,
        first_improvement_seconds=None if first is None else round(first + reading_seconds, 6),
        elapsed_seconds=round(solution.elapsed_seconds + reading_seconds, 6),
    )
    return _ENCODER.encode(wire) + b"\n"


def write_error(error: LineError) -> bytes:
    """The line that stands in place of a solution, newline included."""
    return _ENCODER.encode(WireError(error.id, str(error))) + b"\n"


def name_nodes(read: ReadProblem, placement: IntArray) -> list[int]:
    """Node of each pod, or UNPLACED, so that `placement` holds with the fewest pods away from where they stand."""
    result = [UNPLACED] * len(read.names)
    rows, columns = np.nonzero(placement)
    cells = zip(rows.tolist(), columns.tolist(), strict=True)
    room: dict[tuple[int, int], int] = dict(zip(cells, placement[rows, columns].tolist(), strict=True))
    waiting: dict[int, deque[int]] = defaultdict(deque)
    pending: dict[int, list[int]] = defaultdict(list)
    for pod, (c, n) in enumerate(zip(read.class_of, read.node_of, strict=True)):
        if c == DEDUCTED:
            result[pod] = n
        elif n == PENDING:
            pending[c].append(pod)
        elif left := room.get((c, n), 0):
            room[c, n] = left - 1
            result[pod] = n
        else:
            waiting[c].append(pod)
    for c, pods in pending.items():
        waiting[c].extend(_by_group(read, pods))
    for (c, n), left in room.items():
        for _ in range(left):
            result[waiting[c].popleft()] = n
    return result


def read_solution(read: ReadProblem, line: bytes) -> Solution:
    """The placement and the claims of a solution line, without evidence. Raises LineError."""
    try:
        wire = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LineError(read.id, f"solution: {error}") from None
    if wire.id != read.id:
        raise LineError(read.id, f"solution: is for problem {wire.id!r}, not {read.id!r}")
    placement = _placement(read, wire.assignment)
    unproven = Evidence("none")
    weight = dict(read.deducted)
    tiers = tuple(
        [
            TierResult(t.priority, t.pods - fixed, t.placed - fixed, t.bound - fixed, unproven)
            for t in wire.tiers
            if (fixed := weight.get(t.priority, 0)) < t.pods or t.priority in read.problem.priorities
        ]
    )
    disruption = StageResult(wire.disruption.value, wire.disruption.bound, unproven)
    first = wire.first_improvement_seconds
    placed = tuple([t.placed for t in tiers])
    return Solution(
        placement,
        tiers,
        disruption,
        StageResult(_preference(read, placement), float("inf"), unproven),
        improvements=() if first is None else (Improvement(first, placed, int(disruption.value)),),
        elapsed_seconds=wire.elapsed_seconds,
    )


def _wire_tiers(read: ReadProblem, solution: Solution) -> tuple[WireTier, ...]:
    """Pods that are only weight on their nodes are placed, and stay so whatever is decided."""
    weight = dict(read.deducted)
    tiers = {priority: WireTier(priority, n, n, n, Certificate.OPTIMAL.value) for priority, n in read.deducted}
    for t in solution.tiers:
        fixed = weight.get(t.priority, 0)
        tiers[t.priority] = WireTier(t.priority, t.pods + fixed, t.placed + fixed, t.bound + fixed, t.certificate.value)
    return tuple([tiers[priority] for priority in sorted(tiers, reverse=True)])


def _placement(read: ReadProblem, assignment: dict[str, str | None]) -> IntArray:
    """Counts of an assignment by name. Every pod is named once; a pod that may not leave its node is on it."""
    problem = read.problem
    node_index = {name: n for n, name in enumerate(problem.nodes)}
    placement = np.zeros((len(problem.classes), len(problem.nodes)), np.int64)
    if len(assignment) > len(read.names):
        extra = next(iter(assignment.keys() - set(read.names)))
        raise LineError(read.id, f"solution: pod {extra!r} does not exist")
    for pod, name in enumerate(read.names):
        if name not in assignment:
            raise LineError(read.id, f"solution: pod {name!r} has no entry in the assignment")
        target = assignment[name]
        node = UNPLACED if target is None else node_index.get(target)
        if node is None:
            raise LineError(read.id, f"solution: pod {name!r}: node {target!r} does not exist")
        c = read.class_of[pod]
        if c == DEDUCTED or not problem.classes[c].movable:
            if node != read.node_of[pod]:
                raise LineError(read.id, f"solution: pod {name!r} is not movable but leaves its node")
            if c == DEDUCTED:
                continue
        if node != UNPLACED:
            placement[c, node] += 1
    return placement


def _preference(read: ReadProblem, placement: IntArray) -> float:
    return float(
        sum(int(placement[c, n]) * share for c, k in enumerate(read.problem.classes) for n, share in k.preference)
    )


def _by_group(read: ReadProblem, pods: list[int]) -> list[int]:
    """Pods of one group next to each other, groups and pods in the order of the line: groups are filled one by one."""
    first: dict[str, int] = {}
    for pod in pods:
        first.setdefault(read.groups[pod], pod)
    return sorted(pods, key=lambda pod: (first[read.groups[pod]], pod))


def _number(value: float) -> float | int:
    """Whole numbers without a fraction, as they are counts."""
    return int(value) if float(value).is_integer() else float(value)
