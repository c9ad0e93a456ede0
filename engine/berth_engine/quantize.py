"""Experts in 8 bits: integers, and one scale for each output channel of each expert.

    w[o, i] ~ q[o, i] * scale[o],    q = round(w / scale) in -127..127,    scale[o] = max |w[o, :]| / 127

so that no weight is off by more than half its channel's scale. Only the experts are quantized: they are 96.6 % of
Mixtral-8x7B's weights, and each sees but a part of the tokens. Attention, routers, shared experts, embeddings and the head
stay as they are.

The scales are float32: one of bfloat16 would be off by up to 1/512 of itself, which 127 steps make a quarter of a step, half
as much again as the rounding; and they cost 0.1 % of what the integers take. While a layer computes, one projection of one
expert at a time is written out in the model's dtype, used and dropped. So beside the integers a pass needs room for one projection
of one expert (Mixtral-8x7B: 224 MiB in bfloat16), and each pass reads and writes the chosen experts once more than it would
without (on a GPU about 5 bytes of traffic a weight instead of 2: reckoned, not measured; it has run on CPUs only). What is
written out does not depend on which rows want it: passes that were interrupted stay bit-exact.
"""

from __future__ import annotations

from typing import Any

import torch

INT8 = "int8"
PROJECTIONS = ("gate_up_proj", "down_proj")  # of all families served: [experts, out, in]
SCALE = "_scale"  # beside each projection: [experts, out, 1]
STEPS = 127


def quantize(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[experts, out, in] of any float dtype -> int8 of that shape and float32 [experts, out, 1].

    One expert at a time, so that one expert in float32 is what it needs beside its results. A channel with a weight that is not
    finite gets a scale that is none either, and gives no finite output, as it would have without.
    """
    codes = torch.empty_like(weight, dtype=torch.int8)
    scales = torch.empty(*weight.shape[:-1], 1, dtype=torch.float32, device=weight.device)
    for expert in range(len(weight)):
        rows = weight[expert].detach().float()
        # of a channel of zeros, or of numbers too small to divide, the smallest normal number
        scale = (rows.abs().amax(-1, keepdim=True) / STEPS).clamp_min(torch.finfo(torch.float32).tiny)
        codes[expert] = (rows / scale).round()
        scales[expert] = scale
    return codes, scales


def dequantize(codes: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The weights that the integers stand for; multiplied in float32 and rounded once."""
    return torch.mul(codes, scales, out=torch.empty_like(codes, dtype=dtype))


def is_quantized(experts: Any) -> bool:
    return bool(getattr(experts, PROJECTIONS[0]).dtype == torch.int8)


def weight_of(experts: Any, projection: str, expert: int, dtype: torch.dtype) -> torch.Tensor:
    """One expert's projection [out, in], written out if it is quantized."""
    weight: torch.Tensor = getattr(experts, projection)[expert]
    if weight.dtype != torch.int8:
        return weight
    return dequantize(weight, getattr(experts, projection + SCALE)[expert], dtype)


def experts_of(model: Any) -> dict[int, Any]:
    """The expert modules of a model of transformers, by layer; some families have dense layers between."""
    layers = enumerate(model.model.layers)
    return {place: layer.mlp.experts for place, layer in layers if hasattr(layer.mlp, "experts")}


def quantize_experts(experts: Any) -> None:
    """Put integers and scales in place of one layer's experts (on the meta device: make the places for them)."""
    for projection in PROJECTIONS:
        codes, scales = quantize(getattr(experts, projection))
        setattr(experts, projection, torch.nn.Parameter(codes, requires_grad=False))
        experts.register_buffer(projection + SCALE, scales)


def bytes_by_dtype(model: Any) -> dict[str, int]:
    """Bytes of a model's parameters and stored buffers, tied ones once, by dtype; the model may be on the meta device."""
    sizes: dict[str, int] = {}
    stored = model.state_dict()
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if name in stored:
            dtype = str(tensor.dtype).removeprefix("torch.")
            sizes[dtype] = sizes.get(dtype, 0) + tensor.numel() * tensor.element_size()
    return sizes
