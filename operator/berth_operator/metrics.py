"""What the operator measures. One object, made once a process, handed to whoever counts."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self.leader = Gauge("berth_leader", "1 while this process leads.", registry=registry)
        self.plans_written = Counter(
            "berth_plans_written_total", "Plans written, by trigger.", ["trigger"], registry=registry
        )
        self.plans_finished = Counter(
            "berth_plans_finished_total", "Plans seen to end, by outcome.", ["outcome"], registry=registry
        )
        self.plans_dropped = Counter(
            "berth_plans_dropped_total", "Plans found and not written, by reason.", ["reason"], registry=registry
        )
        self.solve_seconds = Histogram(
            "berth_solve_seconds",
            "From handing a snapshot to the solver to its answer.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.solves_failed = Counter(
            "berth_solves_failed_total", "Solves without an answer, by reason.", ["reason"], registry=registry
        )
        self.fallbacks = Counter(
            "berth_fallback_preemptions_total",
            "Pods whose patience ended: served by ordinary preemption, or found without victims.",
            ["result"],
            registry=registry,
        )
        self.waiting_pods = Gauge(
            "berth_waiting_pods",
            "Pods that kube-scheduler cannot place, by what they were told.",
            ["reason"],
            registry=registry,
        )
        self.longest_wait = Gauge(
            "berth_longest_wait_seconds", "How long the pod that waits longest has waited.", registry=registry
        )
        self.moves_last_hour = Gauge(
            "berth_moves_last_hour", "Evictions of ours that were accepted within the hour.", registry=registry
        )
        self.task_restarts = Counter(
            "berth_task_restarts_total",
            "Tasks that ended with an error and were started again.",
            ["task"],
            registry=registry,
        )
        self.solver_restarts = Counter(
            "berth_solver_restarts_total", "Solver processes replaced, by reason.", ["reason"], registry=registry
        )
        self._solver_restarts_known: dict[str, int] = {}
        self.events = Counter(
            "berth_events_total",
            "Events by what became of them: written, repeated, dropped or refused.",
            ["result"],
            registry=registry,
        )
        self.hints = Counter(
            "berth_operator_hints_total",
            "Allocation hints of owners, by what was made of them; a hint may have several outcomes.",
            ["outcome"],
            registry=registry,
        )
        self.annotations = Counter(
            "berth_annotation_writes_total", "Writes of berth.dev/why, by result.", ["result"], registry=registry
        )

    def count_solver_restarts(self, restarts: Mapping[str, int]) -> None:
        """Bring the counter up to what the solver's own bookkeeping says."""
        for reason, count in restarts.items():
            known = self._solver_restarts_known.get(reason, 0)
            self.solver_restarts.labels(reason).inc(count - known)
            self._solver_restarts_known[reason] = count
