"""Where the page's facts come from: a live cluster, or a picture of one that stands still.

The server asks a `Source` and knows nothing of where its facts come from. All of it is cheap: what costs is kept by the source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Snapshot
from berth_planner.explanation import Explanation
from berth_ui.feed import Feed
from berth_ui.picture import Painted, paint
from berth_ui.thinking import Thinker
from berth_ui.wire import Problem, ServiceView

Kind = Literal["Live", "Dump", "Demo"]


class Source(Protocol):
    kind: Kind
    name: str
    """Of the context, of the file, or of the demo."""

    feed: Feed

    @property
    def revision(self) -> int: ...

    @property
    def taken(self) -> str:
        """When it stood so."""
        ...

    def snapshot(self) -> Snapshot: ...

    def painted(self) -> Painted: ...

    def plans(self) -> Sequence[PackingPlan]:
        """Newest first."""
        ...

    def policies(self) -> Sequence[PackingPolicy]: ...

    def services(self) -> Sequence[ServiceView]: ...

    def metrics_of(self, namespace: str, pod: str) -> str:
        """Port and path of a replica's metrics; empty when it cannot be asked."""
        ...

    def leader(self) -> str: ...

    def scheduler_serves(self) -> bool: ...

    def notices(self) -> list[Problem]: ...

    async def explanations(self) -> Mapping[str, Explanation]:
        """By namespace/name, of pods that wait; what the leader has not told them is found out."""
        ...


class StillSource:
    """A dump, or the demo's cluster."""

    def __init__(self, kind: Kind, name: str, snapshot: Snapshot, thinker: Thinker) -> None:
        self.kind: Kind = kind
        self.name = name
        self.feed = Feed(1)
        self._snapshot = snapshot
        self._painted = paint(snapshot)
        self._thinker = thinker
        self._explanations: Mapping[str, Explanation] | None = None

    @property
    def revision(self) -> int:
        return self.feed.revision

    @property
    def taken(self) -> str:
        return self._snapshot.taken

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def painted(self) -> Painted:
        return self._painted

    def plans(self) -> Sequence[PackingPlan]:
        return ()

    def policies(self) -> Sequence[PackingPolicy]:
        return ()

    def services(self) -> Sequence[ServiceView]:
        return ()

    def metrics_of(self, namespace: str, pod: str) -> str:
        return ""

    def leader(self) -> str:
        return ""

    def scheduler_serves(self) -> bool:
        return False

    def notices(self) -> list[Problem]:
        return [Problem(reason=str(w.reason), message=f"{w.message} ({w.example})") for w in self._snapshot.warnings]

    async def explanations(self) -> Mapping[str, Explanation]:
        if self._explanations is None:
            planned = await self._thinker.plan(self._snapshot)
            self._explanations = {pod: each for each in planned.explanations for pod in each.pods}
        return self._explanations
