"""What a pass that was interrupted between two layers keeps in memory: its hidden state of one layer, beside its keys and values."""

from __future__ import annotations

import gc

import pytest
import torch
from families import BLOCK, FAMILIES, KV_HEADS, ask, model

from berth_engine.attention import PagedCache
from berth_engine.engine import Engine
from berth_engine.kv_cache import BlockPool
from berth_engine.runner import Runner, Work
from berth_engine.scheduler import Limits, Preemptive

BLOCKS = 100
SLACK = 64  # bytes; tensors of a few numbers


def standing() -> dict[int, int]:
    """Bytes of all tensors there are, by storage."""
    gc.collect()
    found: dict[int, int] = {}
    for thing in gc.get_objects():
        if type(thing) in (torch.Tensor, torch.nn.Parameter) and thing.device.type != "meta":
            storage = thing.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_an_interrupted_pass_keeps_its_hidden_state_and_no_more(family: str) -> None:
    built = model(family)
    heads = getattr(built.config, "num_key_value_heads", KV_HEADS)
    cache = PagedCache(3, BLOCKS, 0, BLOCK, heads, 16, torch.float32, torch.device("cpu"))
    engine = Engine(
        Runner(built, cache), Preemptive(Limits(8, 200, 8, patience=1e9)), BlockPool(BLOCKS, 0, BLOCK, share=False)
    )
    engine.submit(ask("warm", range(3, 60), 1, 9), lambda _: None)
    while not engine.idle:
        engine.step()
    before = standing()
    engine.submit(ask("long", range(3, 203), 3), lambda _: None)
    engine.step()  # its first layer
    engine.submit(ask("urgent", range(3, 13), 5, 5), lambda _: None)
    engine.step()
    interrupted, running = sorted(engine.roster.passes, key=lambda one: one.chunks[0].request.priority)
    work, other = interrupted.work, running.work
    assert work.hidden.untyped_storage().nbytes() == 200 * built.config.hidden_size * 4
    assert work.place is None
    more = {where: size for where, size in standing().items() if where not in before}
    held = work.hidden.untyped_storage().data_ptr()
    assert held in more
    of_running = {tensor.untyped_storage().data_ptr() for tensor in tensors(other)}
    assert sum(size for where, size in more.items() if where != held and where not in of_running) <= SLACK
    while not engine.idle:
        engine.step()
    del interrupted, running, work, other
    assert sum(size for where, size in standing().items() if where not in before) <= SLACK, "and nothing stays"


def tensors(work: Work) -> list[torch.Tensor]:
    """Of a pass that runs."""
    place = work.place
    assert place is not None
    return [
        work.hidden,
        place.positions,
        *place.rotary,
        place.pages.blocks,
        place.pages.offsets,
        *(span.table for span in place.pages.spans),
    ]
