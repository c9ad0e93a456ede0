"""A cluster for tests: the real control plane with fake nodes, started in seconds, with or without Berth.

    with Cluster.start("budgets", nodes=4, gpus=8, berth=True) as cluster:
        cluster.create(replica_set("llama", 3, gpus=2, scheduler="berth"))
        cluster.wait_running("app=llama", 3)
        cluster.processes["extender-0"].kill()

Everything listens on 127.0.0.1 and dies with `stop`, however much of it has crashed before. Several clusters can stand side by
side. `processes` holds each component under its name: etcd, kube-apiserver, kube-controller-manager, kube-scheduler (the default
one), kwok-controller and, with Berth, scheduler-N, extender-N and operator-N.
"""

from __future__ import annotations

import contextlib
import random
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from berth_api.annotations import OPERATOR_LEASE, SCHEDULER_LEASE, SYSTEM_NAMESPACE
from berth_e2e import accounts, tools
from berth_e2e.api_client import ApiClient, RequestError, object_path
from berth_e2e.berth_processes import (
    Berth,
    Identities,
    berth_ports,
    berth_processes,
    is_ready,
    record_file,
    scheduler_process,
)
from berth_e2e.clearing import clear, remove_nodes
from berth_e2e.cluster_view import ClusterView
from berth_e2e.control_plane import PORTS, components, start_control_plane
from berth_e2e.line import kubeconfig_through
from berth_e2e.objects import KubernetesObject, namespace, node
from berth_e2e.ports import claim_port, give_back
from berth_e2e.process import LocalProcess, end_all
from berth_e2e.real_node.node import RealNode
from berth_e2e.real_node.nodes import claimed_network, real_nodes, relay_process, remove_real_nodes, start_real_nodes
from berth_e2e.state import MARK_FILE, ROOT, ClusterState, ForeignClusterError, read_state, refuse_foreign, state_folder
from berth_e2e.waiting import wait_for

READY_SECONDS = 60.0
CRD_FOLDER = ROOT / "manifests" / "crds"
TOKEN_MAP = "/api/v1/namespaces/kube-system/configmaps/berth-e2e"
KUBECTL_SECONDS = 60.0


class KubectlError(Exception):
    """kubectl ended with an error; the message carries what it wrote."""


@dataclass
class Cluster(ClusterView):
    """One running cluster. Make it with `start` or `attach`."""

    state: ClusterState
    binaries: Path
    processes: dict[str, LocalProcess] = field(default_factory=dict)
    outages: int = 0
    """How often `heal` has found the API server dead since `forget_outages`."""
    meant: list[str] = field(default_factory=list)
    """Beginnings of refusals that a test means to see, as `audit.refused` tells them."""
    last_looks: ClassVar[list[Callable[[Cluster], None]]] = []
    """Called before any cluster of this run is taken down, while it still runs: what the whole run is held to."""

    @classmethod
    def start(
        cls,
        name: str,
        *,
        nodes: int = 0,
        gpus: int = 8,
        real: int = 0,
        version: str = tools.DEFAULT_VERSION,
        berth: Berth | bool = False,
    ) -> Cluster:
        """Builds the tools if they are missing, starts everything and waits until it is ready.

        `gpus`: of each fake node; `real`: nodes with a real kubelet beside them, see RealNode. A cluster of that name which
        stands already is taken down first. Raises ToolsError, RealNodesError, ProcessEndedError, WaitedTooLongError.
        """
        take_down(name)
        binaries = tools.built(version)
        chance = random.Random()
        ports = {use: claim_port(chance) for use in PORTS}
        network = claimed_network(real, lambda line: print(line, file=sys.stderr, flush=True))
        state = ClusterState(
            name,
            version,
            secrets.token_hex(16),
            ports,
            real_nodes=[f"real-{i + 1}" for i in range(real)],
            network=None if network is None else network.number,
        )
        state.write()
        try:
            processes = start_control_plane(state, binaries)
            cluster = cls(ApiClient(state.kubeconfig), state, binaries, processes)
            cluster._wait_ready()
            cluster._set_up()
            cluster.add_nodes(nodes, gpus=gpus)
            if network is not None:
                cluster._serve([relay_process(state)])
                start_real_nodes(cluster.api, list(cluster.real.values()), gpus)
            if berth:
                cluster.add_berth(Berth() if berth is True else berth)
        except BaseException:
            take_down(name)
            raise
        return cluster

    @classmethod
    def attach(cls, name: str) -> Cluster:
        """A cluster that another run has started. Raises ForeignClusterError when it is not one of ours."""
        state = read_state(name)
        refuse_foreign(state.kubeconfig)
        cluster = cls(ApiClient(state.kubeconfig), state, tools.bin_folder(state.version), components(state))
        for record in sorted((state.folder / "processes").glob("*.json")):
            process = LocalProcess.from_record(record.read_text(), state.folder)
            cluster.processes[process.name] = process
        cluster._refuse_without_token()
        return cluster

    def stop(self) -> None:
        """Ends every process and removes the state folder."""
        try:
            for look in self.last_looks:
                look(self)
        finally:
            take_down(self.state.name)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def kubeconfig(self) -> Path:
        return self.state.kubeconfig

    @property
    def real(self) -> dict[str, RealNode]:
        """The nodes with a real kubelet, by name."""
        return real_nodes(self.state, self.binaries)

    # --- acting on it

    def kubectl(self, *arguments: str, given: str | None = None, check: bool = True) -> str:
        """What kubectl wrote to stdout; `given` goes to its stdin. Raises KubectlError unless `check` is False."""
        run = subprocess.run(
            [str(self.binaries / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments],
            input=given,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            check=False,
        )
        if check and run.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {run.stderr.strip()[-2_000:]}")
        return run.stdout

    def create(self, *bodies: KubernetesObject) -> None:
        self.api.create_all(bodies)

    def add_nodes(
        self, count: int, *, gpus: int = 8, prefix: str = "node", timeout: float = READY_SECONDS, **shape: object
    ) -> list[str]:
        """Fake nodes PREFIX-0 and on, ready and served on return. `shape`: see objects.node. Returns their names."""
        names = [f"{prefix}-{i}" for i in range(count)]
        self.create(*(node(n, gpus=gpus, **shape) for n in names))  # type: ignore[arg-type]
        wanted = set(names)
        wait_for(f"{count} nodes ready", lambda: wanted <= set(self.ready_nodes()), timeout)
        # KWOK serves pods only on nodes whose Lease it holds
        wait_for(f"{count} nodes served", lambda: wanted <= self.served_nodes(), timeout)
        return names

    def remove_nodes(self, *names: str) -> None:
        """Deletes fake nodes so that nodes of the same names can be made again at once."""
        remove_nodes(self.api, list(names))

    def add_berth(self, berth: Berth | None = None) -> None:
        """Starts Berth beside the control plane, each process as its ServiceAccount; back when all are ready and one scheduler leads."""
        berth = berth or Berth()
        self._claim(berth_ports(berth))
        self._serve(berth_processes(self.state, self.binaries, berth, self._identities(berth)))
        if berth.pairs:
            self._wait_led(SCHEDULER_LEASE)
        if berth.operators:
            self._wait_led(OPERATOR_LEASE)

    def _identities(self, berth: Berth) -> Identities:
        flags = berth.operator_flags
        accounts.give_accounts(self.api, language_model="--hint-backend" in flags, dashboard="--ui" in flags)
        scheduler, operator = (
            accounts.kubeconfig(self.api, self.state, name) for name in (accounts.SCHEDULER, accounts.OPERATOR)
        )
        if berth.through is None:
            return Identities(scheduler, operator, scheduler)
        extender, operator = (kubeconfig_through(file, berth.through) for file in (scheduler, operator))
        return Identities(extender, operator, scheduler)

    def scheduler_kubeconfig(self) -> Path:
        """For a further scheduler, as the ServiceAccount of Berth's own."""
        accounts.give_accounts(self.api)
        return accounts.kubeconfig(self.api, self.state, accounts.SCHEDULER)

    def gateway_kubeconfig(self, namespace: str = "default") -> Path:
        """For a gateway of that namespace, as its ServiceAccount."""
        accounts.give_gateway_account(self.api, namespace)
        return accounts.kubeconfig(self.api, self.state, accounts.GATEWAY, namespace=namespace)

    def remove_berth(self) -> None:
        """Ends Berth's processes in order and forgets them."""
        for name in [n for n in self.processes if n.startswith(("extender-", "scheduler-", "operator-"))]:
            self.processes.pop(name).stop()
            record_file(self.state, name).unlink(missing_ok=True)

    def add_scheduler(self, name: str, settings: Mapping[str, Any]) -> LocalProcess:
        """A further kube-scheduler with this KubeSchedulerConfiguration, ready on return: to compare with."""
        self._claim([name])
        process = scheduler_process(self.state, self.binaries, name, settings)
        self._serve([process])
        return process

    def remove_scheduler(self, name: str) -> None:
        """Ends a further scheduler, and forgets it."""
        self.processes.pop(name).stop()
        record_file(self.state, name).unlink(missing_ok=True)

    def heal(self) -> None:
        """Every process runs again and is ready, whatever a test did to it."""
        self.outages += not self.processes["kube-apiserver"].is_running
        for process in self.processes.values():
            process.thaw()
            process.start()
        self.wait_api()
        for name in self.processes:
            self.wait_ready(name)

    def forget_outages(self) -> None:
        """Starts controllers and schedulers anew when the API server has been away since the last time.

        client-go waits longer after each outage, up to a minute, until none has come for two minutes (reflector's backoff
        manager): scenarios would otherwise depend on those before them.
        """
        if not self.outages:
            return
        self.outages = 0
        names = [n for n in self.processes if n == "kube-controller-manager" or "scheduler" in n]
        for name in names:
            self.processes[name].restart()
        for name in names:
            self.wait_ready(name)

    def wait_ready(self, name: str, timeout: float = READY_SECONDS) -> None:
        """Until a process that has just been started says that it is ready."""
        process = self.processes[name]

        def ready() -> bool:
            process.assert_running()
            return is_ready(self.state, name)

        wait_for(f"{name} ready", ready, timeout, seen=lambda: f"{process.log} ends with:\n{process.log_tail()}")

    def clear(self, *, nodes: bool = True) -> None:
        """Empty again, for the next test: see clearing.py."""
        clear(self.api, nodes=nodes)

    def delete(self, body: KubernetesObject) -> None:
        self.api.delete(object_path(body))

    # --- its life

    def wait_api(self, timeout: float = READY_SECONDS) -> None:
        """Until the API server says that it is ready, after a start or a restart."""

        def ready() -> bool:
            for component in self.processes.values():
                if component.name in ("etcd", "kube-apiserver"):
                    component.assert_running()
            with contextlib.suppress(OSError, RequestError):
                return bool(self.api.get("/readyz") == "ok")
            return False

        server = self.processes["kube-apiserver"]
        wait_for("API server ready", ready, timeout, seen=lambda: f"{server.log} ends with:\n{server.log_tail()}")

    def _claim(self, uses: Iterable[str]) -> None:
        chance = random.Random()
        self.state.ports.update({use: claim_port(chance) for use in uses if use not in self.state.ports})
        self.state.write()

    def _serve(self, processes: Iterable[LocalProcess]) -> None:
        """Starts them together and waits until each is ready."""
        started = list(processes)
        for process in started:
            record = record_file(self.state, process.name)
            record.parent.mkdir(exist_ok=True)
            record.write_text(process.record())
            process.start()
            self.processes[process.name] = process
        for process in started:
            self.wait_ready(process.name)

    def _wait_led(self, lease: str) -> None:
        path = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/leases/{lease}"

        def holder() -> object:
            return self.api.exists(path) and self.api.get(path)["spec"].get("holderIdentity")

        wait_for(f"a holder of Lease {lease}", holder, READY_SECONDS)

    def _wait_ready(self) -> None:
        self.wait_api()
        # the controllers make it; without it no pod can be created
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        wait_for("the default service account", lambda: self.api.exists(account), READY_SECONDS)
        for process in self.processes.values():
            process.assert_running()

    def _set_up(self) -> None:
        """The mark, Berth's namespace and kinds."""
        self.api.create(namespace(SYSTEM_NAMESPACE))
        self.api.create(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "berth-e2e", "namespace": "kube-system"},
                "data": {"token": self.state.token},
            }
        )
        kinds = sorted(CRD_FOLDER.glob("*.yaml")) if CRD_FOLDER.is_dir() else []
        if kinds:
            files = [argument for kind in kinds for argument in ("-f", str(kind))]
            self.kubectl("apply", "--server-side", *files)
            self.kubectl("wait", "--for=condition=Established", "--timeout=30s", *files)

    def _refuse_without_token(self) -> None:
        try:
            told = self.api.get(TOKEN_MAP)
        except RequestError as error:
            raise ForeignClusterError(
                f"the cluster behind {self.kubeconfig} carries no mark of this harness: {error}"
            ) from error
        if told["data"].get("token") != self.state.token:
            raise ForeignClusterError(f"the cluster behind {self.kubeconfig} is another one than {self.name}")


def take_down(name: str) -> list[int]:
    """Ends what is left of a cluster and removes its folder; returns the processes that were still there.

    Works from the folder alone, after a crash of whatever started it, and touches nothing that lacks the cluster's mark.
    """
    folder = state_folder(name)
    if not folder.exists():
        return []
    if any(folder.iterdir()) and not (folder / MARK_FILE).exists():
        raise ForeignClusterError(f"{folder} holds no {MARK_FILE}: it was not made by this harness and is left alone")
    ended = end_all(folder)
    if (folder / MARK_FILE).exists():
        state = read_state(name)
        remove_real_nodes(state)
        give_back(list(state.ports.values()))
    shutil.rmtree(folder)
    return ended
