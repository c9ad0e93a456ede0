"""Which language model may be asked about hints, how much in a day, and how it is reached. Nothing is asked by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from berth_intent.backends.api_key import ApiKey
from berth_intent.backends.backend import Backend, SetupError

DAILY_CALLS = 500
DAILY_TOKENS = 1_000_000
TIMEOUT_SECONDS = 20.0


class HintBackend(StrEnum):
    BEDROCK = "bedrock"
    OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class HintModelSettings:
    backend: HintBackend
    model: str
    base_url: str = ""
    region: str = ""
    api_key_file: Path | None = None
    api_key_variable: str = ""
    daily_calls: int = DAILY_CALLS
    daily_tokens: int = DAILY_TOKENS
    """Sent and received together."""
    timeout_seconds: float = TIMEOUT_SECONDS


def open_backend(settings: HintModelSettings) -> Backend:
    """Asks nothing yet. Raises SetupError, which says what to change."""
    if not settings.model:
        raise SetupError("name the model: --hint-model")
    if settings.backend is HintBackend.BEDROCK:
        if settings.base_url or settings.api_key_file or settings.api_key_variable:
            raise SetupError("Bedrock takes no base URL and no API key: its credentials come from AWS's standard chain")
        from berth_intent.backends.bedrock import BedrockBackend

        return BedrockBackend.open(settings.model, region=settings.region, seconds=settings.timeout_seconds)
    if not settings.base_url:
        raise SetupError("say where the server is: --hint-base-url")
    if settings.region:
        raise SetupError("--hint-region is for Bedrock alone")
    if settings.api_key_file and settings.api_key_variable:
        raise SetupError("the API key comes from a file or from a variable, not from both")
    from berth_intent.backends.openai_compatible import OpenAICompatibleBackend

    key = ApiKey(settings.api_key_file, settings.api_key_variable)
    return OpenAICompatibleBackend.open(settings.base_url, settings.model, key)
