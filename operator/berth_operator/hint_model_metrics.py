"""What asking a language model about hints measures, beside `metrics`."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60)


class HintModelMetrics:
    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.calls = Counter(
            "berth_hint_model_calls_total",
            "Questions about hints, by what came of them: Answered, or why there is no answer.",
            ["result"],
            registry=registry,
        )
        self.wishes = Counter(
            "berth_hint_model_wishes_total",
            "Wishes in answers: Believed, or why they were dropped.",
            ["result"],
            registry=registry,
        )
        self.tokens = Counter(
            "berth_hint_model_tokens_total", "Tokens that servers told of.", ["direction"], registry=registry
        )
        self.seconds = Histogram(
            "berth_hint_model_seconds", "From a question to its answer.", buckets=_SECONDS, registry=registry
        )
        self.held_back = Counter(
            "berth_hint_model_held_back_total",
            "Rounds in which a question was due and not asked, by reason.",
            ["reason"],
            registry=registry,
        )
        self.waiting = Gauge("berth_hint_model_waiting", "Hints that are still to be asked about.", registry=registry)
        self.breaker_open = Gauge(
            "berth_hint_model_breaker_open", "1 while the server is left alone after failures.", registry=registry
        )
        self.calls_left = Gauge("berth_hint_model_calls_left", "Of today's budget.", registry=registry)
        self.tokens_left = Gauge("berth_hint_model_tokens_left", "Of today's budget.", registry=registry)
        self.answers = Gauge("berth_hint_model_answers", "Answers that are kept.", registry=registry)
        self.bytes = Gauge("berth_hint_model_bytes", "That the ConfigMap of answers holds.", registry=registry)
        self.evicted = Counter(
            "berth_hint_model_evicted_total", "Answers that went to make room for others.", registry=registry
        )
