"""What of a source a caller may see: what they may not list is not there for them.

Whoever may list everything gets the source's own facts. For others the pods of their namespaces are picked out, once for each revision
and set of rights. Totals of a node count all pods on it, and are for those who may list nodes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from berth_api.packing_plan import PackingPlan
from berth_cluster.snapshot import Pod
from berth_ui.callers import Caller
from berth_ui.picture import Painted, painted_of
from berth_ui.source import Source
from berth_ui.wire import ServiceView

KEPT = 16
"""Pictures for callers with different rights."""


class Visible(msgspec.Struct, frozen=True):
    revision: int
    painted: Painted
    plans: Sequence[PackingPlan]
    services: Sequence[ServiceView]


class Sight:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept: OrderedDict[tuple[object, ...], Visible] = OrderedDict()

    def of(self, caller: Caller) -> Visible:
        source = self._source
        if caller.sees_all and caller.services is None:
            return Visible(source.revision, source.painted(), source.plans(), source.services())
        known = self._kept.get(caller.rights)
        if known is not None and known.revision == source.revision:
            return known
        painted, may = source.painted(), caller.may
        pods = painted.pods
        if may.namespaces is not None:
            names = frozenset(may.namespaces)
            pods = {uid: pod for uid, pod in pods.items() if pod.namespace in names}
        nodes = dict(painted.nodes) if may.see_nodes else {}
        visible = Visible(
            source.revision,
            painted_of(nodes, dict(pods)),
            source.plans() if may.see_plans else (),
            [service for service in source.services() if caller.sees_service(service.namespace)],
        )
        self._kept[caller.rights] = visible
        self._kept.move_to_end(caller.rights)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return visible

    def pods(self, caller: Caller) -> Sequence[Pod]:
        pods = self._source.snapshot().pods
        return pods if caller.may.namespaces is None else [pod for pod in pods if caller.sees(pod.namespace)]
