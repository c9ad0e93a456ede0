"""What a language-model back end is: one hint in, one answer out, and every way of failing named.

`ask` never waits longer than it is told and raises nothing but `BackendError`. An answer is text that nobody has believed yet:
`validated` does that. Tokens are told for failed questions as well where they are known, since they cost the same.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from berth_intent.vocabulary import Vocabulary

MAX_OUTPUT_TOKENS = 800
"""Of one answer: a dozen wishes take about 600."""
MAX_ANSWER_BYTES = 64 * 1024
"""Of one answer's text; more than any number of tokens above can be."""


class Failure(StrEnum):
    """Why there is no answer, as it stands in metrics."""

    TIMEOUT = "Timeout"  # not answered in time
    THROTTLED = "Throttled"  # asked to come back later, or a quota is spent
    UNAVAILABLE = "Unavailable"  # not reached, or an error of the server's own
    REFUSED = "Refused"  # credentials, rights, or the model's name are wrong
    FILTERED = "Filtered"  # the model or a guardrail in front of it declined
    TRUNCATED = "Truncated"  # the answer did not end within the tokens allowed
    TOO_LARGE = "TooLarge"  # more bytes than an answer can have
    MALFORMED = "Malformed"  # an answer that is no answer


OF_THE_SERVER = frozenset((Failure.TIMEOUT, Failure.THROTTLED, Failure.UNAVAILABLE, Failure.REFUSED))
"""Others may hang on what was asked, so that a tenant could cause them."""


class Tokens(msgspec.Struct, frozen=True):
    sent: int = 0
    received: int = 0

    @property
    def total(self) -> int:
        return self.sent + self.received


class Answer(msgspec.Struct, frozen=True):
    text: str
    """JSON, or text with JSON in it."""
    tokens: Tokens | None = None
    """None: not told."""
    seconds: float = 0.0


class BackendError(Exception):
    """The sentence names neither the hint nor a credential."""

    def __init__(
        self, failure: Failure, message: str, *, tokens: Tokens | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{failure}: {message}")
        self.failure = failure
        self.tokens = tokens
        self.retry_after = retry_after
        """Seconds the server asks to wait, if it does."""


class SetupError(Exception):
    """The back end cannot work as it is configured; says what to change."""


class Backend(Protocol):
    @property
    def model(self) -> str:
        """Its name, for the record."""

    async def ask(self, hint: str, names: Vocabulary, seconds: float) -> Answer:
        """names: those that go along with the hint. seconds: how long an answer is waited for. Raises BackendError."""

    async def close(self) -> None: ...
