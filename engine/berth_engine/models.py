"""Load a model: one of the built-in tiny ones by name, or a folder as Hugging Face and `berth-fetch` lay it out.

Weights come from safetensors only, nothing is unpickled, no code from the folder runs, nothing is downloaded. A GPU that was
asked for and is not there is an error, never a silent CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from berth_engine import attention, experts
from berth_engine.byte_tokenizer import byte_tokenizer
from berth_engine.manifest import MANIFEST, ModelRefused, hold, verify
from berth_engine.quantize import bytes_by_dtype, experts_of, quantize_experts
from berth_engine.quantized_loading import Int8Experts, check_quantization, quantized_skeleton
from berth_engine.tiny import TINY, tiny_model

# families whose layers the runner calls one by one, as transformers' own forward does
SUPPORTED = ("mixtral", "qwen3_moe", "olmoe", "qwen2_moe", "llama", "qwen2", "qwen3")
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model and what the engine has to know of it."""

    name: str
    model: Any
    tokenizer: Any
    layers: int
    kv_heads: int
    head_dim: int
    max_context: int
    eos: frozenset[int]
    vocabulary: int
    quantization: str | None = None
    weights: dict[str, int] = field(default_factory=dict)  # bytes by dtype
    held: int | None = None  # open marker of the cache's copy, locked against eviction


def load(
    name: str, *, dtype: str = "auto", device: str = "auto", digest: str | None = None, quantize: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Loaded:  # fmt: skip
    """The model of a built-in name or a folder; quantize: None or "int8". Raises ModelRefused with a reason code."""
    target = _device(device)
    check_quantization(quantize)
    asked = dtype_named(dtype)
    if name in TINY:
        model = tiny_model(name, asked or torch.float32, target)
        if quantize:
            quantized_skeleton(model.config, None)  # refuses what cannot be quantized
            for layer in experts_of(model).values():
                quantize_experts(layer)
        return _loaded(name, model, byte_tokenizer(), frozenset({model.config.eos_token_id}), quantize)
    folder = Path(name)
    if not folder.is_dir():
        raise ModelRefused("ModelNotFound", f"{name} is neither a folder nor one of {', '.join(TINY)}")
    held = hold(folder)
    if digest is not None:
        verify(folder, digest, progress)
    elif (folder / MANIFEST).exists() and not (folder / ".complete").exists():
        raise ModelRefused("ModelIncomplete", f"{folder} is still being fetched: start again when it is complete")
    config = read_config(folder)
    if not any(folder.glob("*.safetensors")):
        raise ModelRefused("UnsupportedModel", f"{folder} has no .safetensors files; other formats are not read")
    quantized = sum(bytes_by_dtype(quantized_skeleton(config, asked)).values()) if quantize else None
    _check_room(folder, target, quantized)
    # on the host first: transformers' own way to a device needs accelerate
    model = AutoModelForCausalLM.from_pretrained(
        folder, config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True,
        dtype=asked or "auto",
        quantization_config=Int8Experts() if quantize else None,
    ).eval().to(target)  # fmt: skip
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelRefused(
            "UnsupportedModel", f"{folder} has no tokenizer that transformers can read: {error}"
        ) from error
    return replace(_loaded(folder.name, model, tokenizer, _eos(folder, config), quantize), held=held)


def dtype_named(name: str) -> torch.dtype | None:
    """None for auto: what the model says. Raises ModelRefused."""
    if name != "auto" and name not in DTYPES:
        raise ModelRefused("UnknownDtype", f"{name} is not served; these are: auto, {', '.join(DTYPES)}")
    return DTYPES.get(name)


def read_config(folder: Path) -> Any:
    """The configuration of a model that can be served. Raises ModelRefused."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ModelRefused(
            "UnsupportedModel", f"{folder} has no configuration that transformers knows: {error}"
        ) from error
    if config.model_type not in SUPPORTED:
        raise ModelRefused(
            "UnsupportedModel", f"{config.model_type} models are not served; these are: {', '.join(SUPPORTED)}"
        )
    return config


def _loaded(name: str, model: Any, tokenizer: Any, eos: frozenset[int], quantization: str | None) -> Loaded:
    config = model.config
    model.set_attn_implementation(attention.NAME)
    if any(hasattr(layer.mlp, "experts") for layer in model.model.layers):
        model.set_experts_implementation(experts.NAME)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return Loaded(
        name, model, tokenizer, config.num_hidden_layers, config.num_key_value_heads, head_dim,
        config.max_position_embeddings, eos, config.vocab_size, quantization, bytes_by_dtype(model),
    )  # fmt: skip


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.partition(":")[0] not in ("cpu", "cuda"):
        raise ModelRefused("DeviceUnavailable", f"{name} is not served; these are: auto, cpu, cuda, cuda:1, ...")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelRefused(
            "DeviceUnavailable",
            "a GPU was asked for and none is visible: check the pod's GPU resource and the driver, or ask for --device cpu",
        )
    return torch.device(name)


def _check_room(folder: Path, device: torch.device, needed: int | None) -> None:
    """needed: bytes of the weights on the device; those of the files if None."""
    if device.type != "cuda":
        return
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if needed is None else needed
    free = torch.cuda.mem_get_info(device)[0]
    if weights > free:
        raise ModelRefused(
            "ModelTooLarge",
            f"{weights / 2**30:.1f} GiB of weights do not fit the {free / 2**30:.1f} GiB that are free on {device}",
        )


def _eos(folder: Path, config: Any) -> frozenset[int]:
    """Tokens that end a text: those of generation_config.json, else of config.json."""
    ids = config.eos_token_id
    if (folder / "generation_config.json").exists():
        ids = GenerationConfig.from_pretrained(folder, local_files_only=True).eos_token_id or ids
    return frozenset([ids] if isinstance(ids, int) else ids or [])
