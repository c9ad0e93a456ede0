"""Which living hints are to be asked about: of pods in namespaces that a policy names, left over by the parser, without an answer.

Looks again when pods, nodes or policies have changed, at most every `LOOK_SECONDS`; a hint is judged once for the names that the
cluster has. Cost: 15 us a node for its facts, in another thread, and 0.3 ms a new hint, in slices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from berth_api.annotations import SCHEDULER
from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Node, Snapshot
from berth_intent.improvements import entry_key, read_entry
from berth_intent.mentioned import MentionedNames
from berth_intent.parser import parse
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary
from berth_operator.hint_candidates import wants_model
from berth_operator.hinted_cluster import HintedCluster
from berth_planner.hint_reading import HintReading
from berth_scheduling.policies import Policies
from berth_scheduling.understanding import Parse

LOOK_SECONDS = 30.0
SLICE = 20
"""Hints judged before others get a turn: about 10 ms."""
MAX_HINTS = 10_000


@dataclass(frozen=True, slots=True)
class DueHint:
    key: str
    """Of its answer."""
    text: str
    names: Vocabulary
    """That go along with it."""
    namespace: str
    """The first that has it."""


class DueHints:
    def __init__(self, cluster: HintedCluster, model: str, clock: Callable[[], float], read: Parse = parse) -> None:
        self.due: dict[str, DueHint] = {}
        """By key; whoever has an answer takes it out."""
        self.in_use: set[str] = set()
        """Keys that living hints ask for, answered or not."""
        self.namespaces = 0
        """That have hints which may be asked about."""
        self._cluster = cluster
        self._model = model
        self._parse = read
        self._clock = clock
        self._looked_at = float("-inf")
        self._seen: Snapshot | None = None
        self._seen_policies: tuple[PackingPolicy, ...] = ()
        self._reading: HintReading | None = None
        self._nodes: Sequence[Node] = ()
        self._vocabulary = NOTHING_KNOWN
        self._wanted: dict[str, bool] = {}
        self._mentioned = MentionedNames()

    def forget(self) -> None:
        """What is kept may be another by now."""
        self._seen = None
        self._looked_at = float("-inf")

    async def look(self, kept: Mapping[str, str]) -> None:
        """kept: answers that are there."""
        if not self._cluster.synced or self._clock() - self._looked_at < LOOK_SECONDS:
            return
        snapshot, policies = self._cluster.snapshot(), tuple(self._cluster.policies.values())
        if snapshot is self._seen and policies == self._seen_policies:
            return
        self._looked_at, self._seen, self._seen_policies = self._clock(), snapshot, policies
        texts = _texts(snapshot, policies)
        self.namespaces = len(set(texts.values()))
        if not texts:
            self.due, self.in_use, self._wanted = {}, set(), {}
            return
        reading = await self._read(snapshot, policies)
        wanted: dict[str, bool] = {}
        due: dict[str, DueHint] = {}
        in_use: set[str] = set()
        for i, (text, namespace) in enumerate(texts.items()):
            if i % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            known = self._wanted.get(text)
            wanted[text] = wants_model(text, reading.understood(text)) if known is None else known
            if not wanted[text]:
                continue
            names = self._mentioned.of(text, self._vocabulary)
            key = entry_key(text, names)
            in_use.add(key)
            entry = read_entry(kept.get(key, ""))
            if entry is None or entry.model != self._model:
                due[key] = DueHint(key, text, names, namespace)
        self.due, self.in_use, self._wanted = due, in_use, wanted

    async def _read(self, snapshot: Snapshot, policies: tuple[PackingPolicy, ...]) -> HintReading:
        before = self._reading if self._nodes is snapshot.nodes else None
        reading = await asyncio.to_thread(HintReading.under, policies, snapshot, self._parse, before)
        self._reading, self._nodes = reading, snapshot.nodes
        if reading.vocabulary != self._vocabulary:
            self._vocabulary, self._wanted = reading.vocabulary, {}
        return reading


def _texts(snapshot: Snapshot, policies: tuple[PackingPolicy, ...]) -> dict[str, str]:
    """Of pods whose namespace may ask, each with the first namespace that has it."""
    if not any(policy.spec.hints.language_model.namespaces for policy in policies):
        return {}
    said = Policies(0.0)
    for policy in policies:
        said.policy_changed(None, policy)
    found: dict[str, str] = {}
    for pod in snapshot.pods:
        if pod.hint and pod.scheduler == SCHEDULER and pod.hint not in found:
            terms = said.hint_terms(pod)
            if terms.enabled and terms.language_model and len(found) < MAX_HINTS:
                found[pod.hint] = pod.namespace
    return found
