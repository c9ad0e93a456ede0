"""Interrupting a request changes nothing of what it says: not a token, and where batches keep their company, not a bit."""

from __future__ import annotations

import random

import pytest
import torch
from families import BLOCK, FAMILIES, Served, ask, greedy, serve

from berth_engine.request import Request
from berth_engine.scheduler import Limits

PATTERNS = 50  # a family in CI; 1,000 behind the slow marker
APART = Limits(max_batch=8, token_budget=24, shared_tokens=8, patience=1e9, merge=False)
TOGETHER = Limits(max_batch=4, token_budget=24, shared_tokens=8, patience=1e9)


class Pattern:
    """Long requests from the start, and urgent ones that come at any slice, each more urgent than the last or not."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.long = [
            ask(f"long-{i}", self._prompt(10, 60), self.random.randint(1, 6)) for i in range(self.random.randint(1, 3))
        ]
        ranks = self.random.sample(range(1, 9), self.random.randint(1, 4))
        self.urgent = [ask(f"urgent-{rank}", self._prompt(1, 40), self.random.randint(1, 4), rank) for rank in ranks]
        self.arrivals = [(self.random.randint(1, 40), request) for request in self.urgent]
        alone = [sum(-(-request.longest // BLOCK) for request in self.long)]
        self.blocks = max(alone + [-(-request.longest // BLOCK) for request in self.urgent])

    def _prompt(self, least: int, most: int) -> list[int]:
        return [self.random.randrange(3, 320) for _ in range(self.random.randint(least, most))]

    def copies(self, requests: list[Request]) -> list[Request]:
        return [ask(request.id, request.prompt, request.sampling.max_tokens, request.priority) for request in requests]

    def undisturbed(self, family: str, **more: object) -> list[Served]:
        """The long requests without the urgent ones, and each urgent one alone."""
        runs = [self.copies(self.long), *([request] for request in self.copies(self.urgent))]
        return [
            serve(family, [(0, request) for request in run], limits=APART, device=self.blocks, **more)  # type: ignore[arg-type]
            for run in runs
        ]

    def disturbed(self, family: str, limits: Limits, **more: object) -> Served:
        arrivals = [(0, request) for request in self.copies(self.long)]
        arrivals += list(zip((slice_ for slice_, _ in self.arrivals), self.copies(self.urgent), strict=True))
        return serve(family, arrivals, limits=limits, device=self.blocks, host=400, **more)  # type: ignore[arg-type]


def check_paused(family: str, seed: int, **more: object) -> int:
    pattern = Pattern(seed)
    served = pattern.disturbed(family, APART, **more)
    for run in pattern.undisturbed(family, **more):
        for request, rows in run.logits.items():
            assert served.tokens[request] == run.tokens[request]
            assert len(served.logits[request]) == len(rows), "nothing is computed twice"
            assert all(torch.equal(a, b) for a, b in zip(served.logits[request], rows, strict=True)), (
                f"{request}, seed {seed}"
            )
    return served.engine.roster.counts.preemptions


def check_merged(family: str, seed: int, **more: object) -> None:
    pattern = Pattern(seed)
    served = pattern.disturbed(family, TOGETHER, share=True, **more)
    for request in pattern.long + pattern.urgent:
        expected = greedy(family, request.prompt, request.sampling.max_tokens)
        assert served.tokens[request.id] == expected, f"{request.id}, seed {seed}"


@pytest.mark.parametrize("family", FAMILIES)
def test_an_interrupted_request_goes_on_bit_for_bit(family: str) -> None:
    interrupted = sum(check_paused(family, seed) for seed in range(PATTERNS))
    assert interrupted > PATTERNS / 2, "the patterns interrupt"


@pytest.mark.parametrize("family", ["mixtral", "mixtral-int8", "qwen3-moe", "olmoe", "qwen2-moe"])
def test_a_request_interrupted_between_two_experts_goes_on_bit_for_bit(family: str) -> None:
    interrupted = sum(check_paused(family, seed, arm_tokens=6) for seed in range(PATTERNS // 3))
    assert interrupted > PATTERNS / 6, "the patterns interrupt"


@pytest.mark.parametrize("family", FAMILIES)
def test_in_shared_batches_the_tokens_are_those_of_generate(family: str) -> None:
    for seed in range(PATTERNS // 5):
        check_merged(family, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_thousand_patterns(family: str) -> None:
    for seed in range(PATTERNS, 1000):
        check_paused(family, seed)
    for seed in range(PATTERNS, 200):
        check_merged(family, seed)


def test_spilled_blocks_come_back_as_they_were() -> None:
    """A cache that holds one request only: each urgent one sends the long one's blocks to the host."""
    long, urgent = [5 + i % 300 for i in range(60)], [9 + i % 200 for i in range(50)]
    served = serve(
        "mixtral", [(0, ask("long", long, 8)), (4, ask("urgent", urgent, 4, 1))], limits=APART, device=9, host=20
    )
    assert served.engine.roster.pool.spilled_blocks > 0
    assert served.tokens["long"] == greedy("mixtral", long, 8)
    assert served.tokens["urgent"] == greedy("mixtral", urgent, 4)


def test_cancelling_one_leaves_the_others_of_its_pass() -> None:
    """Rows leave a pass between two layers; the others' tokens stay the same."""
    prompts = {f"r{i}": [3 + (i * 37 + j * 11) % 300 for j in range(5 + 2 * i)] for i in range(4)}
    arrivals = [(0, ask(name, prompt, 6)) for name, prompt in prompts.items()]
    served = serve("mixtral", arrivals, limits=TOGETHER, cancels=[(1, "r1"), (2, "r0"), (7, "r3")])
    assert served.tokens["r2"] == greedy("mixtral", prompts["r2"], 6)
    assert len(served.tokens["r1"]) < 6


def test_cancelling_between_two_experts_leaves_the_others() -> None:
    prompts = {f"r{i}": [3 + (i * 37 + j * 11) % 300 for j in range(9)] for i in range(3)}
    arrivals = [(0, ask(name, prompt, 4)) for name, prompt in prompts.items()]
    served = serve("mixtral", arrivals, limits=TOGETHER, arm_tokens=2, cancels=[(2, "r1"), (11, "r0")])
    assert served.tokens["r2"] == greedy("mixtral", prompts["r2"], 4)


def test_experts_one_by_one_give_what_all_at_once_give() -> None:
    """The prototype summed the experts without their weights, and let an interrupted block give zeros."""
    prompt = [(7 * place) % 300 + 3 for place in range(40)]
    apart, grouped = (serve("olmoe", [(0, ask("r", prompt, 3))], arm_tokens=arm) for arm in (1, None))
    for a, b in zip(apart.logits["r"], grouped.logits["r"], strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


# Each defect of the published prototype (QLLM's repository) has its case.


def test_rows_of_different_lengths_have_their_own_positions() -> None:
    """The prototype gave all rows of a decode batch the least cached length as position."""
    prompts = {"short": [7, 8, 9], "long": list(range(20, 70))}
    served = serve("llama", [(0, ask(name, prompt, 8)) for name, prompt in prompts.items()], limits=TOGETHER)
    for name, prompt in prompts.items():
        assert served.tokens[name] == greedy("llama", prompt, 8)


def test_an_interrupted_decode_is_not_stranded() -> None:
    """The prototype left an interrupted sequence in a layer's queue until another batch came by."""
    served = serve(
        "olmoe", [(0, ask("long", range(3, 30), 20)), (14, ask("urgent", range(40, 60), 2, 1))], limits=APART
    )
    assert served.engine.roster.counts.preemptions >= 1
    assert len(served.tokens["long"]) == 20


def test_a_batch_with_a_newcomer_keeps_its_context() -> None:
    """The prototype lost the cache of a whole batch if one sequence had none yet."""
    old, new = list(range(3, 43)), list(range(50, 60))
    served = serve("qwen3-moe", [(0, ask("old", old, 12)), (12, ask("new", new, 3))], limits=TOGETHER)
    assert served.tokens["old"] == greedy("qwen3-moe", old, 12)
    assert served.tokens["new"] == greedy("qwen3-moe", new, 3)
