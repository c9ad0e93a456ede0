"""The same books and policies without a model: a virtual clock, a cost model, and what each request lived to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from berth_engine.cost import Device, ModelShape, slice_seconds
from berth_engine.kv_cache import BlockPool
from berth_engine.request import Finish, Request, Sampling
from berth_engine.roster import Counts, Policy, Roster

TOKEN = 7  # what every pass "samples": the arithmetic is not simulated


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request to come: seconds from the start, tokens of the prompt, tokens of the answer."""

    at: float
    prompt: int
    answer: int
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds from arrival to the first slice, the first token and the last; slices that ran between arrival and the first own one."""

    arrival: Arrival
    wait: float
    first_token: float
    turnaround: float
    slices_before: int
    preemptions: int


@dataclass(frozen=True, slots=True)
class Run:
    outcomes: list[Outcome]  # in the order of arrival
    seconds: float  # from the first arrival to the last token
    counts: Counts
    spilled_blocks: int

    @property
    def tokens_per_second(self) -> float:
        return sum(outcome.arrival.answer for outcome in self.outcomes) / self.seconds


def simulate(
    policy: Policy,
    arrivals: Sequence[Arrival],
    model: ModelShape,
    device: Device,
    *,
    blocks: int,
    host_blocks: int,
    size: int = 16,
) -> Run:
    """Serve the arrivals to the end. Deterministic; raises ValueError if the policy leaves somebody behind."""
    roster = Roster(BlockPool(blocks, host_blocks, size, share=False), model.layers)
    todo = sorted(arrivals, key=lambda arrival: arrival.at)
    requests = [
        Request(str(place), [0] * arrival.prompt, Sampling(max_tokens=arrival.answer), arrival.priority, arrival.at)
        for place, arrival in enumerate(todo)
    ]
    before = [0] * len(requests)  # slices counted at arrival; then between arrival and the first own slice
    begun: set[str] = set()
    now, coming = 0.0, 0
    while True:
        while coming < len(requests) and requests[coming].arrived <= now:
            roster.enqueue(requests[coming])
            before[coming] = roster.counts.slices
            coming += 1
        running = policy.next_pass(roster, now)
        if running is None:
            if roster.waiting or roster.admitted:
                raise ValueError(f"{policy.name} leaves {len(roster.waiting) + len(roster.admitted)} requests behind")
            if coming == len(requests):
                break
            now = requests[coming].arrived
            continue
        if running.layer == 0:
            for chunk in running.chunks:
                if chunk.request.id not in begun:
                    begun.add(chunk.request.id)
                    place = int(chunk.request.id)
                    before[place] = roster.counts.slices - before[place]
        roster.pool.take_copies()
        now += slice_seconds(model, device, running)
        if roster.slice_done():
            for request in roster.close(running, {chunk.request.id: TOKEN for chunk in running.chunks}, now):
                if len(request.output) >= request.sampling.max_tokens:
                    roster.leave(request, Finish.LENGTH, now)
    return Run(
        [_outcome(arrival, request, slices) for arrival, request, slices in zip(todo, requests, before, strict=True)],
        now - todo[0].at,
        roster.counts,
        roster.pool.spilled_blocks,
    )


def _outcome(arrival: Arrival, request: Request, slices: int) -> Outcome:
    assert request.started is not None
    assert request.first_token is not None
    assert request.finished is not None
    return Outcome(
        arrival,
        request.started - arrival.at,
        request.first_token - arrival.at,
        request.finished - arrival.at,
        slices,
        request.preemptions,
    )
