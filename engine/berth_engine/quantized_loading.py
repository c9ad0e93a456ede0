"""Quantize while loading, through transformers' own hook for quantizers.

Transformers reads a quantized model without threads, one fused parameter after another: read the layer's experts, stack them,
hand them to `_ToInt8`, keep what it returns, drop the rest. So what is in memory at any moment is what has been quantized, and the
experts of one layer in the checkpoint's dtype, up to three times while they are stacked (Mixtral-8x7B: 5.3 GiB); never the
whole model twice. That is memory of the host: the device gets what is quantized, when all is.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.core_model_loading import ConversionOps
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.base import HfQuantizer
from transformers.utils.quantization_config import QuantizationConfigMixin

from berth_engine.manifest import ModelRefused
from berth_engine.quantize import INT8, PROJECTIONS, SCALE, experts_of, quantize, quantize_experts

METHOD = "berth-int8-experts"


@register_quantization_config(METHOD)
class Int8Experts(QuantizationConfigMixin):
    """What from_pretrained is told."""

    def __init__(self) -> None:
        self.quant_method = METHOD


class _ToInt8(ConversionOps):
    def convert(self, input_dict: dict[str, Any], **_: Any) -> dict[str, torch.Tensor]:
        quantized: dict[str, torch.Tensor] = {}
        for name, stacked in input_dict.items():
            weight = stacked[0] if isinstance(stacked, list) else stacked
            quantized[name], quantized[name + SCALE] = quantize(weight)
        return quantized


@register_quantizer(METHOD)
class _Quantizer(HfQuantizer):
    def _process_model_before_weight_loading(self, model: Any, **_: Any) -> Any:
        for experts in experts_of(model).values():
            quantize_experts(experts)
        return model

    def param_needs_quantization(self, model: Any, param_name: str, **_: Any) -> bool:
        return param_name.rpartition(".experts.")[2] in PROJECTIONS

    def get_quantize_ops(self) -> ConversionOps:
        return _ToInt8()

    def is_serializable(self) -> bool:
        return False

    @property
    def is_trainable(self) -> bool:
        return False


def check_quantization(name: str | None) -> None:
    if name not in (None, INT8):
        raise ModelRefused("UnknownQuantization", f"{name} is not served; this is: {INT8}")


def skeleton(config: Any, dtype: torch.dtype | None) -> Any:
    """The model of a configuration without its numbers; takes no memory."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype or config.dtype or torch.float32)


def quantized_skeleton(config: AutoConfig, dtype: torch.dtype | None) -> Any:
    """The same with its experts in 8 bits. Raises ModelRefused if it has none, or if its numbers are quantized already."""
    if getattr(config, "quantization_config", None) is not None:
        raise ModelRefused("AlreadyQuantized", "the model's files are quantized: leave out --quantize")
    model = skeleton(config, dtype)
    layers = experts_of(model)
    if not layers:
        raise ModelRefused(
            "NothingToQuantize",
            f"only experts are quantized, and this {config.model_type} model has none: leave out --quantize",
        )
    for experts in layers.values():
        quantize_experts(experts)
    return model
