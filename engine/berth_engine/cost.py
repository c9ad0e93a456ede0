"""What a layer slice costs on a GPU, by the roofline: arithmetic or memory, whichever takes longer.

    seconds = max(FLOPs / (peak * 0.5), bytes / (bandwidth * 0.8)) + 20 us

FLOPs: two for each weight a token meets (k experts of a layer, the attention's projections) and four for each pair of a query
and a key, width times. Bytes: the weights that the pass touches (an expert is read if any of n tokens chose it: expected
E * (1 - (1 - k/E) ** n) of E), the keys and values of the contexts, and the activations' passage. The last slice adds the head.
Routing is taken as uniform.
"""

from __future__ import annotations

from dataclasses import dataclass

from berth_engine.batch import Pass

OF_PEAK, OF_BANDWIDTH, LAUNCH = 0.5, 0.8, 20e-6  # shares reached in practice; seconds a slice


@dataclass(frozen=True, slots=True)
class Device:
    """peak: FLOP/s of dense bf16; bandwidth: bytes/s."""

    name: str
    peak: float
    bandwidth: float


@dataclass(frozen=True, slots=True)
class ModelShape:
    """Sizes of a mixture-of-experts model. `weight_bytes` is for each expert weight; all else is 2 bytes a number."""

    name: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    experts: int
    chosen: int
    expert_width: int
    vocabulary: int
    weight_bytes: float = 2

    @property
    def expert(self) -> int:
        """Weights of one expert: gate, up and down."""
        return 3 * self.width * self.expert_width

    @property
    def attention(self) -> int:
        """Weights of a layer outside its experts: projections and the router."""
        return self.width * self.head_dim * (2 * self.heads + 2 * self.kv_heads) + self.width * self.experts

    @property
    def head(self) -> int:
        return self.width * self.vocabulary

    @property
    def total(self) -> int:
        return self.layers * (self.attention + self.experts * self.expert) + 2 * self.head

    @property
    def active(self) -> int:
        """Weights a token meets."""
        return self.layers * (self.attention + self.chosen * self.expert) + 2 * self.head

    @property
    def kv_bytes(self) -> int:
        """Bytes of keys and values of a token in one layer."""
        return 2 * self.kv_heads * self.head_dim * 2


A100 = Device("A100", 312e12, 2.0e12)
H100 = Device("H100", 989e12, 3.35e12)
MIXTRAL_INT8 = ModelShape("Mixtral-8x7B int8", 32, 4096, 32, 8, 128, 8, 2, 14336, 32000, weight_bytes=1)
OLMOE = ModelShape("OLMoE-1B-7B bf16", 16, 2048, 16, 16, 128, 64, 8, 1024, 50304)


def slice_seconds(model: ModelShape, device: Device, running: Pass) -> float:
    """Seconds of the next layer of a pass."""
    tokens = running.tokens
    flops = 2.0 * tokens * (model.attention + model.chosen * model.expert)
    hit = model.experts * (1 - (1 - model.chosen / model.experts) ** tokens)
    moved = 2.0 * model.attention + hit * model.expert * model.weight_bytes + 2 * 2 * tokens * model.width
    for chunk in running.chunks:
        context = chunk.start + chunk.count
        flops += 4.0 * model.heads * model.head_dim * chunk.count * (chunk.start + (chunk.count + 1) / 2)
        moved += model.kv_bytes * (context + chunk.count)
    if running.layer == model.layers - 1:
        sampled = sum(chunk.samples for chunk in running.chunks)
        flops += 2.0 * sampled * model.head
        moved += 2.0 * model.head * (sampled > 0)
    return max(flops / (device.peak * OF_PEAK), moved / (device.bandwidth * OF_BANDWIDTH)) + LAUNCH


def knee(model: ModelShape, device: Device) -> int:
    """Tokens of a pass from which arithmetic takes longer than reading all weights of a layer."""
    read = (2.0 * model.attention + model.experts * model.expert * model.weight_bytes) / (
        device.bandwidth * OF_BANDWIDTH
    )
    each = 2.0 * (model.attention + model.chosen * model.expert) / (device.peak * OF_PEAK)
    return max(1, round(read / each))
