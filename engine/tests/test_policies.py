"""Berth's policy and the others', on one simulated GPU: what each promises, and that none loses anybody."""

from __future__ import annotations

import random
from typing import Any

import pytest
from families import ask, greedy, serve

from berth_engine.batch import Chunk, Pass
from berth_engine.cost import A100, H100, MIXTRAL_INT8, OLMOE, knee, slice_seconds
from berth_engine.policies.fcfs_batches import FcfsBatches
from berth_engine.policies.fcfs_continuous import FcfsContinuous
from berth_engine.policies.iteration_priority import IterationPriority
from berth_engine.policies.qllm import Qllm
from berth_engine.request import Request
from berth_engine.scheduler import Limits, Preemptive
from berth_engine.simulate import Arrival, Run, simulate

POLICIES = [FcfsBatches, FcfsContinuous, IterationPriority, Qllm, Preemptive]
LIMITS = Limits(max_batch=8, token_budget=256, shared_tokens=64, patience=30)


def mixed(seed: int, count: int = 60, rate: float = 4.0, urgent: float = 0.3) -> list[Arrival]:
    draw = random.Random(seed)
    now, arrivals = 0.0, []
    for _ in range(count):
        now += draw.expovariate(rate)
        arrivals.append(Arrival(now, draw.randint(1, 600), draw.randint(1, 60), int(draw.random() < urgent)))
    return arrivals


def run(policy: Any, arrivals: list[Arrival], limits: Limits = LIMITS, blocks: int = 600) -> Run:
    return simulate(policy(limits), arrivals, MIXTRAL_INT8, A100, blocks=blocks, host_blocks=4000)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("blocks", [42, 80, 600])
def test_everybody_is_served_and_nothing_is_computed_twice(policy: Any, blocks: int) -> None:
    """42 blocks hold one of the longest requests: most of what is paused is spilled."""
    arrivals = mixed(1)
    served = run(policy, arrivals, blocks=blocks)
    assert len(served.outcomes) == len(arrivals)
    # the last token of an answer is never fed back
    assert served.counts.tokens == sum(arrival.prompt + arrival.answer - 1 for arrival in arrivals)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_simulation_is_deterministic(policy: Any) -> None:
    assert run(policy, mixed(2)) == run(policy, mixed(2))


def test_an_urgent_request_starts_after_one_slice_wherever_the_others_stand() -> None:
    arrivals = [Arrival(0.0, 3000, 40), Arrival(0.0, 2000, 40)]
    arrivals += [
        Arrival(0.1 + 0.15 * place, 100, 1, 1) for place in range(8)
    ]  # one after another: no equal is in the way
    served = run(Preemptive, arrivals)
    urgent = [outcome for outcome in served.outcomes if outcome.arrival.priority]
    assert all(outcome.slices_before == 0 for outcome in urgent), "its slice is the one after that in which it came"
    assert served.counts.preemptions > 4
    assert max(o.slices_before for o in run(IterationPriority, arrivals).outcomes if o.arrival.priority) > 8


def test_order_of_arrival_is_kept_where_it_is_promised() -> None:
    for policy in (FcfsBatches, FcfsContinuous):
        firsts = [outcome.arrival.at + outcome.wait for outcome in run(policy, mixed(3)).outcomes]
        assert firsts == sorted(firsts)


def test_a_batch_runs_to_completion() -> None:
    """Nine requests at once, eight places: the ninth waits for the longest answer."""
    served = run(FcfsBatches, [Arrival(0.0, 10, 5 * (place + 1)) for place in range(8)] + [Arrival(0.0, 10, 1)])
    assert served.outcomes[-1].wait == max(outcome.turnaround for outcome in served.outcomes[:-1])


def test_equals_do_not_take_turns() -> None:
    """Whoever has a place keeps it against equals; sixteen equals for eight places are never paused."""
    served = run(Preemptive, [Arrival(0.0, 50, 30, 1)] * 16)
    assert served.counts.preemptions == 0
    first, last = served.outcomes[:8], served.outcomes[8:]
    assert max(outcome.turnaround for outcome in first) <= min(outcome.first_token for outcome in last)


def test_best_effort_gets_somewhere_under_urgent_overload() -> None:
    """Patience: at least one pass in each `patience` seconds, while urgent requests alone are more than the GPU can do."""
    arrivals = [Arrival(0.0, 100, 4)] + [Arrival(0.02 * place, 400, 30, 1) for place in range(400)]
    patient = run(Preemptive, arrivals, Limits(8, 256, 64, patience=2.0))
    starving = run(Preemptive, arrivals, Limits(8, 256, 64, patience=1e9))
    assert starving.outcomes[0].turnaround > 30
    # five passes: two for the prompt, three more tokens; each within three times the patience, and the layers left then
    assert patient.outcomes[0].turnaround < 5 * (3 * 2.0 + 0.2)
    assert patient.outcomes[0].turnaround < starving.outcomes[0].turnaround / 3


def test_layer_queues_strand_nobody() -> None:
    """The last best-effort decodes are left in a layer by an urgent request, and no other batch comes by."""
    served = run(Qllm, [Arrival(0.0, 20, 30), Arrival(0.2, 30, 1, 1)])
    assert served.counts.preemptions == 1
    assert len(served.outcomes) == 2


def test_passes_merged_in_a_layer_say_what_they_would_have_said() -> None:
    """QLLM's merging on real tensors: token-equal."""
    joined: list[int] = []
    limits = Limits(max_batch=4, token_budget=512, patience=1e9)
    policy = Qllm(limits)
    prompts = {"a": list(range(3, 30)), "b": list(range(40, 61)), "urgent": list(range(70, 80))}
    arrivals = [
        (0, ask("a", prompts["a"], 12)),
        (0, ask("b", prompts["b"], 12)),
        (8, ask("urgent", prompts["urgent"], 6, 1)),
    ]

    def on_start(engine: Any) -> None:
        def merge(into: Pass, other: Pass) -> None:
            joined.append(into.layer)
            engine.runner.merge(into, other)

        policy.on_merge = merge

    served = serve("mixtral", arrivals, policy=policy, on_start=on_start)
    assert joined
    for name, prompt in prompts.items():
        assert served.tokens[name] == greedy("mixtral", prompt, 6 if name == "urgent" else 12)


def test_model_sizes_are_the_published_ones() -> None:
    assert MIXTRAL_INT8.total / 1e9 == pytest.approx(46.70, abs=0.01)
    assert MIXTRAL_INT8.active / 1e9 == pytest.approx(12.88, abs=0.01)
    assert OLMOE.total / 1e9 == pytest.approx(6.92, abs=0.01)
    assert OLMOE.active / 1e9 == pytest.approx(1.28, abs=0.01)
    assert MIXTRAL_INT8.layers * MIXTRAL_INT8.kv_bytes == OLMOE.layers * OLMOE.kv_bytes == 128 << 10


def test_cost_follows_the_roofline() -> None:
    def seconds(tokens: int, start: int = 0, device: Any = A100) -> float:
        request = Request("r", [0] * (start + tokens))
        return slice_seconds(MIXTRAL_INT8, device, Pass([Chunk(request, start, tokens)]))

    # Mixtral's layer in 8 bits: 1.41 GB of experts and 84 MB of the rest, at 1.6 TB/s
    assert seconds(2000) > 4 * seconds(400) > 0
    assert seconds(64) == pytest.approx(1.49e9 / 1.6e12, rel=0.05)
    assert seconds(1) < seconds(64) / 2, "one token meets two of eight experts"
    assert seconds(64, start=4000) > seconds(64)
    assert seconds(2000, device=H100) < seconds(2000) / 3
    assert 100 < knee(MIXTRAL_INT8, A100) < 300
