"""The operator's process: watch the cluster, contend for leadership, plan and execute while leading.

    connection -> cluster (always) -> leadership -> [planning loop, executor, hints, events] (while leading)

A standby watches too, so that it acts within seconds of taking over. Whoever acts writes through a fenced connection
(`fencing`). When leadership is lost everything of the leader is cancelled and the process contends anew; a signal gives the
lease back. Tasks that fail are started again (`supervision`).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from collections.abc import Awaitable, Callable

from berth_api.annotations import OPERATOR_LEASE
from berth_cluster.connection import Connection
from berth_cluster.live import EVERYTHING, LiveCluster
from berth_intent.backends.backend import Backend
from berth_operator.events import Events
from berth_operator.execution import Executor
from berth_operator.execution_metrics import ExecutionMetrics
from berth_operator.fencing import FencedConnection
from berth_operator.health import HealthServer, health_app
from berth_operator.hint_answer_store import AnswerStore
from berth_operator.hint_budget import Limits
from berth_operator.hint_model_metrics import HintModelMetrics
from berth_operator.hint_model_settings import open_backend
from berth_operator.hint_model_worker import HintModelWorker
from berth_operator.leadership import Leadership
from berth_operator.metrics import Metrics
from berth_operator.mounting import Mount
from berth_operator.own_kinds import OwnKinds
from berth_operator.planning_loop import PlanningLoop
from berth_operator.residency.node_annotations import NodeAnnotations
from berth_operator.serving.metrics import ServingMetrics
from berth_operator.serving.moving import MovingServices
from berth_operator.serving.reconciler import Reconciler
from berth_operator.serving.room import RoomForSurge
from berth_operator.serving.services import Services
from berth_operator.serving.view import ServingView
from berth_operator.settings import Settings
from berth_operator.solver_process import SolverProcess
from berth_operator.supervision import supervised
from berth_operator.understood_events import UnderstoodHints
from berth_operator.understood_reading import HintReaders

logger = logging.getLogger(__name__)

SYNC_SECONDS = 60.0

Task = Callable[[], Awaitable[None]]


async def run_operator(settings: Settings, metrics: Metrics | None = None, mount: Mount | None = None) -> None:
    """Runs until SIGTERM or SIGINT. mount: makes a further app for its port. Raises ConfigurationError or ApiError without a cluster, OSError when the port is taken,
    SetupError when the language model for hints cannot be used as it is configured."""
    backend = None if settings.hint_model is None else open_backend(settings.hint_model)
    connection = await Connection.open(settings.kubeconfig, settings.context)
    try:
        await _Operator(settings, connection, metrics or Metrics(), backend, mount).run()
    finally:
        await connection.close()
        if backend is not None:
            await backend.close()


class _Operator:
    def __init__(
        self,
        settings: Settings,
        connection: Connection,
        metrics: Metrics,
        backend: Backend | None = None,
        mount: Mount | None = None,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._metrics = metrics
        self._cluster = LiveCluster(connection, kinds=EVERYTHING, system_namespace=settings.system_namespace)
        self._leadership = Leadership(
            connection, identity=settings.identity, name=OPERATOR_LEASE, namespace=settings.system_namespace
        )
        fenced = FencedConnection(connection, lambda: self._leadership.leads)
        self._events = Events(fenced, metrics, instance=settings.identity)
        self._planning = PlanningLoop(fenced, self._cluster, SolverProcess(), self._events, metrics)
        readers = HintReaders(answers=lambda: self._cluster.hint_answers)
        self._hints = UnderstoodHints(self._cluster, self._events, metrics, readers)
        self._cluster.listen(self._hints)
        self._serving = ServingView(connection)
        reconciler = Reconciler(
            fenced,
            self._serving,
            RoomForSurge(self._cluster),
            settings.images,
            node_answers=self._node_answers,
            prometheus_url=settings.prometheus_url,
            plans=lambda: self._cluster.plans,
        )
        self._services = Services(self._serving, reconciler)
        self._cluster.listen(MovingServices(self._services.changed))
        self._serving.listen(self._services.changed)
        self._node_models = NodeAnnotations(connection, fenced, self._cluster)
        ServingMetrics(metrics.registry, self._serving, self._services, reconciler)
        self._own_kinds = OwnKinds(connection, self._planning.wake)
        self._executor = Executor(fenced, self._cluster, ExecutionMetrics(metrics.registry), self._events)
        self._mounted = None if mount is None else mount(connection, self._cluster, metrics.registry)
        self._hint_model: HintModelWorker | None = None
        if backend is not None and (asked := settings.hint_model) is not None:
            self._hint_model = HintModelWorker(
                self._cluster,
                AnswerStore(fenced, settings.system_namespace),
                backend,
                Limits(asked.daily_calls, asked.daily_tokens),
                HintModelMetrics(metrics.registry),
                timeout_seconds=asked.timeout_seconds,
                on_answer=self._hints.answers_changed,
            )

    async def run(self) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        app = health_app(
            is_synced=lambda: self._cluster.synced and self._serving.synced,
            seconds_standing_still=self._seconds_standing_still,
            registry=self._metrics.registry,
            beside=None if self._mounted is None else self._mounted.app,
        )
        listening = socket.create_server((self._settings.host, self._settings.port))
        logger.info("health and metrics on %s:%d", *listening.getsockname()[:2])
        server = HealthServer(app)
        always: dict[str, Task] = {
            "watch": self._cluster.run,
            "watch services": self._serving.run,
            "watch models": self._node_models.watch,
            "lead": self._lead,
        }
        if self._mounted is not None:
            always["dashboard"] = self._mounted.run
        tasks = [self._supervised(name, task) for name, task in always.items()]
        serving = asyncio.create_task(server.serve([listening]), name="health")
        try:
            stopping = asyncio.create_task(stop.wait(), name="signals")
            await asyncio.wait((stopping, serving), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            logger.info("asked to stop" if stop.is_set() else "the health server ended; so does the process")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._leadership.release()
            server.should_exit = True
            await serving

    async def _lead(self) -> None:
        """Contend for ever; act while leading."""
        while not await self._cluster.wait_synced(SYNC_SECONDS):
            logger.warning("the cluster has not been listed after %.0f s", SYNC_SECONDS)
        while True:
            await self._leadership.acquire()
            self._metrics.leader.set(1)
            acting: dict[str, Task] = {
                "events": self._events.run,
                "planning": self._planning.run,
                "execution": self._executor.run,
                "own kinds": self._own_kinds.run,
                "hints": self._hints.run,
                "services": self._services.run,
                "models of nodes": self._node_models.run,
            }
            if self._hint_model is not None:
                acting["hint model"] = self._hint_model.run
            tasks = [self._supervised(name, task) for name, task in acting.items()]
            try:
                await self._leadership.hold()
            finally:
                self._metrics.leader.set(0)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _node_answers(self, name: str) -> bool:
        node = self._cluster.node(name)
        return node is None or node.ready

    def _supervised(self, name: str, task: Task) -> asyncio.Task[None]:
        return asyncio.create_task(supervised(name, task, self._metrics.task_restarts), name=name)

    def _seconds_standing_still(self) -> float:
        return time.monotonic() - self._planning.last_round if self._leadership.leads else 0.0
