"""Models that need no download: a few million random weights in the shape of each family, the same ones every time.

They say nothing sensible; they compute all that a real model computes, so that serving, scheduling and interrupting can be
tried and tested anywhere. Names: `tiny-mixtral`, `tiny-qwen3-moe`, ...
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MixtralConfig,
    OlmoeConfig,
    Qwen2MoeConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)

from berth_engine.byte_tokenizer import BOS, EOS, PAD, SIZE

SEED = 2026
_COMMON: dict[str, Any] = {
    "vocab_size": SIZE, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2,
    "head_dim": 32, "max_position_embeddings": 4096, "bos_token_id": BOS, "eos_token_id": EOS, "pad_token_id": PAD,
    "initializer_range": 0.1,
}  # fmt: skip
_EXPERTS: dict[str, Any] = {"num_experts": 8, "num_experts_per_tok": 2}
TINY: dict[str, Any] = {
    "tiny-mixtral": (
        MixtralConfig,
        {"intermediate_size": 256, "num_local_experts": 8, "num_experts_per_tok": 2, "sliding_window": None},
    ),
    "tiny-qwen3-moe": (Qwen3MoeConfig, {**_EXPERTS, "intermediate_size": 256, "moe_intermediate_size": 128}),
    "tiny-olmoe": (OlmoeConfig, {**_EXPERTS, "intermediate_size": 256}),
    "tiny-qwen2-moe": (
        Qwen2MoeConfig,
        {**_EXPERTS, "intermediate_size": 256, "moe_intermediate_size": 128, "shared_expert_intermediate_size": 128},
    ),
    "tiny-llama": (LlamaConfig, {"intermediate_size": 512}),
    "tiny-qwen3": (Qwen3Config, {"intermediate_size": 512}),
}


def tiny_model(name: str, dtype: torch.dtype, device: torch.device) -> Any:
    """The built-in model of that name (a KeyError if there is none), ready to run."""
    config, own = TINY[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return AutoModelForCausalLM.from_config(config(**_COMMON, **own), dtype=dtype).eval().to(device)
