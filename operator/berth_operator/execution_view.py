"""What the decision on a plan's next actions is made on: values only, so that the decision is a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from berth_api.packing_plan import EvictionRecord, PackingPlanStatus
from berth_api.packing_policy import PackingPolicySpec
from berth_cluster.snapshot import Snapshot
from berth_operator.execution_actions import Action


class Refusal(msgspec.Struct, frozen=True):
    """What the Eviction API last said to one of our calls. `final`: asking again is of no use."""

    message: str
    by_budget: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """The cluster as seen now, beside the plan itself.

    `waited` says for each situation that the last decision asked to have `watching` over how many seconds it has lasted,
    by a monotonic clock. After a restart these begin at 0 again: something is waited for once more, never given up early.
    """

    snapshot: Snapshot
    now: datetime
    policy: PackingPolicySpec
    extenders: Mapping[str, frozenset[str]]
    """Live extenders to the uids of the plans whose room they have said to keep."""
    lost_extender: str = ""
    """The one that kube-scheduler asked last, when it is not alive any more."""
    others: tuple[EvictionRecord, ...] = ()
    """Evictions of ours within the hour by other plans of the same policy."""
    foreign: tuple[EvictionRecord, ...] = ()
    """The same, by plans of other policies: they count for a workload's limit."""
    ahead: str = ""
    """Name of the plan that is carried out or comes first; empty when it is this one's turn."""
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    """Uid to what became of the last eviction call of this process, for those that were refused."""
    in_flight: frozenset[str] = frozenset()
    """Uids of evictions whose answer is awaited."""
    waited: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """`status` is written before any action is performed: records of evictions come before the evictions."""

    status: PackingPlanStatus
    actions: tuple[Action, ...] = ()
    watching: frozenset[str] = frozenset()
    """Situations that hold now and whose duration the next decision wants to know."""
