"""The watch cache against its targets: `python -m benchmarks.watch_cache [--seed 7] [--repeat 3] [--json FILE]`.

- 10,000 pods (beside 1,000 nodes) listed and indexed within a second;
- 20,000 watch events a second applied, a listener hearing all of them;
- at 5,000 nodes and 30,000 pods at most 200 MB of its own, and what a snapshot costs there after one event.

The server is a process of its own that sends JSON made beforehand over loopback HTTP (`watch_cache_server`); each
measurement is a fresh process too. Every figure is the best of `--repeat`, for other work on the machine only adds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TARGETS = {"list_seconds": 1.0, "events_per_second": 20_000.0, "grown_mb": 200.0}

Figures = dict[str, float]


def resident() -> float:
    """MB now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 1e6


class Counting:
    """A listener that counts."""

    def __init__(self) -> None:
        self.pods = 0

    def pod_changed(self, old: object, new: object) -> None:
        self.pods += 1

    def node_changed(self, old: object, new: object) -> None:
        pass

    plan_changed = policy_changed = lease_changed = node_changed


async def measure(port: int, events: int) -> Figures:
    from berth_cluster.connection import Connection
    from berth_cluster.live import LiveCluster

    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "kubeconfig"
        cluster_entry = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
        context = {"name": "c", "context": {"cluster": "c"}}
        config.write_text(json.dumps({"clusters": [cluster_entry], "contexts": [context], "current-context": "c"}))
        connection = await Connection.open(config)
    cluster = LiveCluster(connection)
    counting = Counting()
    cluster.listen(counting)
    gc.collect()
    before = resident()
    began, cpu = time.perf_counter(), time.process_time()
    task = asyncio.create_task(cluster.run())
    assert await cluster.wait_synced(300)
    found = {"list_seconds": time.perf_counter() - began, "list_cpu_seconds": time.process_time() - cpu}
    gc.collect()
    found["grown_mb"] = resident() - before
    snapshot = cluster.snapshot()
    found["pods"], found["nodes"] = len(snapshot.pods), len(snapshot.nodes)

    stalls: list[float] = []
    ticking = asyncio.create_task(tick(stalls))
    heard = counting.pods
    last = str(int(cluster.resource_versions()["pods"]) + events)
    began, cpu = time.perf_counter(), time.process_time()
    sent = json.loads(await connection.request("POST", "/burst"))["bytes"]
    while cluster.resource_versions()["pods"] != last:
        await asyncio.sleep(0.001)
    seconds = time.perf_counter() - began
    found["events_per_cpu_second"] = events / (time.process_time() - cpu)
    ticking.cancel()
    found["events_per_second"] = events / seconds
    found["events_mb_per_second"] = sent / seconds / 1e6
    found["told"] = counting.pods - heard
    found["longest_stall_ms"] = max(stalls) * 1e3
    gc.collect()
    found["grown_after_events_mb"] = resident() - before

    times = []
    pod = cluster.snapshot().pods[len(snapshot.pods) // 2]
    for _ in range(50):
        cluster._pods.standing.put((pod.namespace, pod.name), pod)  # as one event does
        began = time.perf_counter()
        cluster.snapshot()
        times.append(time.perf_counter() - began)
    found["snapshot_ms"] = min(times) * 1e3
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await connection.close()
    return found


async def tick(stalls: list[float]) -> None:
    """How long others on the event loop wait for their turn."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0)
        stalls.append(time.perf_counter() - began)
        await asyncio.sleep(0.0005)


def once(pods: int, nodes: int, events: int, seed: int) -> Figures:
    """A fresh server and a fresh process that watches it."""
    sizes = ["--pods", str(pods), "--nodes", str(nodes), "--events", str(events), "--seed", str(seed)]
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.watch_cache_server", *sizes], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        child = [sys.executable, "-m", "benchmarks.watch_cache", "--child", port, "--events", str(events)]
        answer = subprocess.run(child, check=True, capture_output=True, text=True)
        figures: Figures = json.loads(answer.stdout)
        return figures
    finally:
        server.terminate()
        server.wait()


def best(runs: list[Figures]) -> Figures:
    return {name: (max if name.startswith("events") else min)(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        import uvloop

        print(json.dumps(uvloop.run(measure(given.child, given.events))))
        return
    small = best([once(10_000, 1_000, given.events, given.seed) for _ in range(given.repeat)])
    large = best([once(30_000, 5_000, given.events, given.seed) for _ in range(given.repeat)])
    report(small, large)
    if given.json:
        body: dict[str, Any] = {"seed": given.seed, "repeat": given.repeat, "10000 pods": small, "30000 pods": large}
        given.json.write_text(json.dumps(body, indent=1) + "\n")


def report(small: Figures, large: Figures) -> None:
    rows = [
        ("10,000 pods, 1,000 nodes listed and indexed", f"{small['list_seconds']:.2f} s", "1 s"),
        ("events applied", f"{small['events_per_second']:,.0f} /s", "20,000 /s"),
        ("    of JSON", f"{small['events_mb_per_second']:.0f} MB/s", ""),
        ("    longest wait of others on the loop", f"{small['longest_stall_ms']:.1f} ms", ""),
        ("30,000 pods, 5,000 nodes: own growth", f"{large['grown_mb']:.0f} MB", "200 MB"),
        ("    after the events", f"{large['grown_after_events_mb']:.0f} MB", ""),
        ("    listed and indexed", f"{large['list_seconds']:.2f} s", ""),
        ("    events applied", f"{large['events_per_second']:,.0f} /s", ""),
        ("    a snapshot after one event", f"{large['snapshot_ms']:.2f} ms", ""),
    ]
    for what, figure, target in rows:
        print(f"{what:46} {figure:>14} {('target ' + target) if target else ''}")


if __name__ == "__main__":
    main()
