"""The model as a sequence of layer slices.

    begin (embedding, positions) -> layer 0 -> layer 1 -> ... -> finish (norm, head) -> logits

Transformers' layers are called one by one from outside, as their own model's forward does. Between two of them a pass is its
hidden state, one vector a token: it can wait there for as long as it likes. Where its tokens stand (positions, rotary factors, places
in the cache) follows from its chunks, and is made again when another pass has run in between. The layers of passes of
`arm_tokens` and more can be left between two experts too (experts.py); layers of decode passes can be CUDA graphs (graphs.py).

On a GPU, kernels are queued far ahead of what runs; so that a boundary is a boundary, at most `RUN_AHEAD` slices are queued:
an event marks the end of each, and the next is launched when the one RUN_AHEAD before it has passed. (Not run here: no GPU.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from berth_engine.attention import PagedCache, Pages, Where
from berth_engine.batch import Pass
from berth_engine.experts import Armed
from berth_engine.graphs import DecodeGraphs, Form, Step
from berth_engine.kv_cache import Copy

RUN_AHEAD = 2


@dataclass(slots=True)
class Place:
    """Where the tokens of a pass stand: in their sequences ([1, tokens], and rotary factors), and in the cache."""

    positions: torch.Tensor
    rotary: Any
    pages: Where


@dataclass(slots=True)
class Work:
    """What a pass holds between two layers: hidden [1, tokens, width]; of the pass that ran last, its place too."""

    hidden: torch.Tensor
    counts: list[int]  # tokens of each chunk, as the tensor has them
    place: Place | None = None
    inside: Armed | None = None  # the layer it stands in, when it was left between two experts


class Runner:
    """Runs slices of passes through one causal language model of transformers."""

    def __init__(
        self, model: Any, cache: PagedCache, arm_tokens: int | None = None,
        record: Callable[[Step], Step] | None = None,
    ) -> None:  # fmt: skip
        """arm_tokens: from how many tokens on a pass can stop between experts; None: never. record: for decode passes (graphs.py)."""
        self.arm_tokens = arm_tokens
        self.head = model.lm_head
        self.model = model.model
        self.cache = cache
        self.layers = len(self.model.layers)
        self.device = cache.device.device
        self.graphs = record and DecodeGraphs(self._forward, self.model.rotary_emb, cache, record)
        self._events: deque[Any] = deque()
        self._last: Pass | None = None  # whose slice ran last

    def copy(self, copies: list[Copy]) -> None:
        self.cache.copy(copies)

    @torch.inference_mode()
    def run_slice(self, running: Pass) -> bool:
        """Run the next layer of a pass, or of an armed one the next expert; True when a layer is done."""
        if running.work is None:
            running.work = self._begin(running)
            running.dropped.clear()
        work: Work = running.work
        if running is not self._last:
            self._put_away()
            self._last = running
        # within a layer the cache is not looked at any more: who left, and what moved, is settled after it
        if work.inside is None:
            if running.dropped:
                self._settle(running)
            if work.place is None or running.moved:
                work.place = self._place(running)
            running.moved = False
        self._wait_for_the_boundary()
        layer = partial(self._run_layer, work, running.layer)
        if not self._arms(work):
            work.hidden = layer()
        else:
            work.inside = work.inside or Armed(layer)
            if not work.inside.enter():
                self._mark_the_boundary()
                return False
            assert work.inside.result is not None
            work.hidden, work.inside = work.inside.result, None
        self._mark_the_boundary()
        return True

    def _arms(self, work: Work) -> bool:
        return self.arm_tokens is not None and work.hidden.shape[1] >= self.arm_tokens

    def _run_layer(self, work: Work, layer: int) -> torch.Tensor:
        place = work.place
        assert place is not None
        if isinstance(place.pages, Form):
            assert self.graphs is not None
            return self.graphs.run(layer, work.hidden, place.pages)
        return self._forward(layer, work.hidden, place.positions, place.rotary, place.pages)

    def _forward(
        self, layer: int, hidden: torch.Tensor, positions: torch.Tensor, rotary: Any, pages: Where
    ) -> torch.Tensor:
        out: torch.Tensor = self.model.layers[layer](
            hidden, attention_mask=None, position_ids=positions, position_embeddings=rotary,
            past_key_values=None, use_cache=False, pages=pages,
        )  # fmt: skip
        return out

    def _put_away(self) -> None:
        """Of the pass that another one interrupts, all but its hidden state."""
        work: Work | None = self._last.work if self._last is not None else None
        if work is not None and work.inside is None:
            work.place = None

    @torch.inference_mode()
    def finish(self, done: Pass) -> dict[str, torch.Tensor]:
        """Logits [vocabulary], float32, by id of each request whose next token follows from this pass."""
        if done.dropped:
            self._settle(done)
        work: Work = done.work
        last, rows = 0, []
        for chunk in done.chunks:
            last += chunk.count
            if chunk.samples:
                rows.append((chunk.request.id, last - 1))
        if not rows:
            return {}
        hidden = self.model.norm(work.hidden[0, [row for _, row in rows]])
        logits = self.head(hidden).float().cpu()
        return {request: logits[place] for place, (request, _) in enumerate(rows)}

    @torch.inference_mode()
    def merge(self, into: Pass, other: Pass) -> None:
        """Join the tensors of two passes at one layer; called before Roster.merge joins their chunks."""
        for pass_ in (into, other):
            if pass_.dropped:
                self._settle(pass_)
        if into.work is None or other.work is None:
            return  # neither has begun: they will begin together
        a, b = into.work, other.work
        into.work = Work(torch.cat([a.hidden, b.hidden], 1), a.counts + b.counts)

    def _begin(self, running: Pass) -> Work:
        tokens: list[int] = []
        for chunk in running.chunks:
            tokens += chunk.request.tokens(chunk.start, chunk.count)
        hidden = self.model.embed_tokens(torch.tensor([tokens], device=self.device))
        return Work(hidden, [chunk.count for chunk in running.chunks])

    def _place(self, running: Pass) -> Place:
        form = None if self.graphs is None or self._arms(running.work) else self.graphs.form(running)
        if form is not None:
            return Place(form.positions, form.rotary, form)
        positions: list[int] = []
        for chunk in running.chunks:
            positions += range(chunk.start, chunk.start + chunk.count)
        at = torch.tensor([positions], device=self.device)
        rotary = self.model.rotary_emb(running.work.hidden, position_ids=at)
        return Place(at, rotary, Pages(self.cache, running.chunks))

    def _settle(self, running: Pass) -> None:
        """Take the rows of requests that left out of the hidden state."""
        work: Work = running.work
        kept = torch.ones(work.hidden.shape[1], dtype=torch.bool, device=self.device)
        for place in running.dropped:
            # places count within the chunks that were left at that time: undo the earlier removals in order
            row = sum(work.counts[:place])
            rows = kept.nonzero()[row : row + work.counts[place]]
            kept[rows] = False
            del work.counts[place]
        running.dropped.clear()
        work.hidden = work.hidden[:, kept]
        work.place = None

    def _wait_for_the_boundary(self) -> None:
        if len(self._events) >= RUN_AHEAD:
            self._events.popleft().synchronize()

    def _mark_the_boundary(self) -> None:
        if self.device.type == "cuda":
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record()
            self._events.append(event)
