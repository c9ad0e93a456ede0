"""What the operator's process is told on the command line."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_operator.hint_model_settings import HintModelSettings
from berth_operator.serving.pod_template import Images


def default_identity() -> str:
    """The pod's name; on a machine, where several may run side by side, host and process."""
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Settings:
    kubeconfig: Path | None = None
    context: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    identity: str = field(default_factory=default_identity)
    system_namespace: str = SYSTEM_NAMESPACE
    hint_model: HintModelSettings | None = None
    """None: no language model is asked about hints."""
    images: Images = field(default_factory=Images)
    """Of the pods of LLMServices that name none."""
    prometheus_url: str = ""
    """Where KEDA reaches the Prometheus that scrapes the engines; empty: services are not scaled by KEDA."""
