"""What 8 bits change: bytes, the outputs of each layer's experts on the very same inputs, and the logits at the end.

A prompt runs through the model as it is, and what goes in and out of each layer's experts is kept. Then the experts are
quantized in place, fed the same inputs again (so that one layer's error says nothing of the layers before it), and the whole
model runs again, where errors add up and a router may choose other experts. Needs room for the model unquantized (--device cpu, where
it does not fit the GPU), and three vectors for each token and layer. A folder without weights has its bytes told only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from berth_engine.manifest import ModelRefused
from berth_engine.models import dtype_named, load, read_config
from berth_engine.quantize import bytes_by_dtype, experts_of, quantize_experts
from berth_engine.quantized_loading import quantized_skeleton, skeleton
from berth_engine.tiny import TINY

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Error:
    """|difference| / |what the unquantized gives|, Euclidean norms, over tokens."""

    mean: float
    largest: float


@dataclass(frozen=True, slots=True)
class Measured:
    """layers: errors of the experts' outputs by layer number. divergence: of the next token's distribution, mean, in nats."""

    tokens: int
    layers: dict[int, Error]
    logits: Error
    divergence: float
    same_choice: float  # share of positions whose likeliest next token is the same


@dataclass(frozen=True, slots=True)
class Report:
    """Bytes by dtype; `measured` is None where there are no weights."""

    name: str
    dtype: str
    before: dict[str, int]
    after: dict[str, int]
    measured: Measured | None


def report(
    name: str, *, dtype: str = "auto", device: str = "auto", tokens: int = 256, prompt: str | None = None, seed: int = 0
) -> Report:
    """Of a built-in name or a folder; of random tokens unless there is a prompt. Raises ModelRefused."""
    folder = Path(name)
    if name not in TINY and folder.is_dir() and not any(folder.glob("*.safetensors")):
        config = read_config(folder)
        asked = dtype_named(dtype)
        after, before = quantized_skeleton(config, asked), skeleton(config, asked)
        return Report(folder.name, _dtype_of(before), bytes_by_dtype(before), bytes_by_dtype(after), None)
    loaded = load(name, dtype=dtype, device=device)
    quantized_skeleton(loaded.model.config, None)  # refuses what cannot be quantized
    if prompt is None:
        ids = torch.randint(0, loaded.vocabulary, (tokens,), generator=torch.Generator().manual_seed(seed)).tolist()
    else:
        ids = loaded.tokenizer.encode(prompt)
    ids = ids[: loaded.max_context]
    if not ids:
        raise ModelRefused("EmptyPrompt", "the prompt has no token: give a longer text, or leave out --prompt")
    before = bytes_by_dtype(loaded.model)
    measured = measure(loaded.model, ids)
    return Report(loaded.name, _dtype_of(loaded.model), before, bytes_by_dtype(loaded.model), measured)


@torch.inference_mode()
def measure(model: Any, ids: list[int]) -> Measured:
    """Compare, and leave the model quantized."""
    model.set_attn_implementation("sdpa")  # no cache here
    prompt = torch.tensor([ids], device=next(model.parameters()).device)
    seen: dict[int, tuple[Any, torch.Tensor]] = {}
    layers = experts_of(model)
    hooks = [
        experts.register_forward_hook(lambda _, given, gave, layer=layer: seen.update({layer: (given, gave)}))
        for layer, experts in layers.items()
    ]
    plain = model(prompt, use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    errors: dict[int, Error] = {}
    for layer, experts in layers.items():
        quantize_experts(experts)
        given, gave = seen.pop(layer)
        errors[layer] = _error(experts(*given), gave)
    quantized = model(prompt, use_cache=False).logits[0]
    divergence = torch.nn.functional.kl_div(
        quantized.float().log_softmax(-1), plain.float().log_softmax(-1), reduction="batchmean", log_target=True
    )
    same = (quantized.argmax(-1) == plain.argmax(-1)).float().mean()
    return Measured(len(ids), errors, _error(quantized, plain), float(divergence), float(same))


def lines(of: Report) -> Iterator[str]:
    """The report as text."""
    yield f"{of.name} in {of.dtype}, experts in int8"
    for when, sizes in (("before", of.before), ("after", of.after)):
        parts = ", ".join(f"{dtype} {size / GIB:.3f}" for dtype, size in sizes.items())
        yield f"weights {when:<6} {sum(sizes.values()) / GIB:9.3f} GiB ({parts})"
    if of.measured is None:
        yield "no weights in the folder: no errors measured"
        return
    found = of.measured
    yield f"relative errors over {found.tokens} tokens: mean, largest"
    for layer, error in found.layers.items():
        yield f"  experts of layer {layer:<4} {error.mean:.5f} {error.largest:.5f}"
    yield f"  logits                {found.logits.mean:.5f} {found.logits.largest:.5f}"
    same = f"{100 * found.same_choice:.2f} %"
    yield f"next token: the same choice at {same} of the places, divergence {found.divergence:.2e} nats"


def _error(found: torch.Tensor, expected: torch.Tensor) -> Error:
    off = (found.float() - expected.float()).norm(dim=-1)
    relative = off / expected.float().norm(dim=-1).clamp_min(torch.finfo(torch.float32).tiny)
    return Error(float(relative.mean()), float(relative.max()))


def _dtype_of(model: Any) -> str:
    return str(next(model.parameters()).dtype).removeprefix("torch.")
