"""One benchmark instance: a cluster at one moment, as a `Problem` object and as a line of `berth solve`'s format.

A group is a set of identical pods, what a ReplicaSet makes. `json_line()` is for any program that wants to be measured on the
same input; `problem()` is that line, read: for a call in process.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from berth_solver.problem import IntArray, Problem
from berth_solver.problem_json import read_problem


@dataclass(frozen=True, slots=True)
class Group:
    """`replicas` identical pods. `gang_minimum`: fewer than this many of them are useless (0: no gang)."""

    name: str
    priority: int
    request: tuple[int, ...]
    replicas: int
    gang_minimum: int = 0


@dataclass(frozen=True, eq=False)
class Instance:
    """capacity: int64 [nodes, resources]; standing: int64 [groups, nodes], pods of each group that run on each node."""

    name: str
    seed: int
    resources: tuple[str, ...]
    capacity: IntArray
    groups: tuple[Group, ...]
    standing: IntArray

    @property
    def node_names(self) -> tuple[str, ...]:
        return tuple(f"n{j}" for j in range(len(self.capacity)))

    @property
    def pods(self) -> int:
        return sum(g.replicas for g in self.groups)

    @property
    def pending(self) -> int:
        return self.pods - int(self.standing.sum())

    def problem(self) -> Problem:
        """A fresh problem at each call, so that nothing an earlier solver computed on it is inherited."""
        return read_problem(self.json_line()).problem

    def json_line(self) -> bytes:
        """The instance in the JSONL format of `berth solve`, without the line feed."""
        names = self.node_names
        pods: list[_PodLine] = []
        gangs: list[_GangLine] = []
        for g, group in enumerate(self.groups):
            places = [names[n] for n in np.flatnonzero(self.standing[g]) for _ in range(int(self.standing[g, n]))]
            nodes: list[str | None] = [*places, *([None] * (group.replicas - len(places)))]
            mine = [
                _PodLine(f"{group.name}-{i}", group.name, group.priority, group.request, node)
                for i, node in enumerate(nodes)
            ]
            pods += mine
            if group.gang_minimum:
                gangs.append(_GangLine([p.name for p in mine], group.gang_minimum))
        nodes_lines = [_NodeLine(name, tuple(map(int, row))) for name, row in zip(names, self.capacity, strict=True)]
        line = _ProblemLine(self.name, self.resources, nodes_lines, pods, _ConstraintsLine(gangs) if gangs else None)
        return msgspec.json.encode(line)


class _NodeLine(msgspec.Struct):
    name: str
    capacity: tuple[int, ...]


class _PodLine(msgspec.Struct):
    name: str
    group: str
    priority: int
    request: tuple[int, ...]
    node: str | None


class _GangLine(msgspec.Struct):
    pods: list[str]
    min: int


class _ConstraintsLine(msgspec.Struct):
    gangs: list[_GangLine]


class _ProblemLine(msgspec.Struct, omit_defaults=True):
    id: str
    resources: tuple[str, ...]
    nodes: list[_NodeLine]
    pods: list[_PodLine]
    constraints: _ConstraintsLine | None = None
