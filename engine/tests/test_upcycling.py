"""A dense model whose MLP is every expert of a mixture says the same: no expert's share is lost, left out or counted twice.

The shares of a token's experts add up to one, so whatever the router chooses, the mixture's answer is the dense model's. The
published prototype summed its experts without their shares, and let an interrupted block give zeros.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from families import COMMON, KV_HEADS, LAYERS, ask
from test_engine import Listener
from transformers import AutoModelForCausalLM, LlamaConfig, MixtralConfig

from berth_engine import attention, experts
from berth_engine.attention import PagedCache
from berth_engine.engine import Engine
from berth_engine.kv_cache import BlockPool
from berth_engine.quantize import experts_of, quantize_experts
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits, Preemptive

PROMPT = list(range(5, 65))
EXPERTS = 6
SAME: dict[str, Any] = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}, "rms_norm_eps": 1e-5}


@pytest.fixture(scope="module")
def dense() -> Any:
    torch.manual_seed(3)
    return AutoModelForCausalLM.from_config(LlamaConfig(**COMMON, **SAME), dtype=torch.float32).eval()


def upcycled(dense: Any, chosen: int = 2) -> Any:
    """The same model as a mixture of equal experts with a random router."""
    config = MixtralConfig(**COMMON, **SAME, num_local_experts=EXPERTS, num_experts_per_tok=chosen, sliding_window=None)
    mixture = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    for layer, of_layer in experts_of(mixture).items():
        mlp = dense.model.layers[layer].mlp
        of_layer.gate_up_proj.data[:] = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])
        of_layer.down_proj.data[:] = mlp.down_proj.weight
    others = {name: value for name, value in dense.state_dict().items() if ".mlp." not in name}
    left = mixture.load_state_dict(others, strict=False)
    assert all(".mlp." in name for name in left.missing_keys)
    assert not left.unexpected_keys
    mixture.set_experts_implementation(experts.NAME)
    return mixture


def served(model: Any, arm_tokens: int | None = None, interrupted_at: int | None = None) -> list[int]:
    """The tokens of a request, and an urgent one that comes in between."""
    model.set_attn_implementation(attention.NAME)
    cache = PagedCache(LAYERS, 60, 0, 8, KV_HEADS, COMMON["head_dim"], torch.float32, torch.device("cpu"))
    engine = Engine(Runner(model, cache, arm_tokens), Preemptive(Limits(merge=False)), BlockPool(60, 0, 8))
    heard, urgent = Listener(), Listener()
    engine.submit(ask("r", PROMPT, 24), heard)
    slices = 0
    while not engine.idle:
        engine.step()
        slices += 1
        if slices == interrupted_at:
            engine.submit(ask("urgent", PROMPT[::-1], 4, 1), urgent)
    if interrupted_at is not None:
        assert engine.roster.counts.preemptions == 1
    model.set_attn_implementation("sdpa")
    return heard.events[-1].request.output


@pytest.mark.parametrize("chosen", [1, 2, EXPERTS])
def test_a_mixture_of_equal_experts_has_the_dense_models_logits(dense: Any, chosen: int) -> None:
    ids = torch.tensor([PROMPT])
    with torch.inference_mode():
        torch.testing.assert_close(upcycled(dense, chosen)(ids).logits, dense(ids).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("arm_tokens", [None, 1])
@pytest.mark.parametrize("interrupted_at", [None, 2, 5])
def test_the_engine_says_the_same_for_both(dense: Any, arm_tokens: int | None, interrupted_at: int | None) -> None:
    assert served(upcycled(dense), arm_tokens, interrupted_at) == served(dense)


def test_in_8_bits_all_equal_experts_are_still_one() -> None:
    """Quantized alike, equal experts stay equal: the mixture is the dense model with rounded weights."""
    torch.manual_seed(3)
    rounded = AutoModelForCausalLM.from_config(LlamaConfig(**COMMON, **SAME), dtype=torch.float32).eval()
    mixture = upcycled(rounded)
    for layer, of_layer in experts_of(mixture).items():
        quantize_experts(of_layer)
        mlp = rounded.model.layers[layer].mlp
        gate, up = (of_layer.gate_up_proj[3].float() * of_layer.gate_up_proj_scale[3]).chunk(2)
        mlp.gate_proj.weight.data.copy_(gate)
        mlp.up_proj.weight.data.copy_(up)
        mlp.down_proj.weight.data.copy_(of_layer.down_proj[3].float() * of_layer.down_proj_scale[3])
    ids = torch.tensor([PROMPT])
    with torch.inference_mode():
        torch.testing.assert_close(mixture(ids).logits, rounded(ids).logits, rtol=1e-4, atol=1e-4)
