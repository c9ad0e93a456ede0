"""Choosing the next token of one request from its logits.

Each request has a random stream of its own, so its tokens do not depend on who shares the batch or how often it was paused.
Order of filters: temperature, top-k, top-p, as in transformers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from berth_engine.request import Sampling

GREEDY_BELOW = (
    1e-5  # temperatures whose quotients float32 cannot hold; the likeliest token has all the mass long before
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A token, and if asked for its log probability and those of the likeliest: (token, logprob), likeliest first."""

    token: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


class Sampler:
    """The sampler of one request; keeps its random stream."""

    def __init__(self, sampling: Sampling) -> None:
        self.sampling = sampling
        self.random = torch.Generator()
        if sampling.seed is None:
            self.random.seed()
        else:
            self.random.manual_seed(sampling.seed)

    def wind_on(self, tokens: int, vocabulary: int) -> None:
        """To where the random stream is after that many tokens: `choose` takes a number for each of the vocabulary."""
        if self.sampling.temperature >= GREEDY_BELOW:
            numbers = torch.empty(vocabulary)
            for _ in range(tokens):
                numbers.exponential_(generator=self.random)

    def choose(self, logits: torch.Tensor) -> Chosen:
        """The next token from logits [vocabulary], float32. Raises RuntimeError if they are not finite."""
        sampling = self.sampling
        if sampling.temperature < GREEDY_BELOW:
            token = int(logits.argmax())
        else:
            token = int(torch.multinomial(self._probabilities(logits), 1, generator=self.random))
        if sampling.logprobs is None:
            return Chosen(token)
        logprobs = torch.log_softmax(logits, 0)
        values, tokens = logprobs.topk(min(sampling.logprobs, len(logprobs)))
        return Chosen(token, float(logprobs[token]), tuple(zip(tokens.tolist(), values.tolist(), strict=True)))

    def _probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        sampling = self.sampling
        logits = (logits - logits.max()) / sampling.temperature
        if 0 < sampling.top_k < len(logits):
            logits = logits.masked_fill(logits < logits.topk(sampling.top_k).values[-1], float("-inf"))
        probabilities = torch.softmax(logits, 0)
        if sampling.top_p < 1:
            ordered, tokens = probabilities.sort(descending=True)
            beyond = ordered.cumsum(0) - ordered >= sampling.top_p
            beyond[0] = False  # the likeliest stays, however small top_p is
            probabilities[tokens[beyond]] = 0
        return probabilities
