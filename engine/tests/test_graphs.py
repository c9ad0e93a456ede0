"""Decode passes in forms of fixed shape, as CUDA graphs need them; here each layer is computed in the place of its replay."""

from __future__ import annotations

import pytest
import torch
from families import FAMILIES, ask, greedy, serve
from test_bit_exact import check_merged, check_paused

from berth_engine import graphs
from berth_engine.graphs import Step
from berth_engine.request import Request
from berth_engine.runner import Runner
from berth_engine.scheduler import Limits

GROUPED = [family for family in FAMILIES if not family.endswith("-int8")]
TOGETHER = Limits(max_batch=8, token_budget=64, shared_tokens=64, patience=1e9)


class Recorder:
    """In the place of a GPU's: counts what is recorded and replayed."""

    def __init__(self) -> None:
        self.recorded = self.replayed = 0

    def __call__(self, step: Step) -> Step:
        self.recorded += 1

        def replay() -> None:
            self.replayed += 1
            step()

        return replay


def requests(count: int, tokens: int) -> list[Request]:
    """Of different lengths, so that rows look at different numbers of blocks."""
    return [ask(f"r{i}", [3 + (i * 37 + j * 11) % 300 for j in range(3 + 9 * i)], tokens) for i in range(count)]


@pytest.mark.parametrize("family", GROUPED)
def test_decode_in_forms_says_what_generate_says(family: str) -> None:
    record = Recorder()
    served = serve(family, [(0, request) for request in requests(5, 9)], limits=TOGETHER, record=record)
    for request in requests(5, 9):
        assert served.tokens[request.id] == greedy(family, request.prompt, 9)
    layers = served.engine.runner.layers
    assert record.replayed >= 8 * layers, "each token but the first is replayed"
    assert record.recorded <= 3 * layers, "and recorded once a form"


@pytest.mark.parametrize("family", GROUPED)
def test_an_interrupted_decode_in_forms_goes_on_bit_for_bit(family: str) -> None:
    assert sum(check_paused(family, seed, record=Recorder()) for seed in range(10)) > 5, "the patterns interrupt"
    for seed in range(4):
        check_merged(family, seed, record=Recorder())


def test_rows_that_fill_a_form_write_where_nobody_reads() -> None:
    """Five in a form of eight are as eight are, and as five are without forms."""
    five, eight = (
        serve("mixtral", [(0, request) for request in requests(count, 6)], limits=TOGETHER, record=Recorder())
        for count in (5, 8)
    )
    for name, rows in five.logits.items():
        for a, b in zip(rows, eight.logits[name], strict=True):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
    plain = serve("mixtral", [(0, request) for request in requests(5, 6)], limits=TOGETHER)
    for name, rows in plain.logits.items():
        for a, b in zip(rows, five.logits[name], strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_a_form_too_many_runs_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MAX_FORMS", 1)
    record = Recorder()
    long = [(0, ask("short", [5, 6, 7], 30)), (0, ask("long", range(3, 60), 9))]
    served = serve("olmoe", long, limits=TOGETHER, record=record)
    runner = served.engine.runner
    assert isinstance(runner, Runner)
    assert runner.graphs is not None
    assert record.recorded == runner.layers
    assert len(runner.graphs.forms) == 1
    assert served.tokens["short"] == greedy("olmoe", [5, 6, 7], 30)


def test_a_pass_that_can_stop_between_experts_is_not_recorded() -> None:
    record = Recorder()
    served = serve("olmoe", [(0, request) for request in requests(4, 5)], limits=TOGETHER, record=record, arm_tokens=1)
    assert record.recorded == 0
    for request in requests(4, 5):
        assert served.tokens[request.id] == greedy("olmoe", request.prompt, 5)


def test_prompts_take_no_form() -> None:
    record = Recorder()
    serve("llama", [(0, ask("r", range(3, 40), 1))], limits=TOGETHER, record=record)
    assert record.recorded == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: what graphs give there is not known")
def test_on_a_gpu_graphs_give_what_launches_give() -> None:
    record = graphs.record_graph()
    weight = torch.randn(64, 64, device="cuda")
    into, out = torch.zeros(2, 64, device="cuda"), torch.zeros(2, 64, device="cuda")

    def step() -> None:
        out.copy_(into @ weight)

    replay = record(step)
    for _ in range(3):
        into.normal_()
        replay()
        torch.testing.assert_close(out, into @ weight)
