"""What the gateway knows of the services of its namespace and their replicas. State of one event loop, no I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Replica:
    """A pod that answers. Load: what its engine's gauges said last, and what was sent there since."""

    name: str
    address: str
    """host:port"""
    waiting: int = 0
    running: int = 0
    kv_use: float = 0.0
    sent: int = 0
    """Requests of ours that have not ended."""
    shunned_until: float = 0.0
    """It refused or failed; nothing new goes there before."""

    @property
    def load(self) -> float:
        """Requests in it, ours counted at once and others as the gauges tell; a full cache counts like a full queue."""
        return max(self.sent, self.running + self.waiting) + self.waiting + (8.0 if self.kv_use > 0.95 else 0.0)


@dataclass(slots=True, eq=False)
class Model:
    """What is served under one name."""

    name: str
    service: str
    """The LLMService's name; asked to wake when nobody answers."""
    may_sleep: bool = False
    """Scaled down to none when nobody asks: requests are told of, so that it stays."""
    replicas: dict[str, Replica] = field(default_factory=dict)
    some: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while at least one replica answers."""

    def update(self, addresses: Mapping[str, str]) -> None:
        """addresses: host:port of the replicas that answer, by name. What is known of those that stay is kept."""
        for name in [name for name in self.replicas if self.replicas[name].address != addresses.get(name)]:
            del self.replicas[name]
        for name, address in addresses.items():
            if name not in self.replicas:
                self.replicas[name] = Replica(name, address)
        if self.replicas:
            self.some.set()
        else:
            self.some.clear()

    def open_replicas(self, now: float, without: Iterable[str] = ()) -> list[Replica]:
        """Those that may get a request now."""
        left_out = set(without)
        return [r for r in self.replicas.values() if r.shunned_until <= now and r.name not in left_out]


class Models:
    """By the name that clients use."""

    def __init__(self) -> None:
        self.by_name: dict[str, Model] = {}

    def names(self) -> list[str]:
        return sorted(self.by_name)
