"""Put an engine together: a model, a cache as large as memory allows, a policy."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from berth_engine.admission import QueueLimits
from berth_engine.attention import PagedCache
from berth_engine.engine import Engine
from berth_engine.graphs import record_graph
from berth_engine.kv_cache import BlockPool
from berth_engine.models import Loaded
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits, Preemptive

CPU_CACHE = 2 << 30  # bytes at most for keys and values beside no GPU, unless blocks are given


class NoRoomForCache(Exception):  # noqa: N818 - named by its reason code
    """The device's memory holds the weights but no useful cache."""


@dataclass(frozen=True, slots=True)
class CacheSize:
    """kv_share: of the memory that is free beside the weights. Blocks hold `block` tokens; None: as many as fit."""

    kv_share: float = 0.9
    blocks: int | None = None
    host_blocks: int | None = None  # None: as many as the device has
    block: int = 16


def block_bytes(loaded: Loaded, size: int, dtype: torch.dtype) -> int:
    """Bytes of one block: keys and values of all layers."""
    return 2 * loaded.layers * size * loaded.kv_heads * loaded.head_dim * dtype.itemsize


def count_blocks(loaded: Loaded, size: CacheSize, limits: Limits, dtype: torch.dtype, device: torch.device) -> int:
    """Device blocks for the cache: what was asked, else what fits, but no more than a full batch of longest requests needs."""
    if size.blocks is not None:
        return size.blocks
    if device.type == "cuda":
        free = int(torch.cuda.mem_get_info(device)[0] * size.kv_share)
    else:
        free = min(CPU_CACHE, int(_available_memory() * size.kv_share / 2))  # the host's part is as large
    fit = free // block_bytes(loaded, size.block, dtype)
    longest = -(-loaded.max_context // size.block)
    if fit < 1:
        raise NoRoomForCache(
            f"{free} bytes are left for keys and values, a block of {size.block} tokens needs {block_bytes(loaded, size.block, dtype)}: "
            "use a smaller model or a larger device"
        )
    return int(min(fit, longest * 2 * limits.max_batch))


def launch(
    loaded: Loaded,
    limits: Limits,
    size: CacheSize | None = None,
    queue: QueueLimits | None = None,
    arm_tokens: int | None = None,
    cuda_graphs: bool = False,
) -> Engine:
    """An engine, not started yet.

    arm_tokens: from how many tokens on a pass can stop between two experts. cuda_graphs: for decode, on a GPU (graphs.py).
    """
    size = size or CacheSize()
    weights = next(loaded.model.parameters())
    device, dtype = weights.device, weights.dtype
    blocks = count_blocks(loaded, size, limits, dtype, device)
    host = blocks if size.host_blocks is None else size.host_blocks
    record = record_graph() if cuda_graphs and device.type == "cuda" else None
    cache = PagedCache(
        loaded.layers,
        blocks,
        host,
        size.block,
        loaded.kv_heads,
        loaded.head_dim,
        dtype,
        device,
        spare=record is not None,
    )
    return Engine(
        Runner(loaded.model, cache, arm_tokens, record), Preemptive(limits), BlockPool(blocks, host, size.block), tokenizer=loaded.tokenizer,
        eos=loaded.eos, max_context=loaded.max_context, queue=queue or QueueLimits(),
    )  # fmt: skip


def _available_memory() -> int:
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
