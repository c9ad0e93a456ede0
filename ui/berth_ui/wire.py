"""What the API says, as JSON: every answer of `/api/v1` is one of these, and the OpenAPI document is made from them.

Names are camelCase on the wire; fields are only ever added. Amounts are whole numbers in the unit of the resource (cpu in
millicores, memory in bytes, GPUs counted), moments RFC 3339 in UTC, empty when unknown. A reason is a CamelCase code with one
plain sentence beside it.

    GET  /api/v1/overview                      Overview
    GET  /api/v1/harbour?after=&limit=         Harbour          nodes and pods; pages by node, waiting pods with the first
    GET  /api/v1/changes                       server-sent events: Change, each with the revision it leads to
    GET  /api/v1/pods/{namespace}/{name}       PodDetail
    GET  /api/v1/nodes/{name}                  NodeDetail
    GET  /api/v1/waiting?after=&limit=         Waiting          who waits and why, most important first
    GET  /api/v1/plans?after=&limit=           Plans            newest first
    GET  /api/v1/plans/{name}                  PlanDetail
    POST /api/v1/plans/{name}/approve          PlanDetail       the caller's own token must be allowed to update the plan
    POST /api/v1/plans/{name}/cancel           PlanDetail
    POST /api/v1/plans/{name}/reverse          WhatIf           the way back, with its own certificate; writes nothing
    POST /api/v1/plans/preview                 WhatIf           what a plan made now would do; writes nothing
    GET  /api/v1/services?after=&limit=        Services
    GET  /api/v1/fragments                     Fragments
    POST /api/v1/what-if                       Asked -> WhatIf  within two seconds; writes nothing
    GET  /api/v1/history?since=&until=         History
    GET  /api/v1/history.csv                   the same, a row a sample
    GET  /api/v1/openapi.json
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=False, kw_only=True):
    """What is said is said in full: nothing is left out because it is empty."""


class Problem(Wire, frozen=True):
    """Every answer that is not 2xx."""

    reason: str
    message: str
    """What is wrong, and what to do."""


# The cluster as it stands


class Tier(Wire, frozen=True):
    """Pods of one priority."""

    priority: int
    priority_class: str
    running: int
    waiting: int
    gpus: int
    """Held by those that run."""


class May(Wire, frozen=True):
    """What the caller is allowed to do here."""

    act: bool
    """Approve and cancel plans."""
    see_nodes: bool
    see_plans: bool
    namespaces: list[str] | None
    """Whose pods are shown; None: all."""


class Overview(Wire, frozen=True):
    source: Literal["Live", "Dump", "Demo"]
    cluster: str
    """Name of the context, of the file, or of the demo."""
    revision: int
    """Of the picture; grows with each change of it."""
    taken: str
    nodes: int
    ready_nodes: int
    gpus: int
    gpus_used: int
    gpus_kept: int
    """Free, and kept by an active plan for somebody."""
    gpus_stranded: int
    """Free, yet of no use to any pod that waits or ran here lately: see `Fragments`."""
    running: int
    waiting: int
    tiers: list[Tier]
    """From the highest priority down."""
    leader: str
    """Who leads; empty: nobody, or not a live cluster."""
    scheduler_serves: bool
    active_plan: str
    """Name of the plan that is carried out or waits for approval; empty: none."""
    active_phase: str
    services: int
    services_ready: int
    may: May
    notices: list[Problem]
    """What an on-call engineer must know first: nobody leads, the API server does not answer, and the like."""


class NodeView(Wire, frozen=True):
    name: str
    zone: str
    rack: str
    gpu_model: str
    gpus: int
    cpu: int
    memory: int
    gpus_used: int
    cpu_used: int
    memory_used: int
    """By all pods that are counted on the node, shown or not."""
    gpus_kept: int
    ready: bool
    cordoned: bool
    models: list[str]
    """Digests of models that lie there."""


class PodView(Wire, frozen=True):
    uid: str
    namespace: str
    name: str
    workload: str
    """kind/name of its top owner."""
    service: str
    """Name of its LLMService, or empty."""
    node: str
    """Empty: it waits."""
    gpus: int
    cpu: int
    memory: int
    priority: int
    priority_class: str
    phase: Literal["Running", "Waiting", "Leaving", "Gated"]
    ours: bool
    """Scheduled by Berth."""
    movable: bool
    hinted: bool
    since: str
    """When it was created, or since when it waits."""
    reason: str
    """Why it waits: a code; empty for one that runs."""


class Harbour(Wire, frozen=True):
    revision: int
    nodes: list[NodeView]
    pods: list[PodView]
    next: str
    """Pass it as `after`; empty: this was the last page."""


class Change(Wire, frozen=True):
    """Applied to a Harbour of revision `since` it gives that of `revision`. Its first event has everything in `overview` and no
    nodes; a client whose revision is not `since` loads the harbour anew."""

    since: int
    revision: int
    nodes: list[NodeView]
    nodes_gone: list[str]
    pods: list[PodView]
    pods_gone: list[str]
    """uids."""
    plans: list[str]
    """Names of plans that changed."""
    services: list[str]
    """namespace/name of LLMServices that changed."""
    overview: Overview


# One pod, one node


class NodeReason(Wire, frozen=True):
    reason: str
    nodes: int
    message: str


class Remedy(Wire, frozen=True):
    message: str
    """What would help, as a clause: "with 2 more nodes like gpu-7"."""


class Wish(Wire, frozen=True):
    text: str
    """What was understood, as a sentence."""
    strength: str
    fulfilled: bool | None
    """On the node where it is; None while it waits."""


class NodeScore(Wire, frozen=True):
    node: str
    score: float
    """0 to 1."""
    because: list[str]


class Waits(Wire, frozen=True):
    pod: str
    """namespace/name of the first of them."""
    pods: int
    """So many alike."""
    workload: str
    priority: int
    priority_class: str
    gpus: int
    since: str
    reason: str
    message: str
    proven: bool
    """That it cannot be placed, by any arrangement."""
    plan: str
    """The plan that brings it in, if there is one."""
    nodes: list[NodeReason]
    remedies: list[Remedy]


class Waiting(Wire, frozen=True):
    items: list[Waits]
    pods: int
    next: str


class PodDetail(Wire, frozen=True):
    pod: PodView
    hint: str
    """As written."""
    wishes: list[Wish]
    not_understood: list[str]
    waits: Waits | None
    scores: list[NodeScore]
    """The best ten nodes as the extender would rank them now; empty where it has nothing to say."""
    immovable: list[str]
    """Why it is not moved, in sentences."""
    plan: str
    """A plan that is to move it or bring it in."""


class NodeDetail(Wire, frozen=True):
    node: NodeView
    labels: dict[str, str]
    taints: list[str]
    pods: list[PodView]


# Plans


class TierProof(Wire, frozen=True):
    priority: int
    priority_class: str
    pods: int
    before: int
    after: int
    at_most: int
    """No arrangement places more, given the tiers above."""
    proven: bool


class Move(Wire, frozen=True):
    pod: str
    workload: str
    priority: int
    source: str
    target: str
    """Empty: its replacement has no place."""
    gpus: int
    cost: int
    state: Literal["Planned", "UnderWay", "Done", "Failed"]
    message: str


class Arrival(Wire, frozen=True):
    workload: str
    priority: int
    node: str
    count: int
    gpus: int
    """Of each."""


class WaveView(Wire, frozen=True):
    moves: list[Move]
    arrivals: list[Arrival]
    done: bool


class PlanView(Wire, frozen=True):
    name: str
    created: str
    ended: str
    trigger: str
    phase: str
    """Proposed, Approved, Reserved, Executing, or how it ended: Completed, ClusterChanged ..."""
    summary: str
    message: str
    policy: str
    moves: int
    evictions: int
    gains: int
    """Pods placed more than before."""
    waves: int
    waves_done: int


class Plans(Wire, frozen=True):
    items: list[PlanView]
    next: str


class PlanDetail(Wire, frozen=True):
    plan: PlanView
    tiers: list[TierProof]
    proof: list[str]
    """The certificate in sentences, the weakest part first."""
    cost: float
    least_cost: float
    waves: list[WaveView]
    deadline: str
    can_approve: bool
    can_cancel: bool
    can_reverse: bool


# LLMServices


class ServiceCondition(Wire, frozen=True):
    type: str
    status: str
    reason: str
    message: str
    since: str


class Replica(Wire, frozen=True):
    pod: str
    """namespace/name"""
    node: str
    ready: bool
    reason: str
    running: float | None
    queued: float | None
    ttft_seconds: float | None
    """At the median; None where the engine was not asked or does not answer."""
    kv_use: float | None
    """0 to 1."""


class ServiceView(Wire, frozen=True):
    namespace: str
    name: str
    model: str
    priority_class: str
    desired: int
    ready: int
    is_ready: bool
    reason: str
    message: str
    hint: str
    conditions: list[ServiceCondition]
    replicas: list[Replica]


class Services(Wire, frozen=True):
    items: list[ServiceView]
    next: str


# Fragments and what-if


class Hole(Wire, frozen=True):
    gpus: int
    """Free GPUs together on one node."""
    nodes: int


class ShapeRoom(Wire, frozen=True):
    """A pod's size, and how many more of it could be placed now, as the cluster is and if it were put in order."""

    gpus: int
    cpu: int
    memory: int
    running: int
    waiting: int
    fits_now: int
    fits_at_most: int
    """By free GPUs alone: more is not possible in any order."""


class Fragments(Wire, frozen=True):
    revision: int
    gpus_free: int
    gpus_stranded: int
    holes: list[Hole]
    shapes: list[ShapeRoom]


class AddNodes(Wire, frozen=True):
    like: str
    """Name of a node of the same shape."""
    count: int


class SetPriority(Wire, frozen=True):
    workload: str
    """namespace/kind/name."""
    priority: int


class Asked(Wire, frozen=True):
    add: list[AddNodes] = []
    cordon: list[str] = []
    """Names of nodes, or label=value."""
    remove: list[str] = []
    priorities: list[SetPriority] = []


class WhatIf(Wire, frozen=True):
    title: str
    tiers: list[TierProof]
    """before: as the cluster is, with the best plan for it; after: with the change, and the best plan for that."""
    proof: list[str]
    placed: list[str]
    """namespace/name of pods that only the change places."""
    lost: list[str]
    """Those that have no place any more."""
    moves: int
    evictions: int
    waves: list[WaveView]
    message: str
    seconds: float
    revision: int
    """Of the picture that it was computed on."""


# History


class Sample(Wire, frozen=True):
    at: str
    gpus: int
    gpus_used: int
    gpus_stranded: int
    running: int
    waiting: int
    oldest_wait_seconds: float


class PlanOutcome(Wire, frozen=True):
    """What a plan promised, and what came of it."""

    name: str
    ended: str
    outcome: str
    moves_planned: int
    moves_made: int
    gains_planned: int
    gains_made: int
    seconds: float


class TierWait(Wire, frozen=True):
    """How long pods of a tier waited until they were placed."""

    priority: int
    priority_class: str
    placed: int
    median_seconds: float
    p95_seconds: float


class History(Wire, frozen=True):
    since: str
    until: str
    samples: list[Sample]
    outcomes: list[PlanOutcome]
    waits: list[TierWait]
    pods_gained: int
    moves_made: int
    complete: bool
    """False: the recorder has not run all that time."""
