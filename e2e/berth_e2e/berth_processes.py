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
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.control_plane import PORTS
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
    through: int | None = None
    """Port by which extenders and operators reach the API server, where not its own: see line.py."""


@dataclass(frozen=True)
class Identities:
    """Kubeconfigs of the processes, each of its own ServiceAccount."""

    extender: Path
    operator: Path
    scheduler: Path


def berth_ports(berth: Berth) -> list[str]:
    """Names of the ports that these processes need."""
    pairs = [f"{use}-{i}" for i in range(berth.pairs) for use in ("scheduler", "extender", "extender-metrics")]
    return pairs + [f"operator-{i}" for i in range(berth.operators)]


def berth_processes(state: ClusterState, binaries: Path, berth: Berth, who: Identities) -> list[LocalProcess]:
    """All of them, not started; `state.ports` holds what `berth_ports` asks for. Writes the schedulers' configurations."""
    processes: list[LocalProcess] = []
    for i in range(berth.pairs):
        url = f"http://127.0.0.1:{state.ports[f'extender-{i}']}"
        settings = configuration(
            extender_url=url,
            kubeconfig=str(who.scheduler),
            percentage_of_nodes_to_score=berth.percentage_of_nodes_to_score,
        )
        processes.append(_extender(state, berth, who.extender, i))
        processes.append(scheduler_process(state, binaries, f"scheduler-{i}", settings))
    processes += [_operator(state, berth, who.operator, i) for i in range(berth.operators)]
    return processes


def scheduler_process(state: ClusterState, binaries: Path, name: str, settings: Mapping[str, Any]) -> LocalProcess:
    """A stock kube-scheduler with a KubeSchedulerConfiguration, whose identity it has; its port is `state.ports[name]`."""
    config = state.folder / f"{name}.json"
    config.write_text(json.dumps(settings, indent=2))
    port = state.ports[name]
    kubeconfig = settings["clientConnection"]["kubeconfig"]
    argv = [
        str(binaries / "kube-scheduler"),
        f"--config={config}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--authorization-always-allow-paths=/healthz,/readyz,/livez,/metrics",
    ]
    return _process(state, name, argv)


def _extender(state: ClusterState, berth: Berth, kubeconfig: Path, index: int) -> LocalProcess:
    name = f"extender-{index}"
    metrics = state.ports[f"extender-metrics-{index}"]
    argv = [
        *(str(BERTH), "extender", "--kubeconfig", str(kubeconfig)),
        *("--port", str(state.ports[name]), "--metrics-port", str(metrics)),
        *("--identity", name, "--system-namespace", SYSTEM_NAMESPACE),
        *berth.extender_flags,
    ]
    return _process(state, name, argv, berth.env)


def _operator(state: ClusterState, berth: Berth, kubeconfig: Path, index: int) -> LocalProcess:
    name = f"operator-{index}"
    port = state.ports[name]
    argv = [
        *(str(BERTH), "operator", "--kubeconfig", str(kubeconfig), "--port", str(port)),
        *("--identity", name, "--system-namespace", SYSTEM_NAMESPACE),
        *berth.operator_flags,
    ]
    return _process(state, name, argv, berth.env)


def _process(state: ClusterState, name: str, argv: list[str], env: Mapping[str, str] | None = None) -> LocalProcess:
    return LocalProcess(
        name=name,
        argv=argv,
        state=state.folder,
        log=state.folder / "logs" / f"{name}.log",
        pid_file=state.folder / "pids" / name,
        # the solver's compiled kernels are found again under this name: see the Makefile
        env={"NUMBA_CPU_NAME": "generic", **(env or {})},
    )


def record_file(state: ClusterState, name: str) -> Path:
    """How the process was started, for other runs."""
    return state.folder / "processes" / f"{name}.json"


def is_ready(state: ClusterState, name: str) -> bool:
    """Does this process of Berth, or further scheduler, say that it is ready? Others count as ready while they run."""
    if name.startswith("extender-"):
        return answers(state.ports[name.replace("extender-", "extender-metrics-")])
    if name.startswith("operator-"):
        return answers(state.ports[name])
    return name in PORTS or name not in state.ports or answers(state.ports[name], tls=True)


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
