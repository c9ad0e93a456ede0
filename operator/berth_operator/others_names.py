"""What an event about a hint must not tell its author: names of workloads in other namespaces that the hint does not write itself.

A hint is read with the names of all namespaces ("near postgress" finds `postgres`, whoever runs it), and its events say what it was
read as, in the author's namespace. Without this a tenant could fish for others' names by words that are near to many. Placement is
not changed by it. Pure; a pass over the workloads a snapshot, and over the names in a hint's wishes.
"""

from __future__ import annotations

import re
from collections import defaultdict

from msgspec.structs import replace

from berth_cluster.snapshot import Pod, Snapshot
from berth_intent.intents import Intent
from berth_intent.understood import HintWarning, Preference, Understood

SOMEBODY = "a workload of another namespace"
ABOUT_WORKLOADS = frozenset(
    (Intent.PREFER_COLOCATE_DEPLOYMENTS, Intent.PREFER_NEARBY_DEPLOYMENTS, Intent.AVOID_DEPLOYMENTS)
)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*[A-Za-z0-9]|[A-Za-z0-9]")


class OthersNames:
    """Of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._namespaces: dict[str, set[str]] = defaultdict(set)
        for pod in snapshot.pods:
            self._namespaces[pod.workload.name].add(pod.namespace)

    def _is_hidden(self, name: str, pod: Pod) -> bool:
        where = self._namespaces.get(name)
        return where is not None and pod.namespace not in where and name.casefold() not in pod.hint.casefold()

    def left_out(self, preference: Preference, pod: Pod) -> Preference:
        if preference.intent not in ABOUT_WORKLOADS:
            return preference
        values = tuple(dict.fromkeys(SOMEBODY if self._is_hidden(v, pod) else v for v in preference.values))
        return preference if values == preference.values else replace(preference, values=values)

    def left_out_of_all(self, understood: Understood, pod: Pod) -> Understood:
        def warned(warning: HintWarning) -> HintWarning:
            """Warnings list names that may be meant."""

            def said(name: re.Match[str]) -> str:
                return SOMEBODY if self._is_hidden(name[0], pod) else name[0]

            # the sentence's own words may be somebody's names: "may be" of a workload `be` is no secret
            head, mark, names = warning.message.partition(" may be ")
            return replace(warning, message=f"{head}{mark}{_NAME.sub(said, names)}") if mark else warning

        return replace(
            understood,
            preferences=tuple(self.left_out(p, pod) for p in understood.preferences),
            warnings=tuple(warned(w) for w in understood.warnings),
        )
