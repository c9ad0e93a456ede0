"""How a source is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from berth_operator.weights.source import Patience

MOST_CONNECTIONS = 64


@dataclass(frozen=True)
class Access:
    """`concurrency`: connections at once; `ca_bundle`: a file of trusted authorities."""

    endpoint_url: str | None = None
    ca_bundle: str | None = None
    anonymous: bool = False
    concurrency: int = 8
    patience: Patience = field(default_factory=Patience)
