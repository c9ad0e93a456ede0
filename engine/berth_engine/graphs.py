"""Layers of decode passes as CUDA graphs: one launch a layer, in the place of one for each of its dozens of kernels.

A pass in which every request has one token is so short that launching kernels takes longer than running them. In a graph all
shapes and addresses are fixed. So such a pass is brought into a form: its rows, and the blocks that each row looks at, are
filled up to powers of two. Rows that fill up do what the first row does, so that no further expert is read for them; what they
would write goes to a block of the cache that is nobody's. Columns that fill up are masked. Each layer of a form is recorded
when it is first wanted and replayed from then on; what goes in and comes out is copied, so a pass can wait between two layers
as any other, and the boundaries are the same.

Not for experts in 8 bits, which ask the device in mid-layer how many rows each has. A form beyond the first `MAX_FORMS` is not
recorded: its passes run as without graphs.

NOT RUN on a GPU, since none could be had: `record_graph` has never been executed, and what graphs cost and gain is not
measured; hence they are off unless `--cuda-graphs` asks for them. All the rest of this file runs in tests/test_graphs.py, on a
CPU, with each layer computed in the place of its replay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from berth_engine.attention import PagedCache
from berth_engine.batch import Chunk, Pass

MAX_FORMS = 32
LEAST_BLOCKS = 16
"""That a row's table has room for: short contexts share a form."""

Step = Callable[[], None]
Forward = Callable[[int, torch.Tensor, Any, Any, Any], torch.Tensor]
"""(layer, hidden, positions, rotary, pages) -> hidden"""


@dataclass(eq=False)
class Form:
    """Where passes of one shape are put: fixed tensors, and the recorded layers that read and write them.

    rows and blocks are powers of two; hidden and out [1, rows, width], positions [1, rows], tables [rows, blocks], the rest [rows].
    """

    cache: PagedCache
    hidden: torch.Tensor
    out: torch.Tensor
    positions: torch.Tensor
    rotary: tuple[torch.Tensor, ...]
    blocks: torch.Tensor
    offsets: torch.Tensor
    lengths: torch.Tensor
    tables: torch.Tensor
    layers: dict[int, Step] = field(default_factory=dict)

    def attend(
        self, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float, window: int | None
    ) -> torch.Tensor:
        """query [1, heads, rows, dim], keys and values [blocks, size, kv heads, dim] -> [1, heads, rows, dim]."""
        keys, values = (kind[self.tables].flatten(1, 2).transpose(1, 2) for kind in (keys, values))
        columns = torch.arange(keys.shape[2], device=query.device)
        seen = columns < self.lengths[:, None]
        if window is not None:
            seen &= columns >= self.lengths[:, None] - window
        rows = query[0].transpose(0, 1)[:, :, None]
        out = scaled_dot_product_attention(
            rows, keys, values, attn_mask=seen[:, None, None], scale=scaling, enable_gqa=True
        )
        return out[:, :, 0].transpose(0, 1)[None]


class DecodeGraphs:
    """Runs layers of decode passes in forms. record: makes of a step that reads and writes fixed tensors one that replays it.

    The cache must have one block more than its pool hands out, its last.
    """

    def __init__(self, forward: Forward, rotary: Any, cache: PagedCache, record: Callable[[Step], Step]) -> None:
        self._forward = forward
        self._rotary = rotary
        self._cache = cache
        self._record = record
        self._nobodys = cache.device.shape[2] - 1
        self.forms: dict[tuple[int, int], Form] = {}

    def form(self, running: Pass) -> Form | None:
        """The pass's form, filled in; None for a pass that is none of decode, or whose form is one too many."""
        if any(chunk.count != 1 for chunk in running.chunks):
            return None
        size = self._cache.size
        blocks = max(-(-(chunk.start + 1) // size) for chunk in running.chunks)
        key = (_power_of_two(len(running.chunks)), max(_power_of_two(blocks), LEAST_BLOCKS))
        found = self.forms.get(key)
        if found is None:
            if len(self.forms) >= MAX_FORMS:
                return None
            found = self.forms[key] = self._new(*key, running.work.hidden)
        self._fill(found, running.chunks)
        return found

    def run(self, layer: int, hidden: torch.Tensor, form: Form) -> torch.Tensor:
        """[1, requests, width] through one layer."""
        count = hidden.shape[1]
        form.hidden[:, :count] = hidden
        form.hidden[:, count:] = hidden[:, :1]
        step = form.layers.get(layer)
        if step is None:
            step = form.layers[layer] = self._record(partial(self._step, layer, form))
        step()
        return form.out[:, :count].clone()

    def _step(self, layer: int, form: Form) -> None:
        form.out.copy_(self._forward(layer, form.hidden, form.positions, form.rotary, form))

    def _new(self, rows: int, blocks: int, like: torch.Tensor) -> Form:
        def numbers(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.long, device=like.device)

        hidden = like.new_zeros(1, rows, like.shape[2])
        positions = numbers(1, rows)
        rotary = tuple(part.clone() for part in self._rotary(hidden, position_ids=positions))
        return Form(
            self._cache, hidden, hidden.clone(), positions, rotary,
            numbers(rows), numbers(rows), numbers(rows), numbers(rows, blocks),
        )  # fmt: skip

    def _fill(self, form: Form, chunks: list[Chunk]) -> None:
        rows, blocks = form.tables.shape
        filled = chunks + chunks[:1] * (rows - len(chunks))
        size = self._cache.size
        held = [chunk.request.blocks[: chunk.start // size + 1] for chunk in filled]
        written = [table[-1] for table in held[: len(chunks)]] + [self._nobodys] * (rows - len(chunks))

        def put(into: torch.Tensor, values: list[Any]) -> None:
            into.copy_(torch.tensor(values))

        put(form.positions, [[chunk.start for chunk in filled]])
        put(form.blocks, written)
        put(form.offsets, [chunk.start % size for chunk in filled])
        put(form.lengths, [chunk.start + 1 for chunk in filled])
        put(form.tables, [table + [self._nobodys] * (blocks - len(table)) for table in held])
        for part, fixed in zip(self._rotary(form.hidden, position_ids=form.positions), form.rotary, strict=True):
            fixed.copy_(part)


def record_graph() -> Callable[[Step], Step]:
    """Recording on the present CUDA device; what is recorded shares one pool of memory. (Not run: no GPU.)"""
    pool = torch.cuda.graph_pool_handle()

    def record(step: Step) -> Step:
        # once outside: handles and workspaces that libraries make when first called must not be made while recording
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            step()
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            step()
        # recording computes nothing
        return graph.replay

    return record


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()
