"""Watches a cluster while things go wrong, and knows at the end whether a rule was broken at any moment.

    with Witness(cluster.api, {"left": 1}) as witness:
        witness.when("reserved", lambda plan: ..., cluster.processes["operator-0"].kill)
        ...
    witness.assert_rules_held()

It follows pods and plans by watches of their own and checks each event as it comes:

- no node ever holds pods that request more than it has, pods that are going away included;
- an eviction of ours leaves each budget's pods at least as many as it asks for (deletions by others are counted apart: the
  pod's condition DisruptionTarget says who it was);
- an eviction of ours is on record in a plan, and of no pod whose rest has not ended;
- no two plans are active at once.

Two schedulers on the same nodes may each bind a pod to the last room within moments: Kubernetes has nothing against that but
the kubelet, which refuses one of them, and fake nodes have none. Such moments are told apart, in `raced`.

What a watch missed while it was cut is made up for by listing again; a moment that nobody could see is not judged.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from berth_api.annotations import MOVED_AT
from berth_cluster.quantities import nanos
from berth_e2e.api_client import ApiClient, RequestError, Watch
from berth_e2e.objects import KubernetesObject

PODS, NODES = "/api/v1/pods", "/api/v1/nodes"
PLANS = "/apis/berth.dev/v1alpha1/packingplans"
BY_US = "EvictionByEvictionAPI"
RETRY_SECONDS = 0.1
RACE_SECONDS = 1.0
"""So long after a binding another scheduler may not know of it."""


@dataclass
class Moment:
    """Something to do as soon as a plan is in a certain state."""

    what: str
    matches: Callable[[KubernetesObject], bool]
    act: Callable[[], object]
    came: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def wait(self, timeout: float = 30.0) -> None:
        """Until it has come and been acted on."""
        assert self.came.wait(timeout), f"no plan came to be {self.what} within {timeout:g} s"
        if self.error is not None:
            raise self.error


class Witness:
    """`budgets`: for each value of the label `app`, how many ready pods an eviction must leave."""

    def __init__(self, api: ApiClient, budgets: Mapping[str, int] | None = None) -> None:
        self._api = api
        self._budgets = dict(budgets or {})
        self._rooms: dict[str, Counter[str]] = {}
        self._pods: dict[str, KubernetesObject] = {}
        self._deleted: set[str] = set()
        self._moments: list[Moment] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._watches: dict[str, Watch] = {}
        self._followers = [
            threading.Thread(target=self._follow, args=(PODS, self._see_pod, self._pods), daemon=True),
            threading.Thread(target=self._follow, args=(PLANS, self._see_plan, {}), daemon=True),
        ]
        self.plans: dict[str, KubernetesObject] = {}
        """Every plan that there ever was, by uid, as last seen."""
        self.broken: list[str] = []
        self.raced: list[str] = []
        """Nodes that held too much because two schedulers bound at the same time."""
        self._bound_at: dict[str, float] = {}
        self.disrupted: dict[str, tuple[str, str]] = {}
        """Uid to name and reason of pods that somebody disrupted."""

    def __enter__(self) -> Witness:
        for follower in self._followers:
            follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for watch in list(self._watches.values()):
            watch.close()
        for follower in self._followers:
            follower.join(5)

    def when(self, what: str, matches: Callable[[KubernetesObject], bool], act: Callable[[], object]) -> Moment:
        """Does `act` once, within milliseconds, when a plan is seen that matches."""
        moment = Moment(what, matches, act)
        with self._lock:
            self._moments.append(moment)
        for plan in list(self.plans.values()):
            self._act(plan)
        return moment

    def assert_rules_held(self) -> None:
        recorded = {r["uid"] for plan in self.plans.values() for r in plan.get("status", {}).get("evictions", [])}
        unrecorded = [name for uid, (name, reason) in self.disrupted.items() if reason == BY_US and uid not in recorded]
        assert not unrecorded, f"evicted without a record in a plan: {unrecorded}"
        assert not self.broken, "\n".join(self.broken)

    @property
    def evicted(self) -> list[str]:
        """Names of pods evicted by us, with repetition never."""
        return [name for name, reason in self.disrupted.values() if reason == BY_US]

    @property
    def pods(self) -> int:
        """How many it knows of now."""
        return len(self._pods)

    # -- following

    def _follow(self, path: str, see: Callable[[KubernetesObject, bool], None], known: dict[str, Any]) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException, RequestError, ValueError):
                listed = self._api.get(path)
                here = {found["metadata"]["uid"] for found in listed["items"]}
                for uid in [uid for uid in known if uid not in here]:
                    see(known[uid], True)
                for found in listed["items"]:
                    see(found, False)
                watch = self._watches[path] = self._api.watch(path, listed["metadata"]["resourceVersion"])
                for event in watch:
                    if event["type"] == "ERROR":
                        break
                    see(event["object"], event["type"] == "DELETED")
            self._ended.wait(RETRY_SECONDS)

    # -- pods

    def _see_pod(self, pod: KubernetesObject, gone: bool) -> None:
        uid = pod["metadata"]["uid"]
        before = self._pods.pop(uid, None)
        if not gone:
            self._pods[uid] = pod
        where = pod["spec"].get("nodeName")
        if where and not gone and (before is None or before["spec"].get("nodeName") != where):
            self._bound_at[uid] = time.monotonic()
            self._check_room(where, pod)
        reason = next(
            (
                c["reason"]
                for c in pod["status"].get("conditions", [])
                if c["type"] == "DisruptionTarget" and c["status"] == "True"
            ),
            "",
        )
        if reason and uid not in self.disrupted:
            self.disrupted[uid] = (pod["metadata"]["name"], reason)
            if reason == BY_US:
                self._check_eviction(pod)

    def _check_room(self, node: str, newest: KubernetesObject) -> None:
        room = self._room(node)
        if room is None:
            return
        used: Counter[str] = Counter()
        for pod in self._pods.values():
            if pod["spec"].get("nodeName") == node and pod["status"].get("phase") not in ("Succeeded", "Failed"):
                used.update(requests_of(pod))
        over = {r: amount for r, amount in used.items() if amount > room[r]}
        if over:
            found = self.raced if self._has_raced(node, newest) else self.broken
            found.append(f"{node} holds more than it has when {newest['metadata']['name']} came: {over}")

    def _has_raced(self, node: str, newest: KubernetesObject) -> bool:
        """A pod of another scheduler has just been bound there too."""
        own, at = newest["spec"]["schedulerName"], self._bound_at[newest["metadata"]["uid"]]
        return any(
            pod["spec"].get("nodeName") == node
            and pod["spec"]["schedulerName"] != own
            and at - self._bound_at[uid] < RACE_SECONDS
            for uid, pod in self._pods.items()
        )

    def _room(self, node: str) -> Counter[str] | None:
        """None: it is gone."""
        if node not in self._rooms:
            try:
                told = self._api.get(f"{NODES}/{node}")
            except (RequestError, OSError, http.client.HTTPException):
                return None
            self._rooms[node] = Counter({r: nanos(text) for r, text in told["status"]["allocatable"].items()})
        return self._rooms[node]

    def _check_eviction(self, pod: KubernetesObject) -> None:
        name, app = pod["metadata"]["name"], pod["metadata"].get("labels", {}).get("app", "")
        if pod["metadata"].get("annotations", {}).get(MOVED_AT):
            self.broken.append(f"{name} was moved again, although it rests")
        if app in self._budgets:
            left = [p for p in self._pods.values() if p["metadata"].get("labels", {}).get("app") == app and is_ready(p)]
            if len(left) < self._budgets[app]:
                self.broken.append(f"the eviction of {name} left {len(left)} ready pods of {app}")

    # -- plans

    def _see_plan(self, plan: KubernetesObject, gone: bool) -> None:
        uid = plan["metadata"]["uid"]
        self.plans[uid] = plan
        self._deleted.update([uid] if gone else [])
        if gone:
            return
        standing = [p for uid, p in self.plans.items() if uid not in self._deleted]
        active = [p["metadata"]["name"] for p in standing if condition(p, "Approved") and not outcome(p)]
        if len(active) > 1:
            self.broken.append(f"plans {active} were active at once")
        self._act(plan)

    def _act(self, plan: KubernetesObject) -> None:
        with self._lock:
            due = [moment for moment in self._moments if moment.matches(plan)]
            self._moments = [moment for moment in self._moments if moment not in due]
        for moment in due:
            try:
                moment.act()
            except Exception as error:  # the test that waits for it raises it
                moment.error = error
            moment.came.set()


def requests_of(pod: KubernetesObject) -> Counter[str]:
    """In 10^-9 units; containers alone, for that is what tests use."""
    total: Counter[str] = Counter({"pods": nanos("1")})
    for container in pod["spec"]["containers"]:
        wanted = container.get("resources", {}).get("requests", {})
        total.update({resource: nanos(text) for resource, text in wanted.items()})
    return total


def is_ready(pod: KubernetesObject) -> bool:
    """Counted by a disruption budget, and neither going away nor about to."""
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
    going = "deletionTimestamp" in pod["metadata"] or conditions.get("DisruptionTarget") == "True"
    return conditions.get("Ready") == "True" and not going


def condition(plan: KubernetesObject, kind: str) -> bool:
    found = plan.get("status", {}).get("conditions", [])
    return any(c["type"] == kind and c["status"] == "True" for c in found)


def outcome(plan: KubernetesObject) -> str:
    """How it ended; empty while it has not."""
    found = plan.get("status", {}).get("conditions", [])
    return next((c["reason"] for c in found if c["type"] == "Finished" and c["status"] == "True"), "")


def steps(plan: KubernetesObject) -> list[str]:
    """State of each step, in order."""
    return [step["state"] for step in plan.get("status", {}).get("steps", [])]
