"""Attention over the paged cache, as transformers' models call it.

The models are not patched: their layers look up the function "berth" in transformers' AttentionInterface and hand their
keyword arguments down to it, among them the `Pages` of the pass. Each layer's new keys and values are written to the cache,
then every chunk attends to its own sequence alone, so that no row depends on who else is in the pass, and nothing is padded.

Cost: one gather of the context and one scaled_dot_product_attention for each chunk and layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from berth_engine.batch import Chunk
from berth_engine.kv_cache import Copy

NAME = "berth"


class PagedCache:
    """Keys and values of all layers: [blocks, size, kv heads, head dim] each, on the device and, for spilled blocks, on the host."""

    def __init__(
        self, layers: int, device_blocks: int, host_blocks: int, size: int, kv_heads: int, head_dim: int,
        dtype: torch.dtype, device: torch.device, spare: int = 0,
    ) -> None:  # fmt: skip
        """spare: device blocks behind the others, which no pool hands out."""
        self.size = size
        shape = (2, layers, device_blocks + spare, size, kv_heads, head_dim)
        self.device = torch.zeros(shape, dtype=dtype, device=device)
        # pinned host memory lets copies overlap with compute; it exists only beside a GPU
        self.host = torch.zeros((2, layers, host_blocks, *shape[3:]), dtype=dtype, pin_memory=device.type == "cuda")

    def copy(self, copies: list[Copy]) -> None:
        """Carry out spills and returns, in their order."""
        for copy in copies:
            if copy.spill:
                self.host[:, :, copy.host].copy_(self.device[:, :, copy.device])
            else:
                self.device[:, :, copy.device].copy_(self.host[:, :, copy.host])


@dataclass(slots=True)
class Span:
    """Rows [row, row + count) of the pass: a chunk whose sequence has `context` tokens, its own last ones included."""

    row: int
    count: int
    context: int
    table: torch.Tensor  # [blocks of the context]


class Pages:
    """Where the tokens of one pass stand in the cache."""

    def __init__(self, cache: PagedCache, chunks: list[Chunk]) -> None:
        self.cache = cache
        device = cache.device.device
        size = cache.size
        self.spans: list[Span] = []
        blocks: list[int] = []
        offsets: list[int] = []
        row = 0
        for chunk in chunks:
            context = chunk.start + chunk.count
            held = chunk.request.blocks[: -(-context // size)]
            self.spans.append(Span(row, chunk.count, context, torch.tensor(held, device=device)))
            for position in range(chunk.start, context):
                blocks.append(held[position // size])
                offsets.append(position % size)
            row += chunk.count
        self.blocks = torch.tensor(blocks, device=device)
        self.offsets = torch.tensor(offsets, device=device)

    def attend(
        self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float, window: int | None
    ) -> torch.Tensor:
        """query [1, heads, rows, dim], keys and values [blocks, size, kv heads, dim] -> [1, heads, rows, dim]."""
        out = torch.empty_like(query)
        for span in self.spans:
            context = [kind[span.table].flatten(0, 1)[: span.context].transpose(0, 1)[None] for kind in (keys, values)]
            rows = slice(span.row, span.row + span.count)
            mask = _mask(span, window, query.device)
            out[:, :, rows] = scaled_dot_product_attention(
                query[:, :, rows], context[0], context[1],
                attn_mask=mask, is_causal=mask is None and span.count > 1, scale=scaling, enable_gqa=True,
            )  # fmt: skip
        return out


class Where(Protocol):
    """Where the rows of a pass are written, and how each looks at its own sequence."""

    @property
    def cache(self) -> PagedCache: ...
    @property
    def blocks(self) -> torch.Tensor: ...
    @property
    def offsets(self) -> torch.Tensor: ...
    def attend(
        self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float, window: int | None
    ) -> torch.Tensor: ...


def paged_attention(
    module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, attention_mask: None,
    scaling: float, dropout: float = 0.0, sliding_window: int | None = None, *, pages: Where, **_: Any,
) -> tuple[torch.Tensor, None]:  # fmt: skip
    """query [1, heads, rows, dim], key and value [1, kv heads, rows, dim] -> [1, rows, heads, dim]."""
    layer: int = module.layer_idx  # type: ignore[assignment]
    keys, values = pages.cache.device[:, layer]  # [blocks, size, kv heads, dim] each
    keys[pages.blocks, pages.offsets] = key[0].transpose(0, 1)
    values[pages.blocks, pages.offsets] = value[0].transpose(0, 1)
    return pages.attend(query, keys, values, scaling, sliding_window).transpose(1, 2), None


def _mask(span: Span, window: int | None, device: torch.device) -> torch.Tensor | None:
    """[count, context], True where a row may look; None where sdpa needs no mask or its own causal one."""
    within = window is None or span.context <= window
    if within and (span.count == 1 or span.count == span.context):
        return None
    rows = torch.arange(span.context - span.count, span.context, device=device)[:, None]
    columns = torch.arange(span.context, device=device)[None]
    seen = columns <= rows
    return seen if within else seen & (columns > rows - window)  # type: ignore[operator]


AttentionInterface.register(NAME, paged_attention)
