"""A request: what a client asked for, and how far it has come.

There is no separate prefill and decode in here. A request is a row of known tokens (prompt and output so far), of which the
first `computed` have their keys and values in the cache. Prefill is `computed` catching up with many tokens at once, decode
is catching up by one; whoever has caught up gets a new token sampled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MAX_PRIORITY = 1000  # either way from 0


class State(StrEnum):
    """Where a request stands; each request is in exactly one of these."""

    WAITING = "waiting"  # holds no KV blocks yet
    ADMITTED = "admitted"  # holds KV blocks; runs, or is paused with all it has computed
    FINISHED = "finished"


class Finish(StrEnum):
    """Why a request ended. `stop` and `length` are OpenAI's words, the others are ours."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"  # the client has gone
    DRAINING = "draining"  # the server shut down before it was done
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen.

    temperature 0 is greedy; top_p in (0, 1]; top_k 0 means all. A request has a random stream of its own, seeded by `seed`,
    so that its text does not depend on who shares its batches.
    """

    max_tokens: int = 16
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stop_tokens: frozenset[int] = frozenset()
    ignore_eos: bool = False
    logprobs: int | None = None  # how many alternatives to tell a token; None: no logprobs


@dataclass(eq=False, slots=True)
class Request:
    """One generation. Times are seconds on the engine's clock. A higher priority is more urgent."""

    id: str
    prompt: list[int]
    sampling: Sampling = field(default_factory=Sampling)
    priority: int = 0
    arrived: float = 0.0
    deadline: float | None = None  # when the first token is wanted; orders requests of one priority
    salt: bytes = b""  # requests share cached prefixes only with those of the same salt

    state: State = State.WAITING
    output: list[int] = field(default_factory=list)
    computed: int = 0  # positions whose keys and values stand in the cache, for all layers
    spilled: int = 0  # of its blocks, those on the host
    blocks: list[int] = field(default_factory=list)  # block b of the sequence: device block >= 0, or ~host block < 0
    digests: list[bytes] = field(default_factory=list)  # of the full blocks so far, for prefix sharing
    promised: int = 0  # blocks it may come to hold, counted when it was admitted
    in_pass: bool = False
    entered: int = 0  # the roster's version when it came in

    progressed: float = 0.0  # when it last got anywhere: arrived, or a pass of it ended
    started: float | None = None  # when its first layer slice began
    first_token: float | None = None
    finished: float | None = None
    finish: Finish | None = None
    taken_over: int = 0  # tokens of the output that another engine chose
    cached: int = 0  # prompt tokens that a shared prefix saved
    preemptions: int = 0  # times a pass of it was interrupted between layers

    @property
    def length(self) -> int:
        """Tokens known so far: prompt and output."""
        return len(self.prompt) + len(self.output)

    @property
    def remaining(self) -> int:
        """Known tokens that are not computed yet: 1 while decoding."""
        return len(self.prompt) + len(self.output) - self.computed

    @property
    def longest(self) -> int:
        """Tokens it can come to have, at most."""
        return len(self.prompt) + self.sampling.max_tokens

    def tokens(self, start: int, count: int) -> list[int]:
        """The known tokens from position `start` on."""
        prompt = len(self.prompt)
        if start >= prompt:
            return self.output[start - prompt : start - prompt + count]
        return (self.prompt[start : start + count] + self.output[: max(0, start + count - prompt)])[:count]
