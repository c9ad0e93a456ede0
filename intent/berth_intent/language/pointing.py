"""Clauses that only point to what was named before: "rack-4 has bad cooling, avoid it", "in its zone"."""

from __future__ import annotations

import re

from berth_intent.language.clause import Clause
from berth_intent.language.draft import Draft
from berth_intent.language.kinds import Item, Kind
from berth_intent.language.memory import Memory
from berth_intent.language.named_places import places
from berth_intent.language.other_workloads import workloads
from berth_intent.language.resources import resources
from berth_intent.language.topology import THERE, US

_OWNED = re.compile("p[sd]?L")
_ITS = frozenset(
    (
        "its",
        "their",
        "his",
        "seine",
        "seinem",
        "seinen",
        "seiner",
        "ihrem",
        "ihren",
        "ihre",
        "dessen",
        "deren",
        "su",
        "sus",
    )
)
_OURS = US | {
    "pods",
    "the pods",
    "our pods",
    "my pods",
    "pod",
    "the pod",
    "this pod",
    "this service",
    "this app",
    "this job",
    "our service",
    "my service",
    "our app",
    "my app",
}
_OBJECTS = (
    Kind.GPU, Kind.GPU_MODEL, Kind.TPU, Kind.STORAGE, Kind.FEATURE, Kind.ARCH, Kind.SPOT, Kind.QUANTITY, Kind.RESOURCE,
    Kind.IDLE, Kind.PACKED, Kind.BUSY, Kind.CACHED, Kind.UNKNOWN,
)  # fmt: skip
_POINTING = (Kind.AVOID, Kind.NEAR, Kind.TOGETHER, Kind.SHARE, Kind.IT)


def pointed(clause: Clause, memory: Memory) -> list[Draft]:
    """Wishes about what was named before, when the clause names nothing itself."""
    if clause.has(*_OBJECTS):
        return []
    owned = _with_owner(clause, memory)
    if owned is not None:
        return _read(owned, owned.items[-1], clause, memory)
    named = _named(clause, memory)
    if named is memory.place and memory.avoids_place and not clause.has(Kind.AVOID, Kind.NOT) and not clause.own_modal:
        return []  # "leave gpu-node-04 alone, I use it for debugging"
    of_others = any(item.kind == Kind.SELF and item.word not in _OURS for item in clause.items)
    if named is None or of_others:
        return []
    whole = Clause([*clause.items, named], clause.lead)
    whole.verb, whole.own_modal = True, clause.own_modal
    return _read(whole, named, clause, memory)


def _named(clause: Clause, memory: Memory) -> Item | None:
    """What the clause points to; None when it points to nothing."""
    idle = memory.idle_mention
    same = clause.has(Kind.SAME, Kind.OTHER, Kind.SHARE)
    if clause.has(Kind.LEVEL):
        if "rp" in clause.signature and same:  # "in the same zone as it"
            return memory.workload
        kept_off = clause.has(Kind.NOT, Kind.EXCEPT) and clause.has(Kind.SAME) and not clause.has(Kind.SELF, Kind.ALL)
        if (
            kept_off
            and Kind.WORKLOAD in memory.operators
            and any(k in memory.operators for k in (Kind.NEAR, Kind.SAME))
        ):
            return memory.workload  # "near redis, but not on the same node"
        if (
            clause.lead == Kind.OR
            and Kind.SAME in memory.operators
            and Kind.WORKLOAD in memory.operators
            and clause.has(Kind.SAME)
        ):
            return memory.workload  # "same node as redis or at least the same rack"
        stated = idle is not None and idle.kind == Kind.WORKLOAD and same
        ours = any(item.kind == Kind.SELF and item.word not in US for item in clause.items)
        return idle if stated and not ours and not clause.has(Kind.ALL) else None
    if not clause.has(*_POINTING):
        return None
    if any(item.word in THERE for item in clause.items):
        return memory.place or idle
    return memory.place if clause.has(Kind.IT) and idle is None else idle


def _with_owner(clause: Clause, memory: Memory) -> Clause | None:
    """ "its node" is the node of the workload that was named last."""
    owned = _OWNED.search(clause.signature)
    if owned is None or memory.workload is None or clause.items[owned.start()].word not in _ITS:
        return None
    its, level = clause.items[owned.start()], clause.items[owned.end() - 1]
    where = Item(Kind.WHERE, its.start, its.end)
    return Clause([*clause.items[: owned.start()], level, where, memory.workload], clause.lead)


def _read(whole: Clause, named: Item, clause: Clause, memory: Memory) -> list[Draft]:
    """whole: the clause with the name that it points to."""
    if named.kind == Kind.WORKLOAD:
        drafts = workloads(whole, memory)
    elif named.kind == Kind.PLACE:
        drafts = places(whole, memory)
    else:
        drafts = resources(whole)
    for draft in drafts:
        draft.start, draft.end = clause.items[0].start, clause.items[-1].end
        draft.anchor = draft.start
    return drafts
