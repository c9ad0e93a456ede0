"""One very small random model a family, as transformers builds it, and an engine that records its logits."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MixtralConfig,
    OlmoeConfig,
    Qwen2Config,
    Qwen2MoeConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)

from berth_engine.attention import NAME, PagedCache
from berth_engine.batch import Pass
from berth_engine.engine import Engine, Event
from berth_engine.experts import NAME as EXPERTS
from berth_engine.graphs import Step
from berth_engine.kv_cache import BlockPool
from berth_engine.quantize import experts_of, quantize_experts
from berth_engine.request import Request, Sampling
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits, Preemptive

LAYERS, HEAD_DIM, KV_HEADS, BLOCK = 3, 16, 2, 8
COMMON: dict[str, Any] = {
    "vocab_size": 320, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": LAYERS, "num_attention_heads": 4,
    "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM, "eos_token_id": 1, "bos_token_id": 0, "pad_token_id": 2,
    "initializer_range": 0.2, "max_position_embeddings": 512,
}  # fmt: skip
FAMILIES: dict[str, Any] = {
    "mixtral": (MixtralConfig, {"num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None}),
    "mixtral-int8": (MixtralConfig, {"num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None}),
    "mixtral-window": (MixtralConfig, {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 20}),
    "qwen3-moe": (Qwen3MoeConfig, {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 48}),
    "olmoe": (OlmoeConfig, {"num_experts": 8, "num_experts_per_tok": 3}),
    "qwen2-moe": (
        Qwen2MoeConfig,
        {
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 48,
            "shared_expert_intermediate_size": 48,
        },
    ),
    "llama": (LlamaConfig, {}),
    "qwen2": (Qwen2Config, {}),
    "qwen3": (Qwen3Config, {}),
}


@functools.cache
def model(family: str, attention: str = NAME) -> Any:
    """A model with the same random weights each time."""
    torch.set_num_threads(1)
    config, own = FAMILIES[family]
    torch.manual_seed(7)
    built = AutoModelForCausalLM.from_config(config(**COMMON, **own), dtype=torch.float32).eval()
    built.set_attn_implementation(attention)
    if family.endswith("-int8"):
        for layer in experts_of(built).values():
            quantize_experts(layer)
    if (attention == NAME or family.endswith("-int8")) and hasattr(built.model.layers[0].mlp, "experts"):
        built.set_experts_implementation(EXPERTS)
    return built


@torch.inference_mode()
def greedy(family: str, prompt: Sequence[int], tokens: int) -> list[int]:
    """What transformers' own generate says."""
    own = model(family, "sdpa")
    out = own.generate(
        torch.tensor([list(prompt)]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long), max_new_tokens=tokens,
        do_sample=False, eos_token_id=None, pad_token_id=2,
    )  # fmt: skip
    return [int(token) for token in out[0, len(prompt) :]]


class Recording(Runner):
    """A runner that keeps all logits it gave."""

    def __init__(
        self, built: Any, cache: PagedCache, arm_tokens: int | None = None,
        record: Callable[[Step], Step] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(built, cache, arm_tokens, record)
        self.given: dict[str, list[torch.Tensor]] = {}

    def finish(self, done: Pass) -> dict[str, torch.Tensor]:
        logits = super().finish(done)
        for request_id, row in logits.items():
            self.given.setdefault(request_id, []).append(row)
        return logits


@dataclass
class Served:
    """What a run gave: tokens and logits by request id."""

    tokens: dict[str, list[int]]
    logits: dict[str, list[torch.Tensor]]
    engine: Engine


def serve(
    family: str, arrivals: Sequence[tuple[int, Request]], *, limits: Limits | None = None, device: int = 200, host: int = 0,
    share: bool = False, arm_tokens: int | None = None, cancels: Sequence[tuple[int, str]] = (), policy: Any = None,
    on_start: Callable[[Engine], None] | None = None, record: Callable[[Step], Step] | None = None,
) -> Served:  # fmt: skip
    """Serve requests that arrive after a number of slices, to the end; the clock ticks once a slice."""
    built = model(family)
    pool = BlockPool(device, host, BLOCK, share=share)
    heads = getattr(built.config, "num_key_value_heads", KV_HEADS)
    cache = PagedCache(LAYERS, device, host, BLOCK, heads, HEAD_DIM, torch.float32, torch.device("cpu"), spare=1)
    runner = Recording(built, cache, arm_tokens, record)
    ticks = 0
    policy = policy or Preemptive(limits or Limits(max_batch=8, token_budget=24, shared_tokens=8, patience=1e9))
    engine = Engine(runner, policy, pool, clock=lambda: float(ticks))
    if on_start:
        on_start(engine)
    ended: list[Event] = []
    todo = sorted(arrivals, key=lambda arrival: arrival[0])
    leaving = sorted(cancels)
    while todo or not engine.idle:
        while todo and todo[0][0] <= ticks:
            engine.submit(todo.pop(0)[1], lambda event: ended.append(event) if event.finish else None)
        while leaving and leaving[0][0] <= ticks:
            engine.cancel(leaving.pop(0)[1])
        engine.step()
        engine.roster.check()
        ticks += 1
        assert ticks < 20_000, "the engine does not come to an end"
    assert pool.used == pool.promised == pool.used_host == 0
    assert len(ended) == len(arrivals), "every request ends once"
    return Served({event.request.id: event.request.output for event in ended}, runner.given, engine)


def ask(name: str, prompt: Sequence[int], tokens: int, priority: int = 0) -> Request:
    """A greedy request that runs to its length."""
    return Request(name, list(prompt), Sampling(max_tokens=tokens, ignore_eos=True), priority)
