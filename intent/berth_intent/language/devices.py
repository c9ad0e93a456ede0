"""GPUs, their models and TPUs: how many, or none."""

from __future__ import annotations

from berth_intent.intents import Intent
from berth_intent.language.clause import Clause, is_negated
from berth_intent.language.draft import Draft
from berth_intent.language.gpu_names import with_memory
from berth_intent.language.kinds import Item, Kind


def gpu(clause: Clause, at: int, item: Item) -> list[Draft]:
    items = clause.items
    following = items[at + 1 : at + 2]
    if len(items) > at + 2 and following[0].kind == Kind.COLON and items[at + 2].kind in (Kind.TPU, Kind.GPU_MODEL):
        return []  # "accelerator: TPU"
    if item.payload == "work" and not is_negated(clause, at):
        if following and following[0].kind == Kind.NUMBER:
            return []  # "CUDA 12.4"
        return [Draft(Intent.PREFER_GPU, items, at=item)]
    if item.payload == "without":
        return [] if is_negated(clause, at) else [Draft(Intent.AVOID_GPU, items, at=item)]
    if (
        clause.has(Kind.INSTEAD)
        and not clause.has(Kind.NOT, Kind.AVOID, Kind.EXCEPT)
        and clause.first(Kind.INSTEAD) < at
    ):
        return []  # "a TPU instead of GPUs"
    if is_negated(clause, at):
        return [Draft(Intent.AVOID_GPU, items, at=item)] if not _is_counted(clause, at) else []
    neighbours = items[max(0, at - 2) : at] + items[at + 1 : at + 2]
    if any(i.kind == Kind.GPU_MODEL for i in neighbours):
        return []  # told with the model
    number = _number_before(clause, at)
    if following and following[0].kind == Kind.NOISE and not following[0].loose and not clause.has(Kind.VERB):
        return []  # "GPU metrics"
    adjoins = bool(following) and not following[0].loose
    if adjoins and following[0].kind in (Kind.LEVEL, Kind.MARK) and not item.plural:
        counted = at > 0 and items[at - 1].kind == Kind.NUMBER and not following[0].plural  # "a dual GPU box"
        return [Draft(Intent.PREFER_GPU, items, at=item, amount=number if counted else None)]
    return [
        Draft(Intent.PREFER_GPU, items, at=item, amount=number if number is not None else _number_after(clause, at))
    ]


def _is_counted(clause: Clause, at: int) -> bool:
    return at > 0 and clause.items[at - 1].kind == Kind.NUMBER


def gpu_model(clause: Clause, at: int, item: Item) -> list[Draft]:
    items = clause.items
    names = item.names
    for other in (*items[at + 1 : at + 3], *items[max(0, at - 1) : at]):
        if other.kind == Kind.QUANTITY and other.payload == "bytes" and other.number is not None:
            names = tuple(with_memory(name, other.number) or name for name in names)
    if is_negated(clause, at):
        return [Draft(Intent.AVOID_GPU_MODEL, items, names, at=item)]
    drafts = []
    number = _number_before(clause, at)
    if number is None:
        number = _number_after(clause, at)
    after = next((i for i in items[at + 1 :] if i.kind not in (Kind.QUANTITY, Kind.GPU, Kind.AS)), None)
    on_node = (
        after is not None and after.kind == Kind.LEVEL and items[at + 1].kind in (Kind.LEVEL, Kind.GPU, Kind.QUANTITY)
    )
    if number is not None and not on_node:
        drafts.append(Draft(Intent.PREFER_GPU, items, at=item, amount=number))
    return [*drafts, Draft(Intent.PREFER_GPU_MODEL, items, names, at=item)]


def tpu(clause: Clause, at: int, item: Item) -> list[Draft]:
    if is_negated(clause, at):
        return []
    if item.payload == "chip" and not (at and clause.items[at - 1].kind == Kind.NUMBER):
        return []
    following = clause.items[at + 1 : at + 2]
    number = None if following and following[0].kind == Kind.LEVEL else _number_before(clause, at)
    if number is None:
        number = _number_after(clause, at)
    return [Draft(Intent.PREFER_TPU, clause.items, at=item, amount=number)]


def _number_before(clause: Clause, at: int) -> float | None:
    items = clause.items
    index = at - 1
    while (
        index >= 0 and items[index].kind in (Kind.HIGH, Kind.COLON, Kind.GPU_MODEL, Kind.GPU, Kind.DEVICE_MEMORY)
    ) or (index >= 0 and items[index].kind == Kind.QUANTITY and items[index].payload == "bytes"):
        index -= 1
    if index < 0:
        return None
    before = items[index]
    if before.kind == Kind.NUMBER:
        return before.number
    return 1.0 if before.kind in (Kind.ARTICLE, Kind.ONE) else None


def _number_after(clause: Clause, at: int) -> float | None:
    items = clause.items
    following = items[at + 1 : at + 3]
    if following and following[0].kind == Kind.NUMBER and following[0].payload == "times":
        return following[0].number
    if len(following) == 2 and following[0].kind == Kind.COLON and following[1].kind == Kind.NUMBER:
        return following[1].number
    return None
