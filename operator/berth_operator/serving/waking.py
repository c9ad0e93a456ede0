"""How many replicas the operator asks for by itself: as many as the spec says, none while a service sleeps. Pure."""

from __future__ import annotations

from datetime import datetime

from berth_api.annotations import WAKE
from berth_api.llm_service import LLMService


def desired_replicas(service: LLMService, now: datetime) -> tuple[int, float | None]:
    """How many there should be, and in how many seconds that changes by itself.

    One that may sleep (`autoscaling.min: 0`) is awake as long as it was asked for lately; the gateway says when that was.
    """
    spec = service.spec
    if spec.suspend:
        return 0, None
    if spec.autoscaling is None:
        return (1 if spec.replicas is None else spec.replicas), None
    if spec.autoscaling.min:
        return spec.autoscaling.min, None
    asked = _last_asked(service)
    down = spec.autoscaling.stabilization_seconds.down
    left = -1.0 if asked is None else min(down - (now - asked).total_seconds(), down)
    return (1, left) if left > 0 else (0, None)


def _last_asked(service: LLMService) -> datetime | None:
    """Whoever may write annotations may write anything there; a time that is none counts for nothing."""
    try:
        asked = datetime.fromisoformat(service.metadata.annotations.get(WAKE, ""))
    except ValueError:
        return None
    return asked if asked.tzinfo is not None else None
