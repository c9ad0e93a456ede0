"""What the planning loop and its solver process say to each other: a job one way, an answer the other.

Frames are eight bytes of length, big-endian, and as many bytes. A job is pickled: it goes from the operator to its own
child and nowhere else, and pickling keeps that pods of one template share their spec, which planning rests on (30,000 pods:
see docs/planning-loop.md for the times). Answers come back as MessagePack and are decoded into these types, so that nothing
that a crashing worker writes is executed.
"""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from berth_api.packing_policy import PackingPolicy
from berth_cluster.snapshot import Snapshot
from berth_planner.explanation import Explanation
from berth_planner.plan import Plan

LENGTH_BYTES = 8
MAX_FRAME = 4 << 30


class Job(msgspec.Struct, frozen=True):
    """Plan this. budget: seconds for solving; explain_seconds: on top, for why the rest waits. max_moves None: no cap."""

    snapshot: Snapshot
    budget: float
    explain_seconds: float
    threads: int = 2
    max_moves: int | None = None
    pending_only: bool = False
    consolidate: bool = False
    policies: tuple[PackingPolicy, ...] = ()
    """For what they say of hints."""
    hint_answers: Mapping[str, str] = MappingProxyType({})
    """What a language model made of hints, as it is kept."""


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """plan: verified. fingerprint: of what it depends on, in the job's snapshot."""

    plan: Plan
    explanations: tuple[Explanation, ...]
    fingerprint: str
    seconds: float


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The solver ran and has no answer that stands: its error, for the log."""

    error: str
    message: str


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Everything is compiled and loaded; jobs may come."""

    seconds: float


FromWorker = Answered | Refused | Ready

_encode = msgspec.msgpack.Encoder().encode
_decoder: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


class _JobPickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()


def _read_only(entries: dict[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(entries)


_JobPickler.dispatch_table[MappingProxyType] = lambda proxy: (_read_only, (dict(proxy),))


def encode_job(job: Job) -> bytes:
    target = io.BytesIO()
    _JobPickler(target, pickle.HIGHEST_PROTOCOL).dump(job)
    return target.getvalue()


def decode_job(body: bytes) -> Job:
    """Only ever called in the worker, on what its parent wrote."""
    job = pickle.loads(body)  # noqa: S301
    if not isinstance(job, Job):
        raise TypeError(f"a job was expected, not {type(job).__name__}")
    return job


def encode_answer(answer: FromWorker) -> bytes:
    return _encode(answer)


def decode_answer(body: bytes) -> FromWorker:
    """Raises msgspec.DecodeError."""
    return _decoder.decode(body)
