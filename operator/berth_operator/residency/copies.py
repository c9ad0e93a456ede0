"""Which models lie on which nodes, by what stands in the cluster. Pure.

A copy counts when a new pod on that node would find it:

- it is complete: `berth-fetch` ended well in a pod on the node, and said which digest it had verified;
- it lies in a folder of the node itself: the pod's volume `cache` is a hostPath, or a claim whose PersistentVolume is one (or
  local). An emptyDir is the pod's own and dies with it; what lies on the network lies on no node more than on another;
- the pod still stands: it, or the engine in it, keeps the copy from eviction. What earlier pods left behind may be gone.

A model goes by the label of the pod that fetched it and by its digest, so that services find it that name a digest and those that
do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from berth_api.annotations import MODEL_LABEL
from berth_api.node_models import MAX_BYTES, MAX_MODELS, Models
from berth_cluster.objects import Wire
from berth_operator.serving.names import FETCH_CONTAINER
from berth_operator.weights.manifest import is_digest

CACHE_VOLUME = "cache"
DIGITS = 40
"""Of a digest: what the label holds."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)

OnNode = Callable[[str, str], bool]
"""Whether the claim of a namespace and name is bound to a folder of the node itself."""


class _Terminated(Wire, frozen=True):
    exit_code: int = 0
    message: str = ""
    finished_at: datetime | None = None


class _State(Wire, frozen=True):
    terminated: _Terminated | None = None


class _Container(Wire, frozen=True):
    name: str = ""
    state: _State = _State()


class _Claim(Wire, frozen=True):
    claim_name: str = ""


class _HostPath(Wire, frozen=True):
    path: str = ""


class _Volume(Wire, frozen=True):
    name: str = ""
    host_path: _HostPath | None = None
    persistent_volume_claim: _Claim | None = None


class _Meta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    resource_version: str | None = None
    labels: dict[str, str] | None = None


class _Spec(Wire, frozen=True):
    node_name: str | None = None
    volumes: tuple[_Volume, ...] | None = None


class _Status(Wire, frozen=True):
    phase: str = ""
    init_container_statuses: tuple[_Container, ...] | None = None


class FetchingPod(Wire, frozen=True):
    """A pod that serves a model, or keeps one for others. Decoded from the watch."""

    metadata: _Meta = _Meta()
    spec: _Spec = _Spec()
    status: _Status = _Status()


class Copy(msgspec.Struct, frozen=True):
    """A model that a pod has brought to its node. `claim`: what it lies in; None: a hostPath of the pod's own."""

    node: str
    names: tuple[str, ...]
    bytes: int
    fetched: datetime
    namespace: str
    claim: str | None = None


class _LastWord(msgspec.Struct, frozen=True):
    digest: str
    bytes: int


def copy_of(pod: FetchingPod) -> Copy | None:
    """None: it has brought nothing yet, or to a place that is the pod's own."""
    node = pod.spec.node_name
    cache = next((volume for volume in pod.spec.volumes or () if volume.name == CACHE_VOLUME), None)
    if not node or cache is None or pod.status.phase in ("Succeeded", "Failed"):
        return None
    if cache.host_path is None and cache.persistent_volume_claim is None:
        return None
    ended = next(
        (c.state.terminated for c in pod.status.init_container_statuses or () if c.name == FETCH_CONTAINER), None
    )
    if ended is None or ended.exit_code != 0:
        return None
    try:
        said = msgspec.json.decode(ended.message.strip().rsplit("\n", 1)[-1], type=_LastWord)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    if not is_digest(said.digest) or not 0 <= said.bytes <= MAX_BYTES:
        return None
    label = (pod.metadata.labels or {}).get(MODEL_LABEL, "")
    names = {label, said.digest.removeprefix("sha256:")[:DIGITS]} - {""}
    claim = None if cache.persistent_volume_claim is None else cache.persistent_volume_claim.claim_name
    return Copy(
        node, tuple(sorted(names)), said.bytes, ended.finished_at or LONG_AGO, pod.metadata.namespace or "", claim
    )


def models_by_node(copies: Iterable[Copy], on_node: OnNode) -> Mapping[str, Models]:
    """What each node holds, in the annotation's order; of too many the last fetched."""
    found: dict[str, dict[str, tuple[datetime, int]]] = {}
    for copy in copies:
        if copy.claim is not None and not on_node(copy.namespace, copy.claim):
            continue
        there = found.setdefault(copy.node, {})
        for name in copy.names:
            there[name] = max(there.get(name, (LONG_AGO, 0)), (copy.fetched, copy.bytes))
    return {node: _newest(models) for node, models in found.items()}


def _newest(models: Mapping[str, tuple[datetime, int]]) -> Models:
    newest = sorted(models.items(), key=lambda model: (model[1], model[0]), reverse=True)[:MAX_MODELS]
    return tuple(sorted((name, size) for name, (_, size) in newest))
