"""From the engine's events to OpenAI's objects, for both endpoints, whole or in chunks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from berth_engine.api_errors import ApiError
from berth_engine.request import Finish
from berth_engine.sampling import Chosen


@dataclass(slots=True)
class News:
    """What came of a request since somebody last looked: several events in one, if the reader is slow."""

    text: str = ""
    tokens: list[Chosen] = field(default_factory=list)
    finish: Finish | None = None
    error: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    resume: str | None = None  # by what another engine can go on, if this one left in the middle

    def join(self, later: News) -> None:
        """Take in what came after."""
        self.text += later.text
        self.tokens.extend(later.tokens)
        self.finish, self.error = later.finish, later.error
        self.prompt_tokens, self.output_tokens = later.prompt_tokens, later.output_tokens
        self.cached_tokens, self.resume = later.cached_tokens, later.resume

    def usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens, "completion_tokens": self.output_tokens,
            "total_tokens": self.prompt_tokens + self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }  # fmt: skip

    def failure(self, partial: str | None = None) -> ApiError | None:
        """The error this end is, if it is one."""
        if self.finish is Finish.DRAINING:
            message = f"the server shut down after {self.output_tokens} tokens; send the request again"
            return ApiError(503, "EngineDraining", message, retry_after=1, partial=partial, resume=self.resume)
        if self.finish is Finish.ERROR:
            return ApiError(500, "GenerationFailed", self.error, partial=partial)
        if self.finish is Finish.CANCELLED:
            return ApiError(503, "Cancelled", "the engine stopped before the request was done", partial=partial)
        return None


@dataclass(slots=True)
class Answer:
    """The answer to one request. `offset` counts the characters of token texts told so far."""

    id: str
    model: str
    chat: bool
    tokenizer: Any
    logprobs: bool
    created: int = field(default_factory=lambda: int(time.time()))
    offset: int = 0
    goes_on: bool = False  # another engine has begun it

    def whole(self, news: News) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": 0, "finish_reason": news.finish, "logprobs": self._logprobs(news.tokens)}
        choice |= {"message": {"role": "assistant", "content": news.text}} if self.chat else {"text": news.text}
        return self._object("chat.completion", [choice]) | {"usage": news.usage()}

    def opening(self) -> dict[str, Any] | None:
        """The chunk before all others: a chat tells who speaks."""
        delta = {"role": "assistant", "content": ""}
        choice = {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}
        return self._object("chat.completion.chunk", [choice]) if self.chat and not self.goes_on else None

    def chunk(self, news: News) -> dict[str, Any]:
        finish = None if news.failure() else news.finish
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish, "logprobs": self._logprobs(news.tokens)}
        choice |= (
            {"delta": {"content": news.text} if news.text or news.tokens else {}} if self.chat else {"text": news.text}
        )
        return self._object("chat.completion.chunk", [choice])

    def usage(self, news: News) -> dict[str, Any]:
        return self._object("chat.completion.chunk", []) | {"usage": news.usage()}

    def _object(self, chat_name: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        name = chat_name if self.chat else "text_completion"
        return {"id": self.id, "object": name, "created": self.created, "model": self.model, "choices": choices}

    def _logprobs(self, tokens: list[Chosen]) -> dict[str, Any] | None:
        if not self.logprobs:
            return None
        if self.chat:
            return {"content": [
                self._entry(token.token, token.logprob or 0.0)
                | {"top_logprobs": [self._entry(other, logprob) for other, logprob in token.top]}
                for token in tokens
            ]}  # fmt: skip
        texts = [self._text(token.token) for token in tokens]
        offsets = []
        for text in texts:
            offsets.append(self.offset)
            self.offset += len(text)
        return {
            "tokens": texts, "token_logprobs": [token.logprob for token in tokens], "text_offset": offsets,
            "top_logprobs": [{self._text(other): logprob for other, logprob in token.top} for token in tokens],
        }  # fmt: skip

    def _entry(self, token: int, logprob: float) -> dict[str, Any]:
        text = self._text(token)
        return {"token": text, "logprob": logprob, "bytes": list(text.encode())}

    def _text(self, token: int) -> str:
        return str(self.tokenizer.decode([token]))
