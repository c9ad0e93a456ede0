"""The dashboard on a real API server: who sees what, who may act, and that the cluster answers as the person who asks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from berth_cluster.connection import Connection
from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.objects import namespace, replica_set
from berth_e2e.people import account, kubeconfig_with, rule
from berth_e2e.waiting import wait_for
from berth_operator.plan_writing import PLANS_PATH
from berth_ui.callers import KEPT_SECONDS, BearerCallers, RefusedError

Json = dict[str, Any]
LOOKS = (
    rule("", "nodes pods", "list"),
    rule("berth.dev", "packingplans llmservices", "list"),
)


@pytest.fixture
def shown(cluster: Cluster) -> Iterator[Cluster]:
    """Two half-full nodes, a pod that needs a whole one, and a policy that lets a person decide."""
    cluster.remove_berth()
    cluster.create(namespace("team-a"), namespace("team-b"))
    cluster.create(
        {
            "apiVersion": "berth.dev/v1alpha1",
            "kind": "PackingPolicy",
            "metadata": {"name": "all"},
            "spec": {"mode": "Manual"},
        }
    )
    cluster.add_berth(Berth(pairs=1, operator_flags=("--ui",)))
    try:
        cluster.add_nodes(2, gpus=8)
        for i, name in enumerate(("left", "right")):
            cluster.kubectl("cordon", f"node-{1 - i}")
            cluster.create(replica_set(name, 1, gpus=4, scheduler="berth", namespace="team-a"))
            cluster.wait_running(f"app={name}", 1, namespace="team-a")
            cluster.kubectl("uncordon", f"node-{1 - i}")
        cluster.create(replica_set("big", 1, gpus=8, scheduler="berth", namespace="team-b"))
        yield cluster
    finally:
        cluster.remove_berth()


class Person:
    def __init__(self, url: str, token: str) -> None:
        self.client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=30
        )

    def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = self.client.request(method, f"/api/v1{path}", **({} if body is None else {"json": body}))
        return answer.status_code, answer.json()

    def get(self, path: str) -> Any:
        status, found = self("GET", path)
        assert status == 200, (path, found)
        return found

    def reason(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        status, found = self(method, path, body)
        return status, found.get("reason", "")


def url_of(cluster: Cluster) -> str:
    return f"http://127.0.0.1:{cluster.state.ports['operator-0']}"


def the_plan(person: Person) -> Json:
    return wait_for("a plan", lambda: next(iter(person.get("/plans")["items"]), None), 30.0)


@pytest.mark.timeout(180)
def test_everybody_sees_and_does_what_they_may(shown: Cluster, tmp_path: Path) -> None:
    cluster, url = shown, url_of(shown)
    oncall = Person(url, account(cluster, "oncall", *LOOKS, rule("berth.dev", "packingplans", "get patch")))
    looker = Person(url, account(cluster, "looker", *LOOKS))
    tenant = Person(url, account(cluster, "tenant", rule("", "pods", "list"), within="team-a"))

    # without a token, or with one that nobody gave out, nothing is told
    assert Person(url, "").reason("GET", "/overview") == (401, "Unauthenticated")
    assert Person(url, "made-up").reason("GET", "/harbour") == (401, "Unauthenticated")
    assert httpx.get(f"{url}/healthz").status_code == 200

    # the whole picture, for who may list it
    plan = the_plan(oncall)
    assert (plan["phase"], plan["moves"], plan["gains"]) == ("Proposed", 1, 1)
    overview = oncall.get("/overview")
    assert (overview["source"], overview["nodes"], overview["gpus"], overview["gpusUsed"]) == ("Live", 2, 16, 8)
    assert (overview["leader"], overview["schedulerServes"], overview["notices"]) == ("operator-0", True, [])
    assert (overview["may"]["act"], looker.get("/overview")["may"]["act"]) == (True, False)
    harbour = oncall.get("/harbour")
    assert {(p["workload"], p["phase"]) for p in harbour["pods"]} == {
        ("ReplicaSet/left", "Running"),
        ("ReplicaSet/right", "Running"),
        ("ReplicaSet/big", "Waiting"),
    }
    (waits,) = oncall.get("/waiting")["items"]
    assert (waits["reason"], waits["plan"]) == ("FitsAfterMoves", plan["name"])

    # a tenant: their own pods, no nodes, no plans, no questions about the whole
    theirs = tenant.get("/harbour")
    assert {p["workload"] for p in theirs["pods"]} == {"ReplicaSet/left", "ReplicaSet/right"}
    assert theirs["nodes"] == []
    assert tenant.get("/overview")["may"] == {
        "act": False, "seeNodes": False, "seePlans": False, "namespaces": ["team-a"],
    }  # fmt: skip
    assert (tenant.get("/plans")["items"], tenant.get("/waiting")["items"]) == ([], [])
    big = next(p["name"] for p in harbour["pods"] if p["phase"] == "Waiting")
    for path in (f"/pods/team-b/{big}", "/nodes/node-0", f"/plans/{plan['name']}"):
        assert tenant.reason("GET", path) == (404, "NotFound")
    assert tenant.reason("POST", f"/plans/{plan['name']}/approve") == (404, "NotFound")
    assert tenant.reason("POST", "/what-if", {"add": [{"like": "node-0", "count": 1}]}) == (403, "Forbidden")
    assert tenant.reason("POST", "/plans/preview") == (403, "Forbidden")

    # what a change is worth, before anything is done
    what_if = oncall("POST", "/what-if", {"add": [{"like": "node-0", "count": 1}]})[1]
    assert what_if["moves"] == 0
    assert what_if["seconds"] < 5.0

    # looking is not acting: the API server refuses, since it is asked as the person
    assert looker.reason("POST", f"/plans/{plan['name']}/approve") == (403, "Forbidden")
    assert not cluster.api.get(f"{PLANS_PATH}/{plan['name']}")["spec"]["approved"]
    seen = Seen(tenant, "team-a")
    with seen:
        status, detail = oncall("POST", f"/plans/{plan['name']}/approve")
        assert status == 200, detail
        writers = cluster.api.get(f"{PLANS_PATH}/{plan['name']}")["metadata"]["managedFields"]
        assert "berth-ui" in {writer["manager"] for writer in writers}
        cluster.wait_running("app=big", 1, namespace="team-b")
        done = lambda: oncall.get(f"/plans/{plan['name']}")["plan"]["phase"] == "Completed"  # noqa: E731
        wait_for("the plan's end", done, 30.0)
        wait_for("news of the move", lambda: seen.pods, 10.0)
    assert {p["namespace"] for p in seen.pods} == {"team-a"}
    assert seen.nodes == []
    assert oncall.reason("POST", f"/plans/{plan['name']}/cancel") == (409, "PlanFinished")

    # what was promised, and what came of it
    told = oncall.get("/history")
    (outcome,) = told["outcomes"]
    assert (outcome["outcome"], outcome["movesPlanned"], outcome["movesMade"]) == ("Completed", 1, 1)
    assert (outcome["gainsPlanned"], outcome["gainsMade"], told["podsGained"]) == (1, 1, 1)
    assert sum(tier["placed"] for tier in told["waits"]) >= 1
    assert oncall.client.get("/api/v1/history.csv").text.startswith("at,gpus,")
    assert tenant.reason("GET", "/history") == (403, "Forbidden")
    metrics = httpx.get(f"{url}/metrics").text
    assert 'berth_history_moves_total{what="made"} 1.0' in metrics
    assert "berth_history_gpus_stranded 0.0" in metrics

    # and back: what moved returns, what came in waits again
    status, back = oncall("POST", f"/plans/{plan['name']}/reverse")
    assert status == 200, back
    (left,) = [m for wave in back["waves"] for m in wave["moves"] if m["target"]]
    assert (back["moves"], back["evictions"], left["gpus"]) == (1, 1, 4)
    assert left["target"] != left["source"]
    assert [p.partition("/")[0] for p in back["lost"]] == ["team-b"]
    cluster.kubectl("delete", "replicaset", "left", "right", "-n", "team-a")
    wait_for("empty", lambda: len(oncall.get("/harbour")["pods"]) == 1, 30.0)
    assert oncall.reason("POST", f"/plans/{plan['name']}/reverse") == (409, "NoWayBack")


class Seen:
    """What the events tell somebody meanwhile."""

    def __init__(self, person: Person, own: str) -> None:
        self.pods: list[Json] = []
        self.nodes: list[Json] = []
        self._person = person
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._begun = threading.Event()
        self._over = False

    def _read(self) -> None:
        with (
            contextlib.suppress(httpx.HTTPError),  # the server ends before the reader does
            self._person.client.stream("GET", "/api/v1/changes") as stream,
        ):
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    change = json.loads(line[6:])
                    self.pods += change["pods"]
                    self.nodes += change["nodes"]
                    self._begun.set()
                if self._over:
                    return

    def __enter__(self) -> Seen:
        self._thread.start()
        assert self._begun.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True


@contextmanager
def alone(kubeconfig: Path, folder: Path) -> Iterator[httpx.Client]:
    """`berth ui` in a process of its own; a browser that has opened the address that it printed."""
    out, log = folder / "ui.out", folder / "ui.log"
    command = [sys.executable, "-m", "berth_cli.main", "ui", "--kubeconfig", str(kubeconfig), "--port", "0"]
    with out.open("w") as printed, log.open("w") as written:
        process = subprocess.Popen(command, stdout=printed, stderr=written, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        found = wait_for("the address", lambda: re.search(r"http://\S+", out.read_text()), 60.0, seen=log.read_text)
        with httpx.Client(base_url=found[0].partition("/ui")[0], timeout=30) as browser:
            wait_for("an answer", lambda: _opens(browser, found[0]), 20.0, seen=log.read_text)
            yield browser
    finally:
        process.terminate()
        process.wait(30)


def _opens(browser: httpx.Client, address: str) -> bool:
    try:
        return browser.get(address).status_code == 307
    except httpx.HTTPError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_on_ones_own_machine_everything_is_done_with_ones_own_login(shown: Cluster, tmp_path: Path) -> None:
    cluster = shown
    token = account(cluster, "oncall-alone", *LOOKS, rule("berth.dev", "packingplans", "list watch patch"),
                    rule("", "nodes pods namespaces replicationcontrollers", "list watch"),
                    rule("apps", "deployments replicasets statefulsets daemonsets", "list watch"),
                    rule("batch", "jobs cronjobs", "list watch"), rule("policy", "poddisruptionbudgets", "list watch"),
                    rule("berth.dev", "packingpolicies llmservices", "list watch"))  # fmt: skip
    with alone(kubeconfig_with(cluster, token, tmp_path / "oncall"), tmp_path) as browser:
        overview = browser.get("/api/v1/overview").json()
        assert (overview["source"], overview["nodes"], overview["may"]["act"]) == ("Live", 2, True)
        name = wait_for(
            "a plan", lambda: next((p["name"] for p in browser.get("/api/v1/plans").json()["items"]), None), 30.0
        )
        assert httpx.get(browser.base_url.join("/api/v1/plans")).status_code == 401  # another user of the machine
        began = time.monotonic()
        cancelled = browser.post(f"/api/v1/plans/{name}/cancel")
        assert cancelled.status_code == 200, cancelled.text
        assert cluster.api.get(f"{PLANS_PATH}/{name}")["spec"]["cancelled"] is True
        ended = lambda: browser.get(f"/api/v1/plans/{name}").json()["plan"]["phase"] == "Cancelled"  # noqa: E731
        wait_for("its end", ended, 20.0)
        assert time.monotonic() - began < 20.0


@pytest.mark.timeout(60)
def test_who_may_not_list_the_cluster_is_told_where_to_look(cluster: Cluster, tmp_path: Path) -> None:
    cluster.create(namespace("team-a"))
    token = account(cluster, "tenant-alone", rule("", "pods", "list"), within="team-a")
    kubeconfig = kubeconfig_with(cluster, token, tmp_path / "tenant")
    command = [sys.executable, "-m", "berth_cli.main", "ui", "--kubeconfig", str(kubeconfig), "--port", "0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 3
    assert "Forbidden" in ended.stderr
    assert "nodes" in ended.stderr


@pytest.mark.timeout(60)
def test_rights_are_asked_for_once_for_some_seconds_and_then_anew(cluster: Cluster) -> None:
    cluster.create(namespace("team-a"))
    token = account(cluster, "tenant-cached", rule("", "pods", "list"), within="team-a")

    async def scenario() -> None:
        connection = await Connection.open(cluster.kubeconfig)
        asked: list[str] = []
        request = connection.request

        async def counted(method: str, path: str, **how: Any) -> bytes:
            asked.append(path)
            return await request(method, path, **how)

        connection.request = counted  # type: ignore[method-assign, assignment]
        clock = [0.0]
        callers = BearerCallers(connection, lambda: ["team-a", "team-b"], lambda: clock[0])
        headers = {"authorization": f"Bearer {token}"}
        try:
            found = await asyncio.gather(*(callers.of(headers) for _ in range(20)))
            assert {tuple(caller.may.namespaces or ()) for caller in found} == {("team-a",)}
            assert sum("tokenreviews" in path for path in asked) == 1
            once = len(asked)
            assert found[0].name == "system:serviceaccount:default:tenant-cached"
            cluster.kubectl("delete", "rolebinding", "tenant-cached", "-n", "team-a")
            await callers.of(headers)
            assert len(asked) == once
            clock[0] += KEPT_SECONDS + 1

            async def gone() -> bool:
                clock[0] += KEPT_SECONDS + 1
                return (await callers.of(headers)).may.namespaces == []

            for _ in range(50):  # the API server's own view of roles follows in moments
                if await gone():
                    break
                await asyncio.sleep(0.1)
            assert await gone()
            for wrong in ({}, {"authorization": "Basic eDp5"}, {"authorization": "Bearer x" + "y" * 20_000}):
                with pytest.raises(RefusedError):
                    await callers.of(wrong)
        finally:
            await connection.close()

    asyncio.run(scenario())


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_services_are_shown_with_their_replicas(shown: Cluster) -> None:
    cluster, url = shown, url_of(shown)
    reader = Person(url, account(cluster, "reader", *LOOKS))
    blind = Person(url, account(cluster, "no-services", rule("", "nodes pods", "list")))
    spec = {"model": {"uri": "path://tiny-mixtral"}, "resources": {"gpus": 0}, "placement": {"hint": "near the db"}}
    metadata = {"name": "llama", "namespace": "team-a"}
    cluster.create({"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec})

    def answering() -> Json | None:
        found = reader.get("/services")["items"]
        return found[0] if found and found[0]["isReady"] else None

    service = wait_for("a service that answers", answering, 40.0, seen=lambda: reader.get("/services"))
    assert (service["name"], service["desired"], service["ready"], service["hint"]) == ("llama", 1, 1, "near the db")
    (replica,) = service["replicas"]
    assert replica["ready"]
    assert replica["node"].startswith("node-")
    assert replica["queued"] is None  # a fake pod answers nobody
    assert reader.get("/overview")["servicesReady"] == 1
    assert blind.get("/services")["items"] == []
    assert blind.get("/overview")["services"] == 0
