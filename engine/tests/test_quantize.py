"""Experts in 8 bits: how far weights may be off, that loading and computing give what they stand for, and what they weigh."""

from __future__ import annotations

import gc
import json
import math
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from families import ask
from hypothesis import given
from hypothesis import strategies as st
from test_engine import Listener
from test_server import ENGINE, Process
from transformers import MixtralConfig, Qwen3MoeConfig
from typer.testing import CliRunner

from berth_engine import quantize, quantized_loading
from berth_engine.launch import CacheSize, launch
from berth_engine.main import app
from berth_engine.manifest import ModelRefused
from berth_engine.models import Loaded, load
from berth_engine.quantize import PROJECTIONS, SCALE, bytes_by_dtype, experts_of, is_quantized
from berth_engine.quantize_report import report
from berth_engine.quantized_loading import quantized_skeleton, skeleton
from berth_engine.scheduler import Limits

MIXTURES = ("tiny-mixtral", "tiny-qwen3-moe", "tiny-olmoe", "tiny-qwen2-moe")
GIB = 2**30


def saved(name: str, folder: Path, dtype: str = "float32") -> str:
    loaded = load(name, device="cpu", dtype=dtype)
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return str(folder)


def continuation(loaded: Loaded, arm_tokens: int | None = None) -> list[int]:
    engine = launch(loaded, Limits(), CacheSize(blocks=20), arm_tokens=arm_tokens)
    heard = Listener()
    engine.submit(ask("r", range(3, 60), 10), heard)
    while not engine.idle:
        engine.step()
    return heard.events[-1].request.output


# What 8 bits stand for


@given(
    seed=st.integers(0, 2**31), shape=st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 40)),
    spread=st.sampled_from([1e-38, 1e-30, 1e-4, 1.0, 1e4, 1e37]),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16]),
)  # fmt: skip
def test_no_weight_is_off_by_more_than_half_a_step(
    seed: int, shape: tuple[int, int, int], spread: float, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(seed)
    if dtype == torch.float16:
        spread = min(1e3, spread)
    weights = (torch.randn(*shape, generator=generator).double() * spread).to(dtype)
    weights[0, 0] = 0
    codes, scales = quantize.quantize(weights)
    assert (codes.dtype, codes.shape) == (torch.int8, weights.shape)
    assert (scales.dtype, scales.shape) == (torch.float32, (*shape[:2], 1))
    off = (weights.double() - codes.double() * scales.double()).abs()
    assert bool((off <= scales.double() * (0.5 + 1e-4)).all())
    assert bool((codes[0, 0] == 0).all())
    assert bool((scales > 0).all()), "zeros are not divided by zero"
    # no step is larger than it has to be: the largest of a channel is at the end of the range
    usual = weights.double().abs().amax(-1) > 1e-35
    assert bool((codes.abs().amax(-1)[usual] == quantize.STEPS).all())


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_weight_that_is_no_number_is_not_made_one(bad: float) -> None:
    weights = torch.ones(1, 2, 4)
    weights[0, 1, 2] = bad
    back = quantize.dequantize(*quantize.quantize(weights), torch.float32)
    assert bool(back[0, 0].isfinite().all())
    assert not bool(back[0, 1].isfinite().all())


def test_written_out_weights_are_rounded_once() -> None:
    codes, scales = quantize.quantize(torch.randn(2, 5, 300, generator=torch.Generator().manual_seed(4)))
    exact = (codes.double() * scales.double()).to(torch.bfloat16)
    assert torch.equal(quantize.dequantize(codes, scales, torch.bfloat16), exact)


@pytest.mark.parametrize("name", MIXTURES)
def test_experts_compute_what_their_8_bits_stand_for(name: str) -> None:
    """Against transformers' dense experts, whose weights are those that the integers and scales mean."""
    dense, small = load(name, device="cpu").model, load(name, device="cpu", quantize="int8").model
    dense.set_experts_implementation("eager")
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(40, dense.config.hidden_size, generator=generator)
    chosen = torch.stack([torch.randperm(8, generator=generator)[:2] for _ in range(40)])
    shares = torch.rand(40, 2, generator=generator)
    for of_dense, of_small in zip(experts_of(dense).values(), experts_of(small).values(), strict=True):
        for projection in PROJECTIONS:
            meant = getattr(of_small, projection).float() * getattr(of_small, projection + SCALE)
            getattr(of_dense, projection).data.copy_(meant)
        with torch.inference_mode():
            found, expected = of_small(rows, chosen, shares), of_dense(rows, chosen, shares)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def test_one_projection_of_one_expert_at_a_time_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load("tiny-mixtral", device="cpu", quantize="int8").model
    written: list[weakref.ref[torch.Tensor]] = []
    at_once: list[int] = []

    def counted(codes: torch.Tensor, scales: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        at_once.append(1 + sum(tensor() is not None for tensor in written))
        weight = dequantize(codes, scales, dtype)
        assert weight.dim() == 2
        written.append(weakref.ref(weight))
        return weight

    dequantize = quantize.dequantize
    monkeypatch.setattr(quantize, "dequantize", counted)
    chosen = torch.arange(8).repeat(2).view(8, 2)
    with torch.inference_mode():
        experts_of(model)[0](torch.randn(8, 128), chosen, torch.ones(8, 2))
    assert len(written) == 2 * 8
    assert set(at_once) == {1}


# Loading


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", MIXTURES)
def test_a_folder_quantized_while_loading_is_the_model_quantized_in_memory(
    name: str, dtype: str, tmp_path: Path
) -> None:
    loaded = load(saved(name, tmp_path, dtype), device="cpu", quantize="int8")
    memory = load(name, device="cpu", dtype=dtype, quantize="int8")
    ours, theirs = loaded.model.state_dict(), memory.model.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) and ours[key].dtype == theirs[key].dtype for key in ours)
    foretold = quantized_skeleton(load(name, device="cpu").model.config, getattr(torch, dtype))
    assert loaded.quantization == memory.quantization == "int8"
    assert loaded.weights == memory.weights == bytes_by_dtype(foretold)
    if dtype == "float32":
        assert continuation(loaded) == continuation(memory) == continuation(memory, arm_tokens=1)


def test_only_the_experts_become_smaller() -> None:
    """Shared experts, attention, routers, embeddings and the head keep every bit."""
    before, after = (load("tiny-qwen2-moe", device="cpu", quantize=how).model.state_dict() for how in (None, "int8"))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    projections = {f"model.layers.{layer}.mlp.experts.{projection}" for layer in range(4) for projection in PROJECTIONS}
    assert changed == projections
    assert after.keys() - before.keys() == {name + SCALE for name in projections}


def test_loading_never_holds_the_model_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tensors are alive whenever a layer is quantized: what is done, and the layer at hand a few times."""
    config = MixtralConfig(
        vocab_size=320, hidden_size=128, intermediate_size=512, num_hidden_layers=6, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=8,
    )  # fmt: skip
    folder = saved("tiny-mixtral", tmp_path)
    big = skeleton(config, torch.float32).to_empty(device="cpu")
    for weight in big.parameters():
        weight.data.normal_()
    big.save_pretrained(folder)
    whole = sum(bytes_by_dtype(big).values())
    layer = sum(getattr(experts_of(big)[0], projection).nbytes for projection in PROJECTIONS)
    del big
    gc.collect()
    before, alive = live_bytes(), []

    def measured(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not weight.is_meta:
            alive.append(live_bytes() - before)
        return real(weight)

    real = quantized_loading.quantize
    monkeypatch.setattr(quantized_loading, "quantize", measured)
    loaded = load(folder, device="cpu", quantize="int8")
    quantized = sum(loaded.weights.values())
    assert len(alive) == 2 * 6
    assert max(alive) > quantized / 2, "it sees what is loaded"
    assert max(alive) < quantized + 3 * layer < whole


def live_bytes() -> int:
    """Of all tensors that somebody holds, each storage once."""
    found = (thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor))
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in found if not t.is_meta}
    return sum(storages.values())


def test_what_cannot_be_quantized_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match=r"NothingToQuantize: .*llama model has none: leave out --quantize"):
        load("tiny-llama", device="cpu", quantize="int8")
    with pytest.raises(ModelRefused, match="NothingToQuantize"):
        load(saved("tiny-qwen3", tmp_path / "dense"), device="cpu", quantize="int8")
    with pytest.raises(ModelRefused, match=r"UnknownQuantization: int3 .*int8"):
        load("tiny-mixtral", device="cpu", quantize="int3")
    folder = Path(saved("tiny-mixtral", tmp_path / "gptq"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "quantization_config": {"quant_method": "gptq"}}))
    with pytest.raises(ModelRefused, match="AlreadyQuantized"):
        load(str(folder), device="cpu", quantize="int8")


def test_layers_without_experts_stay(tmp_path: Path) -> None:
    """Some families have dense layers between those with experts."""
    config = Qwen3MoeConfig(
        vocab_size=320, hidden_size=64, intermediate_size=96, moe_intermediate_size=48, num_hidden_layers=4, num_experts=4,
        num_attention_heads=4, num_key_value_heads=2, head_dim=16, mlp_only_layers=[0, 2],
    )  # fmt: skip
    model = quantized_skeleton(config, torch.bfloat16)
    assert [layer for layer, experts in experts_of(model).items() if is_quantized(experts)] == [1, 3]
    assert model.model.layers[0].mlp.gate_proj.weight.dtype == torch.bfloat16


# What they weigh


def test_mixtral_fits_one_card_of_80_gb() -> None:
    """Its own configuration, on the meta device: 8 experts of 3 x 4096 x 14336 in 32 layers."""
    config = MixtralConfig()
    experts = 32 * 8 * 3 * 4096 * 14336
    scales = 32 * 8 * (2 * 14336 + 4096)
    before = bytes_by_dtype(skeleton(config, torch.bfloat16))
    after = bytes_by_dtype(quantized_skeleton(config, torch.bfloat16))
    assert before == {"bfloat16": 46_702_792_704 * 2}
    assert after == {"int8": experts, "float32": 4 * scales, "bfloat16": before["bfloat16"] - 2 * experts}
    assert sum(before.values()) / GIB == pytest.approx(87.0, abs=0.02)
    assert sum(after.values()) / GIB == pytest.approx(45.02, abs=0.01)
    assert after["bfloat16"] / GIB == pytest.approx(2.99, abs=0.01), "attention, embeddings, head, routers, norms"
    assert sum(after.values()) / 1e9 < 0.61 * 80, "a card of 80 GB keeps 31 GB for keys and values"


# The report


def test_the_report_tells_small_errors() -> None:
    found = report("tiny-qwen2-moe", device="cpu", tokens=200)
    assert found.measured is not None
    assert list(found.measured.layers) == [0, 1, 2, 3]
    assert all(0.002 < error.mean <= error.largest < 0.05 for error in found.measured.layers.values())
    assert 0 < found.measured.logits.mean < 0.1
    assert 0 < found.measured.divergence < 0.05
    assert 0.9 < found.measured.same_choice <= 1
    assert found.before["float32"] - found.after["float32"] > 3.9 * found.after["int8"]


def test_the_reports_errors_are_those_of_the_weights() -> None:
    """Four times coarser steps, four times the error."""
    fine = report("tiny-mixtral", device="cpu", tokens=64)
    with pytest.MonkeyPatch.context() as coarser:
        coarser.setattr(quantize, "STEPS", 127 / 4)
        coarse = report("tiny-mixtral", device="cpu", tokens=64)
    assert fine.measured is not None
    assert coarse.measured is not None
    for layer, error in fine.measured.layers.items():
        assert coarse.measured.layers[layer].mean == pytest.approx(4 * error.mean, rel=0.2)


def test_the_command_reports_and_refuses(tmp_path: Path) -> None:
    ran = CliRunner().invoke(
        app, ["quantize-report", "tiny-olmoe", "--device", "cpu", "--tokens", "32", "--dtype", "bfloat16"]
    )
    assert ran.exit_code == 0, ran.stderr
    assert len(re.findall(r"experts of layer \d +0\.\d+ 0\.\d+", ran.stdout)) == 4
    refused = CliRunner().invoke(app, ["quantize-report", "tiny-llama", "--device", "cpu"])
    assert (refused.exit_code, "NothingToQuantize" in refused.stderr) == (2, True)
    empty = CliRunner().invoke(app, ["quantize-report", "tiny-mixtral", "--device", "cpu", "--prompt", ""])
    assert (empty.exit_code, "EmptyPrompt" in empty.stderr) == (2, True)
    config = MixtralConfig(dtype="bfloat16")
    config.save_pretrained(tmp_path)
    sizes = CliRunner().invoke(app, ["quantize-report", str(tmp_path)])
    assert sizes.exit_code == 0, sizes.stderr
    assert CliRunner().invoke(app, ["quantize-report", str(tmp_path), "--dtype", "int4"]).exit_code == 2
    assert "86.991 GiB" in sizes.stdout
    assert "45.022 GiB" in sizes.stdout


# Serving


def test_a_quantized_model_serves_and_says_so() -> None:
    process = Process("--quantize", "int8")
    try:
        answer = process.client().completions.create(model="tiny-mixtral", prompt="Once", max_tokens=8)
        assert answer.usage is not None
        assert 1 <= answer.usage.completion_tokens <= 8
        entry: dict[str, Any] = httpx.get(f"{process.url}/v1/models").json()["data"][0]
        assert entry["quantization"] == "int8"
        told = httpx.get(f"{process.url}/metrics").text
        assert 'berth_engine_weights_bytes{dtype="int8"} 3.145728e+06' in told
    finally:
        process.end()


def test_the_server_ends_with_the_reason_when_there_are_no_experts() -> None:
    command = "from berth_engine.main import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ENGINE), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", command, "serve", "tiny-llama", "--port", "0", "--device", "cpu", "--quantize", "int8"],
        env=environment, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "NothingToQuantize: only experts are quantized" in ended.stderr
