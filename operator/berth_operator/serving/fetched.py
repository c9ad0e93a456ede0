"""What a pod's `berth-fetch` said at its end: which digest it has verified, and what a move of the pod would fetch again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from berth_api.annotations import MOVE_COST
from berth_api.llm_service import LLMService, ModelStatus
from berth_operator.serving.names import FETCH_CONTAINER
from berth_operator.serving.seen import SeenPod

BYTES_A_POINT = 10 * 10**9
"""Of `berth.dev/move-cost`, beside the 1 that every pod's restart costs: at 1 GB/s so much takes as long as a restart does."""


class _Word(msgspec.Struct):
    digest: str
    bytes: int = 0


def fetched_by(pod: SeenPod) -> ModelStatus | None:
    """None unless it has ended well."""
    for container in pod.status.init_container_statuses or ():
        ended = container.state.terminated
        if container.name != FETCH_CONTAINER or ended is None or ended.exit_code != 0:
            continue
        try:
            said = msgspec.json.decode(ended.message.strip().rsplit("\n", 1)[-1], type=_Word)
        except (msgspec.DecodeError, msgspec.ValidationError):
            continue
        return ModelStatus(digest=said.digest, bytes=said.bytes)
    return None


def untold_move_costs(service: LLMService, pods: Iterable[SeenPod]) -> Iterator[tuple[SeenPod, str]]:
    """Pods whose move is dearer than that of others, and the `berth.dev/move-cost` that says so to plans.

    Only of weights in the pod's own emptyDir: those a move certainly fetches again. What somebody else has said of the cost stays.
    """
    model = service.spec.model
    if model.cache.claim_name is not None or not model.uri.startswith(("s3://", "hf://")):
        return
    for pod in pods:
        found = None if pod.leaves or MOVE_COST in (pod.metadata.annotations or {}) else fetched_by(pod)
        if found is not None and found.bytes >= BYTES_A_POINT:
            yield pod, str(1 + found.bytes // BYTES_A_POINT)
