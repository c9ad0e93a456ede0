"""One JSON line to a `Problem`: what `berth solve` reads. `solution_json` writes the answer.

Pods that nobody could tell apart become one class (priority, request, eligible nodes, move cost, preference and
membership in constraints; never the group). A running pod that is not movable is taken off its node's capacity; it
becomes an immovable class only where a constraint counts it.

Cost: one pass over the pods, a few microseconds each, a third of it in the JSON decoder.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from berth_solver.constraint_json import ConstraintError, Roles, build_constraints
from berth_solver.problem import Constraints, PodClass, Problem, ProblemError, Standing
from berth_solver.wire import Names, WirePod, WireProblem

MAX_LINE_BYTES = 1 << 30
MAX_PODS = 1_000_000
MAX_TOTAL = 1 << 62
"""Largest sum of one resource over all nodes or all pods: sums stay inside 64 bits."""

PENDING = -1
DEDUCTED = -1
"""Class of a pod that is only weight on its node."""

_PATH = re.compile(r"\$\.(\w+)\[(\d+)\]")
_DECODER = msgspec.json.Decoder(WireProblem)

_Key = tuple[int, tuple[int, ...], int, int, tuple[tuple[int, float], ...], tuple[int, ...], bool]
"""What makes pods interchangeable: priority, request, eligible set, move cost, preference, roles, movable."""

_EVERYWHERE = -1
"""Number of the eligible set that holds every node."""


class LineError(ProblemError):
    """A line that is no problem. The message names the pod, node or constraint and the field; `id` is the line's, if known."""

    def __init__(self, line_id: str | int | None, message: str) -> None:
        super().__init__(message)
        self.id = line_id


@dataclass(frozen=True, eq=False)
class ReadProblem:
    """A problem and what is needed to answer in the names of its pods. All sequences are in the order of the line."""

    id: str | int
    problem: Problem
    names: tuple[str, ...]
    groups: tuple[str, ...]
    class_of: tuple[int, ...]
    """Class of each pod, or DEDUCTED."""
    node_of: tuple[int, ...]
    """Node on which each pod runs, or PENDING."""
    deducted: tuple[tuple[int, int], ...]
    """(priority, pods) that are only weight on their nodes; they count as placed."""


def read_problem(line: bytes) -> ReadProblem:
    """Raises LineError. `line` is one JSON object, with or without the newline."""
    wire = _decode(line)
    try:
        return _Reader(wire).read()
    except LineError:
        raise
    except ProblemError as error:
        raise LineError(wire.id, str(error)) from None


def _decode(line: bytes) -> WireProblem:
    if len(line) > MAX_LINE_BYTES:
        raise LineError(None, f"the line is longer than {MAX_LINE_BYTES} bytes")
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        line_id, culprit = _blame(line, str(error))
        what = "" if isinstance(error, msgspec.ValidationError) else "not JSON: "
        raise LineError(line_id, f"{culprit}{what}{error}") from None


def _blame(line: bytes, message: str) -> tuple[str | int | None, str]:
    """The id of a line that does not decode, and the pod or node at fault by name: the decoder only knows positions.

    The standard library's decoder is looser (it reads NaN and huge numbers), so that there is something to look into.
    """
    try:
        loose = json.loads(line)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(loose, dict):
        return None, ""
    line_id = _writable_id(loose.get("id"))
    match = _PATH.search(message)
    for kind in ("nodes", "pods") if match is None else (match[1],):
        items = loose.get(kind)
        for i, item in enumerate(items if isinstance(items, list) else []):
            at_fault = (
                "NaN" in (text := json.dumps(item)) or "Infinity" in text if match is None else i == int(match[2])
            )
            if at_fault and isinstance(item, dict) and "name" in item:
                return line_id, f"{kind.removesuffix('s')} {item['name']!r}: "
    return line_id, ""


def _writable_id(found: object) -> str | int | None:
    """An id that can be answered with: a lone surrogate or an integer beyond 64 bits has no JSON line."""
    try:
        return msgspec.json.decode(msgspec.json.encode(found), type=str | int)
    except (msgspec.MsgspecError, UnicodeEncodeError, OverflowError, RecursionError):
        return None


class _Reader:
    """Reads one line: pods to classes, names to indices. Lives as long as one call."""

    def __init__(self, wire: WireProblem) -> None:
        self.wire = wire
        self.width = len(wire.resources)
        self.nodes = self._index("node", [node.name for node in wire.nodes])
        self.pods = self._index("pod", [pod.name for pod in wire.pods])
        self.eligible_numbers: dict[Names, int] = {}
        self.eligible_sets: dict[frozenset[int], int] = {}
        self.roles = Roles(self.pods)

    def fail(self, message: str) -> LineError:
        return LineError(self.wire.id, message)

    def read(self) -> ReadProblem:
        wire = self.wire
        self._check_shapes()
        try:
            self.roles.assign(wire.constraints)
        except ConstraintError as error:
            raise self.fail(str(error)) from None
        free = [list(node.capacity) for node in wire.nodes]
        class_of, node_of, firsts = self._classify(free)
        standing, pending = self._count(class_of, node_of, len(firsts))
        classes = self._pod_classes(firsts, pending)
        self._check_totals(classes, standing)
        deducted = Counter(pod.priority for pod, c in zip(wire.pods, class_of, strict=True) if c == DEDUCTED)
        problem = Problem(
            resources=wire.resources,
            nodes=tuple(self.nodes),
            capacity=np.array(free, np.int64).reshape(len(free), self.width),
            classes=classes,
            standing=standing,
            constraints=self._constraints(class_of),
        )
        return ReadProblem(
            id=wire.id,
            problem=problem,
            names=tuple(self.pods),
            groups=tuple([pod.group for pod in wire.pods]),
            class_of=tuple(class_of),
            node_of=tuple(node_of),
            deducted=tuple(sorted(deducted.items(), reverse=True)),
        )

    def _index(self, kind: str, names: Sequence[str]) -> dict[str, int]:
        index = {name: i for i, name in enumerate(names)}
        if len(index) < len(names):
            twice = next(name for name, count in Counter(names).items() if count > 1)
            raise self.fail(f"{kind} {twice!r}: two {kind}s share this name")
        return index

    def _check_shapes(self) -> None:
        wire = self.wire
        if len(wire.pods) > MAX_PODS:
            raise self.fail(f"pods: {len(wire.pods)} are more than {MAX_PODS}")
        self._index("resource", wire.resources)
        for node in wire.nodes:
            if len(node.capacity) != self.width:
                raise self.fail(
                    f"node {node.name!r}: capacity has {len(node.capacity)} amounts, resources {self.width}"
                )

    def _classify(self, free: list[list[int]]) -> tuple[list[int], list[int], dict[_Key, int]]:
        """Class and node of each pod, and the first pod of each class; takes fixed weight off `free`."""
        numbers: dict[_Key, int] = {}
        firsts: dict[_Key, int] = {}
        class_of: list[int] = []
        node_of: list[int] = []
        width, nodes, roles_of = self.width, self.nodes, self.roles.of_pod
        for i, pod in enumerate(self.wire.pods):
            if len(pod.request) != width:
                raise self.fail(f"pod {pod.name!r}: request has {len(pod.request)} amounts, resources {width}")
            if pod.node is None:
                node = PENDING
            elif (node := nodes.get(pod.node, PENDING)) == PENDING:
                raise self.fail(f"pod {pod.name!r}: node {pod.node!r} does not exist")
            roles = roles_of.get(i, ())
            eligible = _EVERYWHERE if pod.eligible is None else self._eligible_number(pod.name, pod.eligible)
            preference = self._preference(pod) if pod.preference else ()
            key: _Key = (pod.priority, pod.request, eligible, pod.move_cost, preference, roles, True)
            if node != PENDING and not pod.movable:
                row = free[node]
                for r, amount in enumerate(pod.request):
                    row[r] -= amount
                counted = tuple([role for role in roles if role not in self.roles.of_budgets])
                if not counted:
                    class_of.append(DEDUCTED)
                    node_of.append(node)
                    continue
                key = (pod.priority, (0,) * width, _EVERYWHERE, 1, (), counted, False)
            c = numbers.get(key)
            if c is None:
                c = numbers[key] = len(numbers)
                firsts[key] = i
            class_of.append(c)
            node_of.append(node)
        return class_of, node_of, firsts

    def _eligible_number(self, pod: str, names: Names) -> int:
        """Equal sets of nodes, in whatever order they are listed, get equal numbers."""
        known = self.eligible_numbers.get(names)
        if known is None:
            nodes = frozenset([self._node(name, f"pod {pod!r}: eligible") for name in names])
            everywhere = len(nodes) == len(self.nodes)
            known = _EVERYWHERE if everywhere else self.eligible_sets.setdefault(nodes, len(self.eligible_sets))
            self.eligible_numbers[names] = known
        return known

    def _preference(self, pod: WirePod) -> tuple[tuple[int, float], ...]:
        field = f"pod {pod.name!r}: preference"
        return tuple(sorted([(self._node(name, field), share) for name, share in pod.preference.items() if share]))

    def _node(self, name: str, field: str) -> int:
        node = self.nodes.get(name)
        if node is None:
            raise self.fail(f"{field}: node {name!r} does not exist")
        return node

    def _count(self, class_of: list[int], node_of: list[int], classes: int) -> tuple[tuple[Standing, ...], list[int]]:
        nodes = max(len(self.nodes), 1)
        c, n = np.array(class_of, np.int64), np.array(node_of, np.int64)
        pending = np.bincount(c[n == PENDING], minlength=classes)
        running = (c != DEDUCTED) & (n != PENDING)
        cells, counts = np.unique(c[running] * nodes + n[running], return_counts=True)
        where = zip((cells // nodes).tolist(), (cells % nodes).tolist(), counts.tolist(), strict=True)
        return tuple([Standing(*cell) for cell in where]), pending.tolist()

    def _pod_classes(self, firsts: dict[_Key, int], pending: list[int]) -> tuple[PodClass, ...]:
        sets = list(self.eligible_sets)
        classes = []
        for c, (key, i) in enumerate(firsts.items()):
            priority, request, eligible, move_cost, preference, _, movable = key
            first = self.wire.pods[i]
            nodes = None if eligible == _EVERYWHERE else sets[eligible]
            name = first.group or first.name
            classes.append(PodClass(name, priority, request, pending[c], nodes, preference, move_cost, movable))
        return tuple(classes)

    def _check_totals(self, classes: Sequence[PodClass], standing: Sequence[Standing]) -> None:
        """Sums of one resource over everything must stay inside 64 bits; counted in Python's integers."""
        pods = [c.pending for c in classes]
        for s in standing:
            pods[s.pod_class] += s.count
        fixed = [p.request for p in self.wire.pods if not p.movable]
        for r, resource in enumerate(self.wire.resources):
            asked = sum([count * c.request[r] for count, c in zip(pods, classes, strict=True)])
            offered = sum([node.capacity[r] for node in self.wire.nodes])
            if max(asked + sum([request[r] for request in fixed]), offered) > MAX_TOTAL:
                raise self.fail(f"resource {resource!r}: amounts add up to more than {MAX_TOTAL}; use a coarser unit")

    def _constraints(self, class_of: Sequence[int]) -> Constraints:
        members = [frozenset([class_of[i] for i in pods]) - {DEDUCTED} for pods in self.roles.members]
        try:
            return build_constraints(self.wire.constraints, members, self.nodes)
        except ConstraintError as error:
            raise self.fail(str(error)) from None
