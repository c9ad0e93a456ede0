"""How each kind of engine is started, asked whether it answers, and told to leave: so that nobody has to change engines to get
the placement.

| kind | starts | ready when | leaves by |
| --- | --- | --- | --- |
| berth | `berth-engine serve` | `/ready`: weights are loaded and a token was produced | SIGTERM drains, as `/drain` |
| vllm | `vllm serve` | `/health`: answers only once the weights are loaded | SIGTERM; it finishes what it can |
| custom | the image's own command, or the one given | the path given | SIGTERM |
"""

from __future__ import annotations

from typing import Any

import msgspec

from berth_api.llm_service import LLMService

PORT = 8000
ANY = "0.0.0.0"  # noqa: S104  (inside the pod; the NetworkPolicy says who may come)
LOADING_SECONDS = 3600
"""Weights of hundreds of gigabytes from a cold disk."""
PROBE_SECONDS = 2
"""Ready within two seconds of answering; failing three times in a row takes a pod out of the endpoints."""


class Engine(msgspec.Struct, frozen=True):
    """What the pod template needs of an engine."""

    command: list[str]
    args: list[str]
    port: int
    ready_path: str
    alive_path: str
    metrics_path: str
    silent_while_loading: bool
    """It answers nothing until the weights are loaded, so that liveness must wait for that."""

    drain_path: str | None = None
    """Asked with GET before SIGTERM; without one SIGTERM says it all."""

    def before_stop(self, seconds: int) -> dict[str, Any]:
        """What happens first: traffic goes elsewhere, or the engine is told to take no more."""
        if self.drain_path is not None:
            return {"httpGet": {"path": self.drain_path, "port": "http", "scheme": "HTTP"}}
        return {"sleep": {"seconds": seconds}}

    def probes(self) -> dict[str, Any]:
        def ask(path: str) -> dict[str, Any]:
            return {"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": 2}

        found: dict[str, Any] = {
            "readinessProbe": {**ask(self.ready_path), "periodSeconds": PROBE_SECONDS, "failureThreshold": 3},
            "livenessProbe": {**ask(self.alive_path), "periodSeconds": 10, "failureThreshold": 6},
        }
        if self.silent_while_loading:
            found["startupProbe"] = {
                **ask(self.alive_path),
                "periodSeconds": 5,
                "failureThreshold": LOADING_SECONDS // 5,
            }
        return found


def engine_of(service: LLMService, weights: str) -> Engine:
    """weights: where they lie in the container."""
    kind = service.spec.engine.kind
    if kind == "custom":
        return _custom(service)
    return _vllm(service, weights) if kind == "vllm" else _berth(service, weights)


def _berth(service: LLMService, weights: str) -> Engine:
    spec, asked = service.spec, service.spec.engine
    args = [
        weights, "--host", ANY, "--port", str(PORT), "--served-model-name", service.model_name,
        "--device", "cuda" if spec.resources.gpus else "cpu", "--drain-seconds", str(spec.drain_seconds),
    ]  # fmt: skip
    if spec.model.digest is not None:
        args += ["--digest", spec.model.digest]
    if asked.max_batch is not None:
        args += ["--max-batch", str(asked.max_batch)]
    if asked.kv_cache_share is not None:
        args += ["--kv-share", str(asked.kv_cache_share)]
    args += ["--default-priority", str(spec.request_priority.default), "--max-priority", str(spec.request_priority.max)]
    return Engine(
        asked.command or ["berth-engine", "serve"], [*args, *asked.args], PORT, "/ready", "/health", "/metrics", False
    )


def _vllm(service: LLMService, weights: str) -> Engine:
    spec, asked = service.spec, service.spec.engine
    args = [
        weights, "--host", ANY, "--port", str(PORT), "--served-model-name", service.model_name,
        "--tensor-parallel-size", str(spec.parallelism.tensor), "--scheduling-policy", "priority",
    ]  # fmt: skip
    if asked.max_context_tokens is not None:
        args += ["--max-model-len", str(asked.max_context_tokens)]
    if asked.max_batch is not None:
        args += ["--max-num-seqs", str(asked.max_batch)]
    if asked.kv_cache_share is not None:
        args += ["--gpu-memory-utilization", str(asked.kv_cache_share)]
    return Engine(
        asked.command or ["vllm", "serve"], [*args, *asked.args], PORT, "/health", "/health", "/metrics", True
    )


def _custom(service: LLMService) -> Engine:
    asked = service.spec.engine
    ready = asked.ready_path or "/health"
    metrics = asked.metrics_path or "/metrics"
    return Engine(asked.command, asked.args, asked.port or PORT, ready, ready, metrics, True, asked.drain_path)
