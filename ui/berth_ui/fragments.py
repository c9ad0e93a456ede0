"""Where room is lost to fragments: free GPUs by how many lie together, and which sizes of pod find a place in them.

Of use is what a pod of a size that waits or runs here could take: the smallest such size decides. A free GPU on a node that has
none of the cores or the memory left which every such pod needs is stranded; so is one on a cordoned or silent node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from berth_ui.picture import Shape
from berth_ui.wire import Fragments, Hole, NodeView, PodView, ShapeRoom

MAX_ROOMS = 20_000
MAX_SHAPES = 12
"""Sizes of pod that are told, those of most GPUs in sum first."""


def fragments(nodes: Iterable[NodeView], pods: Iterable[PodView], revision: int) -> Fragments:
    running: Counter[Shape] = Counter()
    waiting: Counter[Shape] = Counter()
    for pod in pods:
        if pod.gpus and pod.phase in ("Running", "Waiting"):
            (waiting if pod.phase == "Waiting" else running)[pod.gpus, pod.cpu, pod.memory] += 1
    shapes = running.keys() | waiting.keys()
    holes: Counter[int] = Counter()
    fits: Counter[Shape] = Counter()
    rooms: Counter[tuple[bool, Shape]] = Counter()  # many nodes are alike
    for node in nodes:
        left = max(node.gpus - node.gpus_used, 0)
        if left:
            room = (left, node.cpu - node.cpu_used, node.memory - node.memory_used)
            rooms[node.ready and not node.cordoned, room] += 1
    free = stranded = 0
    for (is_open, room), count in rooms.items():
        copies = {shape: _copies(shape, room) for shape in shapes} if is_open else {}
        fits.update({shape: copies[shape] * count for shape in copies})
        useful = max((shape[0] * fitting for shape, fitting in copies.items()), default=0)
        free += room[0] * count
        stranded += (room[0] - useful) * count
        holes[room[0]] += count
    chosen = sorted(shapes, key=lambda shape: (-shape[0] * (running[shape] + waiting[shape]), shape))[:MAX_SHAPES]
    return Fragments(
        revision=revision,
        gpus_free=free,
        gpus_stranded=stranded,
        holes=[Hole(gpus=gpus, nodes=count) for gpus, count in sorted(holes.items())],
        shapes=[
            ShapeRoom(
                gpus=shape[0],
                cpu=shape[1],
                memory=shape[2],
                running=running[shape],
                waiting=waiting[shape],
                fits_now=fits[shape],
                fits_at_most=free // shape[0],
            )
            for shape in sorted(chosen, reverse=True)
        ],
    )


def _copies(shape: Shape, room: tuple[int, int, int]) -> int:
    return (
        min((have // want for want, have in zip(shape, room, strict=True) if want), default=0) if min(room) >= 0 else 0
    )


class Stranded:
    """The stranded GPUs alone, again and again: rooms that were met before cost a look, so that 5,000 nodes cost about 2 ms."""

    def __init__(self) -> None:
        self._shapes: frozenset[Shape] = frozenset()
        self._useful: dict[Shape, int] = {}

    def of(self, nodes: Iterable[NodeView], shapes: frozenset[Shape]) -> int:
        if shapes != self._shapes or len(self._useful) > MAX_ROOMS:
            self._shapes, self._useful = shapes, {}
        stranded = 0
        for node in nodes:
            left = node.gpus - node.gpus_used
            if left <= 0:
                continue
            if not node.ready or node.cordoned:
                stranded += left
                continue
            room = (left, node.cpu - node.cpu_used, node.memory - node.memory_used)
            useful = self._useful.get(room)
            if useful is None:
                useful = max((shape[0] * _copies(shape, room) for shape in shapes), default=0)
                self._useful[room] = useful
            stranded += left - useful
        return stranded
