"""Experts of a mixture, as transformers' models call them: grouped as a rule, one after another where a pass is armed.

Grouped, all experts of a layer run in one go, and a pass can only stop between layers. That is fine as long as a layer takes a
few milliseconds. For larger passes the runner arms the slice: each expert that was chosen has a queue of the rows that want
it, the queues are worked off one by one, and after each the slice may be left and entered again later. The layer's frame stays
as it is meanwhile, on a stack of its own (a greenlet); nothing is computed twice, and what comes out is the same, bit for bit,
however often it was left.

Experts in 8 bits (quantize.py) are worked off one by one in any case, each written out when its turn comes: one way through
them, armed or not, so that the two give the same bits. It asks the device once a layer how many rows each expert has.

What a pass holds while it stands between two experts: beside its hidden state, the rows and outputs of the layer's experts
(two vectors for each row and chosen expert) until the layer ends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from greenlet import getcurrent, greenlet
from torch.nn.functional import linear
from transformers.integrations.moe import ALL_EXPERTS_FUNCTIONS, grouped_mm_experts_forward

from berth_engine.quantize import is_quantized, weight_of

NAME = "berth"


class Armed(greenlet):
    """A layer that can be left between two experts. `enter` runs it on; True when it is done, with its `result`."""

    def __init__(self, layer: Callable[[], torch.Tensor]) -> None:
        super().__init__(self._run_layer)
        self._layer = layer
        self.result: torch.Tensor | None = None

    def enter(self) -> bool:
        self.parent = getcurrent()
        self.switch()
        return bool(self.dead)

    def _run_layer(self) -> None:
        self.result = self._layer()


def experts(
    module: Any, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
) -> torch.Tensor:
    """hidden_states [rows, width], top_k_index and top_k_weights [rows, k] -> [rows, width]."""
    current = getcurrent()
    armed = isinstance(current, Armed)
    if not armed and not is_quantized(module):
        return grouped_mm_experts_forward(module, hidden_states, top_k_index, top_k_weights)  # type: ignore[no-any-return]
    chosen = top_k_index.reshape(-1)
    outputs = hidden_states.new_empty(len(chosen), hidden_states.shape[1])
    order = chosen.argsort(stable=True)
    queues = torch.bincount(chosen, minlength=module.num_experts).tolist()
    begin = 0
    for expert, waiting in enumerate(queues):
        if not waiting:
            continue
        queue = order[begin : begin + waiting]  # places (row, which of its k experts) that want this expert
        begin += waiting
        rows = hidden_states[queue // top_k_index.shape[1]]
        gate, up = linear(rows, weight_of(module, "gate_up_proj", expert, rows.dtype)).chunk(2, dim=-1)
        outputs[queue] = linear(module.act_fn(gate) * up, weight_of(module, "down_proj", expert, rows.dtype))
        if armed and begin < len(chosen):
            current.parent.switch()
    weighted = outputs * top_k_weights.reshape(-1, 1)
    return weighted.view(*top_k_index.shape, -1).sum(dim=1).to(hidden_states.dtype)


ALL_EXPERTS_FUNCTIONS.register(NAME, experts)
