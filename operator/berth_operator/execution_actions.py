"""What carrying out a plan does to the cluster, one value each; `execution` performs them. All may be repeated."""

from __future__ import annotations

import msgspec

from berth_api.annotations import Why


class Evict(msgspec.Struct, frozen=True):
    """Ask the Eviction API for one pod, by its uid."""

    namespace: str
    name: str
    uid: str


class Wake(msgspec.Struct, frozen=True):
    """Tell a waiting pod that its room is free. A changed annotation brings it back to a scheduler whose extender had
    rejected it (seen on 1.37.2); `why` therefore differs from what the pod was told before."""

    namespace: str
    name: str
    uid: str
    why: Why


class MarkMoved(msgspec.Struct, frozen=True):
    """Date a replacement that arrived (`berth.dev/moved-at`), so that it is left alone for a while."""

    namespace: str
    name: str
    uid: str


class Relieve(msgspec.Struct, frozen=True):
    """Mark a replica of a service (`berth.dev/relieved-by`) to leave once its replacement answers: see `relieving`."""

    namespace: str
    name: str
    uid: str
    plan: str
    """uid; empty: the mark is taken back."""


class Tell(msgspec.Struct, frozen=True):
    """An Event, on a pod when `pod` is given (namespace/name and uid), else on the plan."""

    reason: str
    message: str
    warning: bool = False
    pod: str = ""
    uid: str = ""


Action = Evict | Relieve | Wake | MarkMoved | Tell
