"""Berth beside a control plane: pairs of the stock kube-scheduler and our extender, and operators, as local processes.

Of the pairs one schedules (Lease `berth-scheduler`), of the operators one leads (Lease `berth-operator`); the others stand by.
Each speaks only to 127.0.0.1, as the chart's containers speak only within their pod.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.process import LocalProcess
from berth_e2e.state import ClusterState
from berth_extender.kube_scheduler import configuration

BERTH = Path(sys.executable).with_name("berth")
PROBE_SECONDS = 2.0


@dataclass(frozen=True)
class Berth:
    """How much of Berth runs, and with which further flags."""

    pairs: int = 2
    operators: int = 1
    extender_flags: tuple[str, ...] = ()
    operator_flags: tuple[str, ...] = ()
    percentage_of_nodes_to_score: int = 100
    env: Mapping[str, str] = field(default_factory=dict)
    """Of the extenders and operators, on top of the environment."""


@dataclass(frozen=True)
class Served:
    """A process and how to ask whether it is ready."""

    process: LocalProcess
    is_ready: Callable[[], bool]


def berth_ports(berth: Berth) -> list[str]:
    """Names of the ports that these processes need."""
    pairs = [f"{use}-{i}" for i in range(berth.pairs) for use in ("scheduler", "extender", "extender-metrics")]
    return pairs + [f"operator-{i}" for i in range(berth.operators)]


def berth_processes(state: ClusterState, binaries: Path, berth: Berth) -> list[Served]:
    """All of them, not started; `state.ports` holds what `berth_ports` asks for. Writes the schedulers' configurations."""
    served: list[Served] = []
    for i in range(berth.pairs):
        url = f"http://127.0.0.1:{state.ports[f'extender-{i}']}"
        settings = configuration(
            extender_url=url,
            kubeconfig=str(state.kubeconfig),
            percentage_of_nodes_to_score=berth.percentage_of_nodes_to_score,
        )
        served.append(_extender(state, berth, i))
        served.append(scheduler_process(state, binaries, f"scheduler-{i}", settings))
    served += [_operator(state, berth, i) for i in range(berth.operators)]
    return served


def scheduler_process(state: ClusterState, binaries: Path, name: str, settings: Mapping[str, Any]) -> Served:
    """A stock kube-scheduler with a KubeSchedulerConfiguration; its port is `state.ports[name]`."""
    config = state.folder / f"{name}.json"
    config.write_text(json.dumps(settings, indent=2))
    port = state.ports[name]
    kubeconfig = str(state.kubeconfig)
    argv = [
        str(binaries / "kube-scheduler"),
        f"--config={config}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
    ]
    return Served(_process(state, name, argv), lambda: answers(port, tls=True))


def _extender(state: ClusterState, berth: Berth, index: int) -> Served:
    name = f"extender-{index}"
    metrics = state.ports[f"extender-metrics-{index}"]
    argv = [
        *(str(BERTH), "extender", "--kubeconfig", str(state.kubeconfig)),
        *("--port", str(state.ports[name]), "--metrics-port", str(metrics)),
        *("--identity", name, "--system-namespace", SYSTEM_NAMESPACE),
        *berth.extender_flags,
    ]
    return Served(_process(state, name, argv, berth.env), lambda: answers(metrics))


def _operator(state: ClusterState, berth: Berth, index: int) -> Served:
    name = f"operator-{index}"
    port = state.ports[name]
    argv = [
        *(str(BERTH), "operator", "--kubeconfig", str(state.kubeconfig), "--port", str(port)),
        *("--identity", name, "--system-namespace", SYSTEM_NAMESPACE),
        *berth.operator_flags,
    ]
    return Served(_process(state, name, argv, berth.env), lambda: answers(port))


def _process(state: ClusterState, name: str, argv: list[str], env: Mapping[str, str] | None = None) -> LocalProcess:
    process = LocalProcess(
        name=name,
        argv=argv,
        state=state.folder,
        log=state.folder / "logs" / f"{name}.log",
        pid_file=state.folder / "pids" / name,
        # the solver's compiled kernels are found again under this name: see the Makefile
        env={"NUMBA_CPU_NAME": "generic", **(env or {})},
    )
    records = state.folder / "processes"
    records.mkdir(exist_ok=True)
    (records / f"{name}.json").write_text(process.record())
    return process


def answers(port: int, path: str = "/readyz", *, tls: bool = False) -> bool:
    """Does a server of ours on 127.0.0.1 answer 200?"""
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection = (
            http.client.HTTPSConnection(
                "127.0.0.1",
                port,
                timeout=PROBE_SECONDS,
                context=ssl._create_unverified_context(),  # kube-scheduler signs its own certificate
            )
            if tls
            else http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_SECONDS)
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()
    return False
