"""What kube-scheduler and an extender say to each other, word for word.

The Go types have no JSON tags, so keys are capitalised and an absent list arrives as `null`; inside `Pod` and `Nodes` the
usual Kubernetes JSON applies. kube-scheduler reads answers without regard to case; we answer as it speaks. The types mirror
https://github.com/kubernetes/kubernetes/blob/v1.37.2/staging/src/k8s.io/kube-scheduler/extender/v1/types.go#L29-L128

Two forms of every request exist. With `nodeCacheCapable: true` nodes come as names and victims as uids; else whole objects
come, and nodes go back as they came, byte for byte. The pod stays undecoded but for its identity, since its facts are
usually known already (see `asked_pod`).

Cost: 5,000 names are decoded in about 0.2 ms, a pod of 3 KB is skipped over in 5 us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

MAX_SCORE = 10
"""MaxExtenderPriority: kube-scheduler multiplies it by the extender's weight and by 10, and clamps nothing."""

_NULL = Raw(b"null")

T = TypeVar("T")


class MalformedError(Exception):
    """The request is not what kube-scheduler sends; the message says where."""


class Wire(msgspec.Struct, frozen=True, rename="pascal", gc=False):
    """Capitalised keys, as Go writes fields without tags."""


class NodeList(msgspec.Struct, frozen=True):
    """v1.NodeList in Kubernetes' own JSON; each node is kept as it was written."""

    items: list[Raw] | None = None
    metadata: Raw = Raw(b"{}")


class ExtenderArgs(Wire, frozen=True):
    """Asked of filter and prioritize. Exactly one of nodes and node_names is given."""

    pod: Raw = _NULL
    nodes: NodeList | None = None
    node_names: list[str] | None = None


class ExtenderFilterResult(Wire, frozen=True):
    nodes: NodeList | None = None
    node_names: list[str] | None = None
    failed_nodes: dict[str, str] = {}
    failed_and_unresolvable_nodes: dict[str, str] = {}
    error: str = ""


class HostPriority(Wire, frozen=True):
    host: str
    score: int


class MetaPod(Wire, frozen=True):
    uid: str = msgspec.field(name="UID")


class MetaVictims(Wire, frozen=True):
    pods: list[MetaPod] | None = None
    num_pdb_violations: int = msgspec.field(name="NumPDBViolations", default=0)


class Victims(Wire, frozen=True):
    pods: list[_Named] | None = None
    num_pdb_violations: int = msgspec.field(name="NumPDBViolations", default=0)


class ExtenderPreemptionArgs(Wire, frozen=True):
    """Exactly one of the two maps is given."""

    pod: Raw = _NULL
    node_name_to_victims: dict[str, Victims | None] | None = None
    node_name_to_meta_victims: dict[str, MetaVictims | None] | None = None


class ExtenderPreemptionResult(Wire, frozen=True):
    """Always uids, whatever the form of the request."""

    node_name_to_meta_victims: dict[str, MetaVictims]


class PodIdentity(msgspec.Struct, frozen=True, gc=False):
    """The part of an object's metadata that says who it is."""

    name: str = ""
    namespace: str = ""
    uid: str = ""


class _Named(msgspec.Struct, frozen=True, gc=False):
    metadata: PodIdentity = PodIdentity()


_args = msgspec.json.Decoder(ExtenderArgs).decode
_preemption_args = msgspec.json.Decoder(ExtenderPreemptionArgs).decode
_identity = msgspec.json.Decoder(_Named).decode
_encode = msgspec.json.Encoder().encode


class NodesAsked(msgspec.Struct, frozen=True, gc=False):
    """A filter or prioritize request: the pod as JSON, and the nodes in question by name."""

    pod: Raw
    names: list[str]
    whole: NodeList | None = None
    """The nodes themselves, in the order of `names`, where they were sent."""


class VictimsAsked(msgspec.Struct, frozen=True):
    """A preempt request: for each node the uids of the pods that would go."""

    pod: Raw
    candidates: dict[str, list[str]]
    violations: dict[str, int]
    """Node to the number of disruption budgets that its victims' departure would break."""


def read_nodes_asked(body: bytes) -> NodesAsked:
    """Raises MalformedError."""
    args = _decoded(_args, body)
    if args.node_names is not None:
        return NodesAsked(args.pod, args.node_names)
    if args.nodes is None:
        raise MalformedError("neither NodeNames nor Nodes is given")
    names = [_decoded(_identity, item).metadata.name for item in args.nodes.items or ()]
    if not all(names):
        raise MalformedError("a node in Nodes has no metadata.name")
    return NodesAsked(args.pod, names, args.nodes)


def read_victims_asked(body: bytes) -> VictimsAsked:
    """Raises MalformedError."""
    args = _decoded(_preemption_args, body)
    given: Mapping[str, Victims | MetaVictims | None] | None = args.node_name_to_meta_victims
    if given is None:
        given = args.node_name_to_victims
    if given is None:
        raise MalformedError("neither NodeNameToMetaVictims nor NodeNameToVictims is given")
    candidates = {node: _uids(victims) for node, victims in given.items()}
    violations = {node: victims.num_pdb_violations for node, victims in given.items() if victims is not None}
    return VictimsAsked(args.pod, candidates, violations)


def read_pod_identity(pod: Raw) -> PodIdentity:
    """Raises MalformedError."""
    identity = _decoded(_identity, pod).metadata if pod != _NULL else PodIdentity()
    if not identity.name:
        raise MalformedError("Pod is absent, or has no metadata.name")
    return identity


def filter_result(asked: NodesAsked, nodes: list[str], failed: dict[str, str], unresolvable: dict[str, str]) -> bytes:
    """The answer in the form of the question."""
    if asked.whole is None:
        return _encode(
            ExtenderFilterResult(node_names=nodes, failed_nodes=failed, failed_and_unresolvable_nodes=unresolvable)
        )
    by_name = dict(zip(asked.names, asked.whole.items or (), strict=True))
    kept = NodeList([by_name[name] for name in nodes], asked.whole.metadata)
    return _encode(ExtenderFilterResult(nodes=kept, failed_nodes=failed, failed_and_unresolvable_nodes=unresolvable))


def prioritize_result(scores: Sequence[tuple[str, int]]) -> bytes:
    """A bare array."""
    return _encode([HostPriority(host, score) for host, score in scores])


def preemption_result(asked: VictimsAsked, nodes: Mapping[str, Sequence[str]]) -> bytes:
    """The count of broken budgets goes back as it came: it describes the victims offered."""
    kept = {
        node: MetaVictims([MetaPod(uid) for uid in uids], asked.violations.get(node, 0)) for node, uids in nodes.items()
    }
    return _encode(ExtenderPreemptionResult(kept))


def _uids(victims: Victims | MetaVictims | None) -> list[str]:
    """Empty lists are legal: from 1.38 on candidates that need no victim are offered too."""
    if victims is None or victims.pods is None:
        return []
    if isinstance(victims, MetaVictims):
        return [pod.uid for pod in victims.pods]
    return [pod.metadata.uid for pod in victims.pods]


def _decoded(decode: Callable[[bytes | Raw], T], body: bytes | Raw) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedError(str(error)) from error
