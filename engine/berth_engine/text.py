"""From tokens to text, as they come: whole characters only, and nothing of a stop string.

Tokens may end inside a character, and a stop string may come in pieces; what may still become either is held back until it is
decided. Cost per token: decoding the last few tokens.
"""

from __future__ import annotations

from typing import Any

HALF = "\N{REPLACEMENT CHARACTER}"


class TextStream:
    """The text of one request. `stopped` once a stop string was met."""

    def __init__(self, tokenizer: Any, stop: tuple[str, ...] = ()) -> None:
        self._tokenizer = tokenizer
        self._stop = tuple(word for word in stop if word)
        self._tokens: list[int] = []
        self._settled = 0  # tokens whose text is complete; they stay as context, since some tokenizers join with spaces
        self._before = 0
        self._held = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """The text that a new token settles."""
        self._tokens.append(token)
        context = self._decode(self._tokens[self._before : self._settled])
        text = self._decode(self._tokens[self._before :])
        if text.endswith(HALF) and len(self._tokens) - self._settled < 8:  # a character has 4 bytes; then it is not one
            return ""
        self._before, self._settled = self._settled, len(self._tokens)
        return self._release(text[len(context) :])

    def end(self) -> str:
        """What was held back, when no more tokens come."""
        rest = self._decode(self._tokens[self._before :])[
            len(self._decode(self._tokens[self._before : self._settled])) :
        ]
        text, self._held = self._release(rest) + self._held, ""
        return "" if self.stopped and not text else text

    def _release(self, new: str) -> str:
        text = self._held + new
        found = [place for place in (text.find(word) for word in self._stop) if place >= 0]
        if found:
            self.stopped, self._held = True, ""
            return text[: min(found)]
        keep = max(
            (size for word in self._stop for size in range(1, len(word)) if text.endswith(word[:size])), default=0
        )
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _decode(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True)) if tokens else ""
