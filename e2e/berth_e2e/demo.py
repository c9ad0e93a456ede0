"""`make demo-cluster`: a pod that fits nowhere although there is room, and how it comes to run; on a real control plane.

Three nodes of eight GPUs, each with three pods of two: six GPUs are free, no node has four. A pod of four GPUs arrives. What is
told is what the API server says, line by line as it happens, with the seconds since the pod was created.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from berth_api.annotations import SCHEDULER, WHY, Why
from berth_api.packing_plan import PackingPlan
from berth_e2e.cluster import Cluster
from berth_e2e.objects import GPU, KubernetesObject, deployment
from berth_e2e.waiting import WaitedTooLongError

NAME = "demo"
NODES, GPUS = 3, 8
NARROW, WIDE = "chat", "wide"
PLANS = "/apis/berth.dev/v1alpha1/packingplans"
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
RUNNING_SECONDS = 60.0
"""Two quiet seconds, a solve and one move take about 6; more than a minute is a failure."""
LOOK_SECONDS = 0.05
FREE = "·"


@dataclass
class Story:
    """Says each thing once, with the time since `started`."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    started: float | None = None
    told: set[str] = field(default_factory=set)

    def step(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]")

    def say(self, line: str, style: str = "") -> None:
        if line in self.told:
            return
        self.told.add(line)
        when = "        " if self.started is None else f"{self.clock() - self.started:6.1f} s"
        self.console.print(f"{when}  {line}", style=style or None, highlight=False, markup=False, soft_wrap=True)


def show(*, keep: bool, console: Console | None = None) -> None:
    """Runs the demonstration and takes the cluster down, unless `keep`. Raises WaitedTooLongError when nothing happens."""
    story = Story(console or Console())
    story.step(f"1. A control plane, {NODES} nodes of {GPUS} GPUs, and Berth")
    began = time.monotonic()
    cluster = Cluster.start(NAME, nodes=NODES, gpus=GPUS, berth=True)
    try:
        story.say(f"Kubernetes {cluster.state.version} and Berth are up after {time.monotonic() - began:.1f} s")
        _fragment(cluster, story)
        _place_wide_pod(cluster, story)
    finally:
        if not keep:
            cluster.stop()
    story.step("What is left")
    if keep:
        story.say(f"the cluster stands: export KUBECONFIG={cluster.kubeconfig}")
        story.say(f"take it down with: make cluster-down NAME={NAME}")
    else:
        story.say("nothing: every process has ended and the state folder is removed")


def _fragment(cluster: Cluster, story: Story) -> None:
    """Fills the nodes, then takes one pod from each, as a fall in traffic does."""
    story.step(f"2. Twelve {NARROW} pods of two GPUs fill the nodes; traffic falls, and nine remain")
    per_node = GPUS // 2
    cluster.create(deployment(NARROW, NODES * per_node, gpus=2, scheduler=SCHEDULER))
    pods = cluster.wait_running(f"app={NARROW}", NODES * per_node)
    goes = {p["spec"]["nodeName"]: p for p in pods}  # one of each node
    for found in goes.values():
        path = f"/api/v1/namespaces/default/pods/{found['metadata']['name']}"
        cluster.api.merge(path, {"metadata": {"annotations": {DELETION_COST: "-100"}}})
    cluster.api.merge(f"/apis/apps/v1/namespaces/default/deployments/{NARROW}", {"spec": {"replicas": NODES * 3}})
    cluster.wait_running(f"app={NARROW}", NODES * 3)
    free = _picture(cluster, story)
    story.say(f"{sum(free)} GPUs are free, at most {max(free)} on one node")


def _place_wide_pod(cluster: Cluster, story: Story) -> None:
    story.step("3. A pod of four GPUs arrives")
    story.started = story.clock()
    cluster.create(deployment(WIDE, 1, gpus=4, scheduler=SCHEDULER))
    end = story.clock() + RUNNING_SECONDS
    nodes = _places(cluster)
    while not _look(cluster, story, nodes):
        if story.clock() > end:
            log = cluster.processes["operator-0"]
            raise WaitedTooLongError(
                f"the pod did not run within {RUNNING_SECONDS:g} s:\n{cluster.told()}\n{log.log} ends with:\n{log.log_tail()}"
            )
        time.sleep(LOOK_SECONDS)
    story.started = None
    story.step("4. Afterwards")
    _picture(cluster, story)


def _look(cluster: Cluster, story: Story, nodes: dict[str, str]) -> bool:
    """Tells what is new. True when the pod runs and the plan has ended. `nodes`: where each pod was last seen."""
    plans = [PackingPlan.model_validate(p) for p in cluster.api.items(PLANS)]
    pods = cluster.pods()
    for pod in pods:
        if pod["metadata"]["labels"]["app"] == WIDE:
            _tell_waiting(pod, story)
    for plan in plans:
        _tell_plan(plan, story)
    for pod in pods:
        name, node = pod["metadata"]["name"], pod["spec"].get("nodeName")
        if "deletionTimestamp" in pod["metadata"]:
            story.say(f"{name} is evicted from {node}")
        elif node is not None and pod["status"]["phase"] == "Running" and nodes.get(name) != node:
            story.say(f"{name} runs on {node}", "bold green" if name.startswith(WIDE) else "green")
            nodes[name] = node
    for name in sorted(set(nodes) - {p["metadata"]["name"] for p in pods}):
        story.say(f"{name} has left {nodes.pop(name)}: evicted, to be made again by its Deployment")
    runs = any(n.startswith(WIDE) for n in nodes)
    return runs and bool(plans) and all(plan.is_finished for plan in plans)


def _tell_waiting(pod: KubernetesObject, story: Story) -> None:
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            story.say(f"Pending; kube-scheduler: {condition['message'].partition('. preemption')[0]}", "yellow")
    why = pod["metadata"].get("annotations", {}).get(WHY)
    if why is not None:
        told = Why.model_validate_json(why)
        story.say(f"Pending; Berth: {told.code}: {told.message}", "yellow")


def _tell_plan(plan: PackingPlan, story: Story) -> None:
    story.say(f"PackingPlan {plan.metadata.name}: {plan.spec.summary}", "cyan")
    for tier in plan.spec.certificate.tiers:
        story.say(
            f"  proven: priority {tier.priority}: {tier.placed_before} of {tier.pods} pods placed before, "
            f"{tier.placed_after} after, at most {tier.bound} possible ({tier.certificate})"
        )
    disruption = plan.spec.certificate.disruption
    story.say(f"  proven: moves: {disruption.moves}, and no way needs fewer ({disruption.certificate})")
    for eviction in plan.spec.evictions:
        story.say(f"  move {eviction.pod} from {eviction.node} to {eviction.target}")
    for placement in plan.spec.placements:
        if placement.workload.name.startswith(WIDE):
            story.say(f"  place {placement.workload.name} on {placement.node}")
    for condition in plan.status.conditions:
        if condition.status == "True":
            story.say(f"plan {plan.metadata.name}: {condition.type} ({condition.reason})", "cyan")


def _places(cluster: Cluster) -> dict[str, str]:
    """Node of each running pod."""
    return {p["metadata"]["name"]: p["spec"]["nodeName"] for p in cluster.running()}


def _picture(cluster: Cluster, story: Story) -> list[int]:
    """Draws each node's GPUs, a letter a pod of that workload; returns how many each node has free."""
    free = []
    running = cluster.running()
    for node in sorted(n["metadata"]["name"] for n in cluster.api.items("/api/v1/nodes")):
        here = [p for p in running if p["spec"]["nodeName"] == node]
        drawn = " ".join(_letter(p) * _gpus(p) for p in sorted(here, key=lambda p: -_gpus(p)))
        used = sum(_gpus(p) for p in here)
        free.append(GPUS - used)
        story.told.discard(f"{node}  {drawn} {FREE * (GPUS - used)}")
        story.say(f"{node}  {drawn} {FREE * (GPUS - used)}")
    story.say(f"(c: {NARROW}, w: {WIDE}, {FREE}: free)")
    return free


def _letter(pod: KubernetesObject) -> str:
    name: str = pod["metadata"]["labels"]["app"]
    return name[0]


def _gpus(pod: KubernetesObject) -> int:
    limits: dict[str, Any] = pod["spec"]["containers"][0]["resources"].get("limits", {})
    return int(limits.get(GPU, 0))
