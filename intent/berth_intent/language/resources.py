"""Clauses about what nodes have and how they are: amounts, GPUs, disks, networks, load, price, cached models."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.intents import Intent
from berth_intent.language.clause import OBJECTS, Clause, is_negated
from berth_intent.language.devices import gpu, gpu_model, tpu
from berth_intent.language.draft import Draft
from berth_intent.language.gpu_names import with_memory
from berth_intent.language.kinds import Item, Kind
from berth_intent.understood import Rank

_OF_RESOURCE = {
    "cpu": Intent.PREFER_CPU,
    "memory": Intent.PREFER_MEMORY_GB,
    "ephemeral": Intent.PREFER_EPHEMERAL_STORAGE,
    "network": Intent.PREFER_NETWORK_SPEED,
}
_OF_DIMENSION = {"cores": "cpu", "bytes": "memory", "bits": "network"}
_BETWEEN = (
    Kind.AS,
    Kind.IN,
    Kind.STORAGE,
    Kind.HIGH,
    Kind.LOW,
    Kind.COLON,
    Kind.VERB,
    Kind.ARTICLE,
    Kind.MODAL,
    Kind.LEVEL,
)
"""What may stand between a quantity and the resource that it is of."""
_FIT = {"cores": ("cpu",), "bytes": ("memory", "ephemeral", "network"), "bits": ("network",)}
_REACH = 4
MAX_CORES = 1024
"""Beyond it a number beside a word for processors is a year or a ticket."""
LEAST = {"cores": 0.01, "bytes": 0.001, "bits": 0.001}
"""Cores, GB and Gbps: what is less is no wish about a node, "drops lines of 16 kB"."""
_CORE = frozenset(("core", "kern", "nucleo", "vcpu", "cpu core", "cpu-kern", "rechenkern", "prozessorkern"))
_DECENT = frozenset(("good", "great", "excellent"))
_OF_NODES = (Kind.HIGH, Kind.LOW, Kind.EMPTY)


def resources(clause: Clause, before: Draft | None = None, model_named: bool = False) -> list[Draft]:
    """In the order of the clause. before: the wish just before, of which a bare quantity may be the amount.
    model_named: a model was spoken of, that "where it is cached" may mean."""
    drafts: list[Draft] = []
    used: set[int] = set()
    for at, item in enumerate(clause.items):
        if at in used or _is_compared(clause, at):
            continue
        match item.kind:
            case Kind.QUANTITY:
                drafts += _quantity(clause, at, item, used, before)
            case Kind.NUMBER:
                drafts += _count(clause, at, item, used)
            case Kind.RESOURCE:
                drafts += _single_core(clause, at, item) or _ranked(clause, at, item, used, before)
            case Kind.GPU:
                drafts += gpu(clause, at, item)
            case Kind.GPU_MODEL:
                drafts += gpu_model(clause, at, item)
            case Kind.TPU:
                drafts += tpu(clause, at, item)
            case Kind.LEVEL:
                drafts += _node_of_rank(clause, at, item, used)
            case _:
                drafts += _quality(clause, at, item, model_named)
    return drafts


def _is_compared(clause: Clause, at: int) -> bool:
    """ "rather ARM than x86", "H200 preferred over H100": what stands behind is not wished."""
    before = clause.signature[: max(0, at - 1)]
    return at > 1 and clause.items[at - 1].word in _THAN and Kind.MODAL in before and not OBJECTS.isdisjoint(before)


_SIZES = frozenset(("small", "little", "tiny", "mini", "kleines", "pequena"))
_FILLING = frozenset(("pack", "squeeze", "cram", "jam"))
_THAN = frozenset(("over", "than", "als", "que", "antes que"))


def _quantity(clause: Clause, at: int, item: Item, used: set[int], before: Draft | None) -> list[Draft]:
    items = clause.items
    for index in (at + 1, at - 1, at - 2):
        of_model = item.payload == "bytes" and 0 <= index < len(items) and items[index].kind == Kind.GPU_MODEL
        if of_model and with_memory(items[index].names[0], item.number or 0):
            return []  # told with the model
    if any(i.kind == Kind.DEVICE_MEMORY for i in items[at + 1 : at + 3]) or any(
        i.kind == Kind.DEVICE_MEMORY for i in items[max(0, at - 2) : at]
    ):
        return []
    kind = _resource_of(clause, at, item, used)
    if kind is None and before is not None and before.amount is None and before.rank is not None:
        kind = next((k for k in _FIT[item.payload] if _OF_RESOURCE[k] == before.intent), None)
    kind = kind or _OF_DIMENSION[item.payload]
    amount = item.number
    if amount is not None and amount < LEAST[item.payload]:
        return []
    return [Draft(_OF_RESOURCE[kind], clause.items, at=item, amount=amount)]


def _resource_of(clause: Clause, at: int, item: Item, used: set[int]) -> str | None:
    """The resource noun that is nearest, after it first."""
    items = clause.items
    fitting = _FIT[item.payload]
    for step in _directions(items, at):
        index = at + step
        while 0 <= index < len(items) and abs(index - at) <= _REACH:
            other = items[index]
            if other.kind == Kind.RESOURCE and other.payload in fitting and index not in used:
                used.add(index)
                return other.payload
            if other.kind == Kind.STORAGE and item.payload == "bytes" and step == 1 and abs(index - at) == 1:
                following = items[index + 1] if index + 1 < len(items) else None
                if following is None or following.kind != Kind.RESOURCE or following.payload == "ephemeral":
                    if following is not None and following.kind == Kind.RESOURCE:
                        used.add(index + 1)
                    return "ephemeral"
            if other.kind not in _BETWEEN:
                break
            index += step
    return None


def _directions(items: Sequence[Item], at: int) -> tuple[int, int]:
    """Where the noun of an amount is sought first: behind it, but "cpu=20 mem=80GB" has it before the sign."""
    return (-1, 1) if at and items[at - 1].kind == Kind.COLON else (1, -1)


def _count(clause: Clause, at: int, item: Item, used: set[int]) -> list[Draft]:
    """ "16 cores" by the noun, "cpu: 4", "ram 64"."""
    items = clause.items
    for step in _directions(items, at):
        index = at + step
        while (
            0 <= index < len(items)
            and items[index].kind in (Kind.COLON, Kind.HIGH, Kind.ARTICLE, Kind.VERB, Kind.AS)
            and step == -1
        ) or (
            step == 1
            and 0 <= index < len(items)
            and (items[index].kind in (Kind.HIGH, Kind.ARCH) or items[index].word in ("of", "de"))
        ):
            index += step
        if 0 <= index < len(items) and index not in used:
            other = items[index]
            if other.kind == Kind.RESOURCE and (step == 1 or other.payload in ("cpu", "memory")):
                used.add(index)
                if other.payload == "network" and step == 1:
                    continue
                if other.payload == "cpu" and (item.number or 0) > MAX_CORES:
                    continue
                return [Draft(_OF_RESOURCE[other.payload], clause.items, at=item, amount=item.number)]
    return []


def _single_core(clause: Clause, at: int, item: Item) -> list[Draft]:
    """ "a single core is plenty"."""
    following = clause.items[at + 1 : at + 2]
    if (
        following
        and not following[0].loose
        and following[0].kind in (Kind.MARK, Kind.UNKNOWN, Kind.NOISE, Kind.SELF, Kind.MODEL)
    ):
        return []  # "a core service"
    counted = at > 0 and clause.items[at - 1].kind in (Kind.ONE, Kind.ARTICLE)
    if item.word not in _CORE or not counted or is_negated(clause, at):
        return []
    return [Draft(Intent.PREFER_CPU, clause.items, at=item, amount=1.0)]


def _ranked(clause: Clause, at: int, item: Item, used: set[int], before: Draft | None) -> list[Draft]:
    """ "lots of RAM", "memory hungry", "a fast network"."""
    items = clause.items
    if any(i.kind == Kind.QUANTITY and item.payload in _FIT[i.payload] for i in items[max(0, at - 3) : at + _REACH]):
        return []
    if is_negated(clause, at):
        return []
    if clause.signature == Kind.RESOURCE and clause.lead == Kind.AND and before is not None and before.rank is not None:
        return [Draft(_OF_RESOURCE[item.payload], clause.items, at=item, rank=before.rank)]  # "lots of CPU and RAM"
    near = _rank_near(items, at)
    if near is not None and item.payload == "network" and items[near].word in _SIZES and not clause.has(Kind.GOOD):
        return []  # "training a small network"
    if near is None or (items[near].payload == "speed" and item.payload in ("ephemeral", "memory")):
        return []
    used.add(near)
    rank: Rank = "low" if items[near].kind == Kind.LOW else "high"
    return [Draft(_OF_RESOURCE[item.payload], clause.items, at=item, rank=rank)]


def _rank_near(items: list[Item], at: int) -> int | None:
    if at and items[at - 1].kind == Kind.GOOD and items[at - 1].word in _DECENT:
        return at - 1
    for index in (at - 1, at + 1, at - 2, at + 2, at + 3):
        if 0 <= index < len(items) and items[index].kind in (Kind.HIGH, Kind.LOW):
            apart = items[min(index, at) + 1 : max(index, at)]
            if all(
                i.kind
                in (
                    Kind.STORAGE,
                    Kind.RESOURCE,
                    Kind.ARTICLE,
                    Kind.AS,
                    Kind.FEATURE,
                    Kind.VERB,
                    Kind.LEVEL,
                    Kind.HIGH,
                    Kind.IN,
                    Kind.GOOD,
                    Kind.MODAL,
                )
                for i in apart
            ):
                return index
    return None


def _node_of_rank(clause: Clause, at: int, item: Item, used: set[int]) -> list[Draft]:
    """ "a powerful node", "una máquina potente"."""
    items = clause.items
    near = [i for i in (at - 1, at + 1) if 0 <= i < len(items) and i not in used and items[i].kind in _OF_NODES]
    if (
        item.payload != "node"
        or not near
        or (near[0] > at and items[near[0] + 1 : near[0] + 2] and items[near[0] + 1].kind != Kind.GOOD)
    ):
        return []
    before = items[near[0]]
    if before.kind == Kind.EMPTY:
        negated = is_negated(clause, at)
        return [Draft(Intent.PREFER_MOST_PACKED if negated else Intent.PREFER_LEAST_LOADED, clause.items, at=item)]
    if before.kind not in (Kind.HIGH, Kind.LOW) or is_negated(clause, at):
        return []
    return [Draft(Intent.PREFER_CPU, clause.items, at=item, rank="high" if before.kind == Kind.HIGH else "low")]


def _quality(clause: Clause, at: int, item: Item, model_named: bool) -> list[Draft]:
    items = clause.items
    negated = is_negated(clause, at)
    match item.kind:
        case Kind.STORAGE | Kind.FEATURE | Kind.ARCH if not negated:
            intent = {
                Kind.STORAGE: Intent.PREFER_STORAGE_TYPE,
                Kind.FEATURE: Intent.PREFER_NETWORK_FEATURE,
                Kind.ARCH: Intent.PREFER_CPU_ARCH,
            }[item.kind]
            return [Draft(intent, items, item.names or (item.payload,), at=item)]
        case Kind.SPOT:
            negated = negated or "n=" in clause.signature
            if item.payload == "event" and {Kind.NOT, Kind.AVOID} <= set(clause.signature[:at]):
                return []  # "we fear no preemption"
            if item.payload == "event" and not negated and not clause.has(Kind.GOOD, Kind.SURVIVE):
                return []  # "spot interruptions in June: 212"
            return [Draft(Intent.AVOID_SPOT if negated else Intent.PREFER_SPOT, items, at=item)]
        case Kind.ON_DEMAND if not negated:
            return [Draft(Intent.AVOID_SPOT, items, at=item)]
        case Kind.IDLE if not negated:
            return [Draft(Intent.PREFER_LEAST_LOADED, items, at=item)]
        case Kind.BUSY if negated:
            return [Draft(Intent.PREFER_LEAST_LOADED, items, at=item)]
        case Kind.BUSY if any(other.word in _FILLING for other in items[:at]):
            return [Draft(Intent.PREFER_MOST_PACKED, items, at=item)]
        case Kind.PACKED if Kind.NOT not in clause.signature[:at]:
            return [Draft(Intent.PREFER_MOST_PACKED, items, at=item)]
        case Kind.CACHED if (
            item.payload == "model" or clause.has(Kind.MODEL, Kind.WORKLOAD) or (model_named and clause.has(Kind.IT))
        ) and Kind.NOT not in clause.signature[:at]:
            return [Draft(Intent.PREFER_CACHED_MODEL, items, at=item)]
    return []
