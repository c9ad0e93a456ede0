"""`berth extender`: wires the watch cache, the decisions and the two servers, and keeps them running.

One event loop, one thread. Once a second: the ledger's and plans' time, the leader's Lease, the collector. SIGTERM and
SIGINT end it within about a second: no new calls, those under way are answered, the own Lease is deleted.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from pathlib import Path

import msgspec
import uvloop

from berth_api.packing_plan import PackingPlan
from berth_api.packing_policy import PackingPolicy
from berth_cluster.connection import Connection
from berth_cluster.leases import Lease, Liveness
from berth_cluster.live import FOR_EXTENDER, LiveCluster
from berth_cluster.snapshot import Node, Pod
from berth_extender.acknowledgement import Acknowledgement
from berth_extender.asked_pods import AskedPods
from berth_extender.garbage import Garbage
from berth_extender.hint_answers import HintAnswers
from berth_extender.leader import Leader
from berth_extender.metrics import Metrics
from berth_extender.server import Application, Server, health_application, metrics_application, take_port
from berth_extender.verbs import Verbs
from berth_scheduling.scheduler import Scheduler
from berth_scheduling.settings import Settings

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
STALE_SECONDS = 180.0
"""A watch that has said nothing for this long (bookmarks come every minute) makes the process unready."""
SYNC_LOG_SECONDS = 30.0


class Options(msgspec.Struct, frozen=True):
    """The flags of `berth extender`."""

    identity: str = msgspec.field(default_factory=socket.gethostname)
    kubeconfig: Path | None = None
    context: str | None = None
    host: str = "127.0.0.1"
    port: int = 9555
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9556
    system_namespace: str = "berth-system"
    pod_uid: str = ""
    """Of the pod named `identity` that this process runs in; empty outside of one."""
    settings: Settings = Settings()


async def run(options: Options) -> None:
    """Serves until SIGTERM or SIGINT. Raises OSError when a port is taken, ConfigurationError without a cluster."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for received in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(received, ended.set)
    with (
        take_port(options.host, options.port) as verbs_socket,
        take_port(options.metrics_host, options.metrics_port) as metrics_socket,
    ):
        connection = await Connection.open(options.kubeconfig, options.context)
        try:
            await Extender(connection, options).serve(verbs_socket, metrics_socket, ended)
        finally:
            await connection.close()


class Extender:
    """All parts of the process, wired. Listens to what the watch cache hears."""

    def __init__(self, connection: Connection, options: Options) -> None:
        self._options = options
        self.metrics = Metrics()
        self.scheduler = Scheduler(options.settings)
        self.cluster = LiveCluster(connection, kinds=FOR_EXTENDER, system_namespace=options.system_namespace)
        self.synced = asyncio.Event()
        self.leader = Leader(Liveness(), self._leader_changed)
        self._verbs = Verbs(self.scheduler, AskedPods(self.cluster, self.metrics), self.metrics, self.synced)
        self.acknowledgement = Acknowledgement(
            connection,
            self.metrics,
            lambda: self.scheduler.active_plan_uids,
            lambda: self._verbs.answered,
            identity=options.identity,
            namespace=options.system_namespace,
            pod_uid=options.pod_uid,
        )
        self._garbage = Garbage(self.metrics)
        self._hint_answers = HintAnswers(lambda: self.cluster.hint_answers, self.scheduler.improve_hints)
        self.cluster.listen(self.scheduler)
        self.cluster.listen(self)  # after the scheduler: it keeps a plan's room before that is said
        self._show()

    async def serve(self, verbs_socket: socket.socket, metrics_socket: socket.socket, ended: asyncio.Event) -> None:
        """Runs everything until `ended` is set, or something that must not end does: then it raises."""
        verbs = Server(Application(self._verbs, health_application(self.missing)), verbs_socket)
        health = Server(metrics_application(self.metrics, self.missing), metrics_socket)
        async with asyncio.TaskGroup() as group:
            keeping = [group.create_task(part) for part in (self.cluster.run(), self._sync(), self._tick())]
            serving = [group.create_task(server.run_until(ended)) for server in (verbs, health)]
            log.info("verbs on %s, metrics on %s", *(_address(s) for s in (verbs_socket, metrics_socket)))
            await ended.wait()
            log.info("ending")
            await asyncio.wait(serving)
            for task in keeping:
                task.cancel()
        await self.acknowledgement.release()

    def missing(self) -> str:
        """What keeps it from being ready; empty when nothing does."""
        if not self.synced.is_set():
            return "the first full view of the cluster is not there yet"
        stale = self.cluster.staleness()
        if stale > STALE_SECONDS:
            return f"a watch has said nothing for {stale:.0f} s"
        return ""

    async def _sync(self) -> None:
        """Waits for the first full view; from then on requests are decided, and the Lease says that we are here."""
        while not await self.cluster.wait_synced(SYNC_LOG_SECONDS):
            log.warning("no full view of the cluster after %g s, waiting on", SYNC_LOG_SECONDS)
        self._garbage.freeze()
        self.synced.set()
        log.info("the cluster is known: %d active plans", len(self.scheduler.active_plan_uids))
        await self.acknowledgement.run()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.leader.look()
            self.scheduler.expire()
            self._hint_answers.look()
            self.acknowledgement.look()
            self._garbage.look()

    def _leader_changed(self, alive: bool) -> None:
        self.scheduler.leader_alive = alive

    def _show(self) -> None:
        scheduler, cluster, gauge = self.scheduler, self.cluster, self.metrics.gauge
        gauge("berth_extender_active_plans", "Plans whose room is kept.", lambda: len(scheduler.active_plan_uids))
        gauge(
            "berth_extender_reserved_pods",
            "Pods on their way for whom plans keep room.",
            lambda: scheduler.reserved_pods,
        )
        gauge("berth_extender_ledger_pods", "Pods approved and not yet seen bound.", lambda: scheduler.ledger_size)
        gauge(
            "berth_extender_waiting_gang_pods",
            "Pods held until their gang has room.",
            lambda: scheduler.waiting_gang_pods,
        )
        gauge(
            "berth_extender_leader_alive",
            "1 while the operator's leader renews its Lease.",
            lambda: self.leader.is_alive,
        )
        gauge(
            "berth_extender_hint_answers",
            "Answers of a language model about hints, that may be used where policies allow it.",
            lambda: len(self._hint_answers),
        )
        gauge("berth_extender_synced", "1 once the whole cluster is known.", self.synced.is_set)
        gauge("berth_extender_staleness_seconds", "Since the quietest watch last said anything.", cluster.staleness)
        self.metrics.counts(
            "berth_extender_watch_restarts",
            "Lists and watches begun anew, by reason.",
            "reason",
            lambda: cluster.restarts,
        )

    # What the watch cache hears

    def node_changed(self, old: Node | None, new: Node | None) -> None:
        """The scheduler's business."""

    def pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        """The scheduler's business."""

    def plan_changed(self, old: PackingPlan | None, new: PackingPlan | None) -> None:
        self.acknowledgement.look()

    def policy_changed(self, old: PackingPolicy | None, new: PackingPolicy | None) -> None:
        """The scheduler's business."""

    def lease_changed(self, old: Lease | None, new: Lease | None) -> None:
        self.leader.lease_changed(old, new)


def main(options: Options) -> None:
    """Runs the process to its end."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(options))


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"{host}:{port}"
