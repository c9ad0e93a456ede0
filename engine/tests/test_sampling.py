"""Choosing tokens: filters, seeds, log probabilities."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from families import ask, serve

from berth_engine.request import Request, Sampling
from berth_engine.sampling import Sampler

LOGITS = torch.tensor([0.0, 3.0, 2.0, 1.0, -1.0])


def draws(sampling: Sampling, times: int = 400) -> Counter[int]:
    sampler = Sampler(sampling)
    return Counter(sampler.choose(LOGITS).token for _ in range(times))


def test_greedy_takes_the_likeliest() -> None:
    assert draws(Sampling(temperature=0), 5) == {1: 5}


@pytest.mark.parametrize("temperature", [1e-300, 1e-40, 1e-6, 1e-5, 1e-4])
@pytest.mark.parametrize("top_p", [1.0, 1e-300])
def test_the_smallest_temperatures_choose_the_likeliest(temperature: float, top_p: float) -> None:
    assert draws(Sampling(temperature=temperature, top_p=top_p, seed=1), 5) == {1: 5}


def test_logits_as_large_as_float32_holds_are_chosen_from() -> None:
    huge = torch.tensor([-3e38, 3e38, 0.0])
    assert Sampler(Sampling(temperature=0.5, seed=1)).choose(huge).token == 1


def test_top_k_leaves_the_k_likeliest() -> None:
    assert set(draws(Sampling(temperature=5, top_k=2, seed=1))) == {1, 2}


def test_top_p_leaves_the_smallest_set_of_that_mass() -> None:
    # the likeliest has 0.63 of the mass, the first two 0.86
    assert set(draws(Sampling(temperature=1, top_p=0.6, seed=1))) == {1}
    assert set(draws(Sampling(temperature=1, top_p=0.7, seed=1))) == {1, 2}


def test_frequencies_follow_the_distribution() -> None:
    counts = draws(Sampling(temperature=1, seed=3), 4000)
    for token, share in enumerate(torch.softmax(LOGITS, 0).tolist()):
        assert counts[token] / 4000 == pytest.approx(share, abs=0.03)


def test_a_seed_gives_the_same_stream_and_another_seed_another() -> None:
    def stream(seed: int | None) -> list[int]:
        sampler = Sampler(Sampling(temperature=2, seed=seed))
        return [sampler.choose(LOGITS).token for _ in range(30)]

    assert stream(5) == stream(5) != stream(6)
    assert stream(None) != stream(None)


def test_log_probabilities_are_those_of_the_model_before_filters() -> None:
    chosen = Sampler(Sampling(temperature=0.1, top_k=1, logprobs=2)).choose(LOGITS)
    logprobs = torch.log_softmax(LOGITS, 0).tolist()
    assert chosen.logprob == pytest.approx(logprobs[1])
    assert [token for token, _ in chosen.top] == [1, 2]
    assert [value for _, value in chosen.top] == pytest.approx([logprobs[1], logprobs[2]])


def test_sampled_text_does_not_depend_on_company() -> None:
    """One random stream a request, whoever shares its batches and however often it is interrupted."""

    def drawing(name: str) -> Request:
        return Request(name, list(range(3, 40)), Sampling(max_tokens=10, temperature=1.0, seed=11, ignore_eos=True))

    alone = serve("mixtral", [(0, drawing("it"))])
    company = [(0, ask("other", range(50, 70), 20)), (3, ask("urgent", range(80, 100), 5, 3))]
    assert serve("mixtral", [(0, drawing("it")), *company]).tokens["it"] == alone.tokens["it"]
