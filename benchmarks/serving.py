"""Hundreds of LLMServices on a real control plane with fake nodes: how fast they are made, and what a restart costs.

    PYTHONPATH=e2e python -m benchmarks.serving --services 500 --seed 1

1. A bare client writes the same objects, the services and all that the operator would write for them, by the same requests, as many
   at once as the operator has workers; they are deleted again. At the end it does so once more: the operator is held against both.
2. The services are created, and the time taken until the operator has applied everything.
3. When all is quiet the operator is started anew, and the time taken until it has looked at every service; what it wrote
   meanwhile is counted by itself and by the objects' versions.

Targets: 0.7 of the bare client's rate, 200 services a second after the restart, nothing written, 200 MB.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time
import urllib.request
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.record import Machine, this_machine
from berth_api.llm_service import LLMService
from berth_cluster.connection import Connection
from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.waiting import wait_for
from berth_operator.serving.applying import path_of
from berth_operator.serving.children import Manifest, Room, build_children
from berth_operator.serving.names import FIELD_MANAGER
from berth_operator.serving.pod_template import Images, build_pod_template
from berth_operator.serving.services import WORKERS

NAMESPACE = "bench"
SERVICES = f"/apis/berth.dev/v1alpha1/namespaces/{NAMESPACE}/llmservices"
QUIET_SECONDS = 10.0
WAIT_SECONDS = 600.0
TARGET_RATIO, TARGET_LOOKS, TARGET_MB = 0.7, 200.0, 200.0


class Figures(msgspec.Struct, frozen=True):
    """Rates in services a second."""

    services: int
    bare_rate: float
    bare_rate_after: float
    operator_rate: float
    ratio: float
    looks_rate: float
    writes_after_restart: int
    changed_after_restart: int
    resident_mb: float


class Report(msgspec.Struct, frozen=True):
    seed: int
    machine: Machine
    figures: Figures


def service(number: int, chance: random.Random, name: str = "service") -> dict[str, object]:
    spec = {
        "model": {"uri": f"path:///models/{chance.randrange(20)}"},
        "replicas": 1,
        "resources": {"gpus": 0, "cpu": "10m"},
        "engine": {"maxBatch": chance.choice((8, 16, 32))},
        "placement": {"hint": chance.choice(("spread over zones", "avoid spot nodes", "close to redis"))},
    }
    metadata = {"name": f"{name}-{number}", "namespace": NAMESPACE}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": metadata, "spec": spec}


def children(body: dict[str, object]) -> list[Manifest]:
    """What the operator would write, without owners."""
    of = LLMService.model_validate(body)
    made = build_children(of, 1, build_pod_template(of, Images()), Room())
    for child in made:
        del child["metadata"]["ownerReferences"]
    return made


async def bare(cluster: Cluster, bodies: list[dict[str, object]]) -> float:
    """Seconds for the objects of all services."""
    connection = await Connection.open(cluster.kubeconfig)
    queue: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    for body in bodies:
        queue.put_nowait(body)

    async def work() -> None:
        while not queue.empty():
            body = queue.get_nowait()
            await connection.request("POST", SERVICES, body=body)
            for child in children(body):
                await connection.request(
                    "PATCH",
                    path_of(child),
                    query={"fieldManager": FIELD_MANAGER, "force": "true"},
                    body=child,
                    content_type="application/apply-patch+yaml",
                )

    begin = time.monotonic()
    await asyncio.gather(*(work() for _ in range(WORKERS)))
    seconds = time.monotonic() - begin
    await connection.close()
    return seconds


def metric(cluster: Cluster, name: str) -> float:
    url = f"http://127.0.0.1:{cluster.state.ports['operator-0']}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
    except OSError:
        return 0.0
    return float(found[1]) if found else 0.0


def resident_mb(cluster: Cluster) -> float:
    status = Path(f"/proc/{cluster.processes['operator-0'].pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1000


def versions(cluster: Cluster) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in (
        SERVICES,
        *(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", f"/api/v1/namespaces/{NAMESPACE}/services"),
    ):
        for item in cluster.api.items(path):
            found[f"{path}/{item['metadata']['name']}"] = item["metadata"]["resourceVersion"]
    return found


def quiet(cluster: Cluster) -> None:
    """No write of the operator's for a while."""
    before, since = -1.0, time.monotonic()
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() - since < QUIET_SECONDS and time.monotonic() < end:
        now = metric(cluster, "berth_llm_service_writes_total")
        if now != before:
            before, since = now, time.monotonic()
        time.sleep(0.5)


def looking(cluster: Cluster, count: int) -> float:
    """Seconds from the last time that none had been looked at to the first time that all had, asked often."""
    none = time.monotonic()
    end = none + WAIT_SECONDS
    while (seen := metric(cluster, "berth_llm_service_looks_total")) < count and time.monotonic() < end:
        if not seen:
            none = time.monotonic()
        time.sleep(0.02)
    return time.monotonic() - none


def measure(count: int, seed: int, console: Console) -> Figures:
    chance = random.Random(seed)
    bodies = [service(number, chance) for number in range(count)]
    with Cluster.start("bench-serving", nodes=20) as cluster:
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        cluster.add_berth(Berth(pairs=1))
        wait_for("the operator leads", lambda: metric(cluster, "berth_leader") == 1.0, 60.0)
        operator = cluster.processes["operator-0"]
        operator.stop()
        seconds = asyncio.run(bare(cluster, bodies))
        console.print(f"a bare client: {count / seconds:.1f} services/s")
        for item in cluster.api.items(SERVICES):
            cluster.api.delete(f"{SERVICES}/{item['metadata']['name']}")
        for kind in ("apps/v1:deployments", "v1:services", "v1:serviceaccounts", "policy/v1:poddisruptionbudgets", "networking.k8s.io/v1:networkpolicies"):  # fmt: skip
            group, plural = kind.split(":")
            root = "/api/v1" if group == "v1" else f"/apis/{group}"
            for item in cluster.api.items(f"{root}/namespaces/{NAMESPACE}/{plural}"):
                if item["metadata"]["name"].startswith("service-"):
                    cluster.api.delete(f"{root}/namespaces/{NAMESPACE}/{plural}/{item['metadata']['name']}")
        wait_for("no pods", lambda: not cluster.pods(namespace=NAMESPACE), WAIT_SECONDS)
        operator.start()
        wait_for("the operator leads", lambda: metric(cluster, "berth_leader") == 1.0, 60.0)
        begin = time.monotonic()
        asyncio.run(create(cluster, bodies))

        def applied() -> bool:
            return len(cluster.api.items(f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets")) >= count

        wait_for("all services have everything", applied, WAIT_SECONDS)
        made = time.monotonic() - begin
        console.print(f"the operator: {count / made:.1f} services/s, from their creation")
        quiet(cluster)
        before = versions(cluster)
        operator.restart()
        looked = looking(cluster, count)
        time.sleep(QUIET_SECONDS)
        after = versions(cluster)
        writes, resident = int(metric(cluster, "berth_llm_service_writes_total")), resident_mb(cluster)
        operator.stop()
        again = asyncio.run(bare(cluster, [service(number, chance, "again") for number in range(count)]))
        console.print(f"a bare client, again: {count / again:.1f} services/s")
        return Figures(
            count, count / seconds, count / again, count / made, (seconds + again) / 2 / made, count / looked, writes,
            sum(after[path] != version for path, version in before.items()), resident,
        )  # fmt: skip


async def create(cluster: Cluster, bodies: list[dict[str, object]]) -> None:
    connection = await Connection.open(cluster.kubeconfig)
    gate = asyncio.Semaphore(WORKERS)

    async def one(body: dict[str, object]) -> None:
        async with gate:
            await connection.request("POST", SERVICES, body=body)

    await asyncio.gather(*(one(body) for body in bodies))
    await connection.close()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--services", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path, default=Path("out/serving.json"), help="JSON")
    chosen = arguments.parse_args()
    machine, console = this_machine(), Console()
    found = measure(chosen.services, chosen.seed, console)
    table = Table(title=f"{found.services} LLMServices", caption=f"load {machine.load_average:.1f} when it began")
    for name in ("", "measured", "target"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("made, against a bare client", f"{found.operator_rate:.1f}/s, {found.ratio:.2f}", f"{TARGET_RATIO}")
    table.add_row("looked at after a restart", f"{found.looks_rate:.0f}/s", f"{TARGET_LOOKS:.0f}/s")
    table.add_row("written after it", f"{found.writes_after_restart}, {found.changed_after_restart} objects", "0")
    table.add_row("resident memory", f"{found.resident_mb:.0f} MB", f"{TARGET_MB:.0f} MB")
    console.print(table)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_bytes(msgspec.json.format(msgspec.json.encode(Report(chosen.seed, machine, found))))
    met = found.ratio >= TARGET_RATIO and found.looks_rate >= TARGET_LOOKS and not found.changed_after_restart
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
