"""The documentation against a real control plane: its commands run, its YAML is taken, its metrics are those of the processes.

docs/tooling/where_run.py says which commands are run here; tests/docs runs those on files.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from berth_e2e.cluster import Cluster
from berth_e2e.objects import deployment, namespace, node, pod
from berth_e2e.plans import plan_of_one_step, planned_eviction
from berth_e2e.waiting import wait_for

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # docs/tooling is not installed with the product

from docs.tooling import shell  # noqa: E402
from docs.tooling.where_run import Where, where  # noqa: E402

PLAN = "plan-x7k2p"
PLAN_PATH = f"/apis/berth.dev/v1alpha1/packingplans/{PLAN}"
GPU_NODES = tuple(f"gpu-0{i}" for i in range(1, 8))
HINT = {"berth.dev/allocation-hint": "spread us over zones, ideally on H100s"}
MEANT = (
    ("sha256:01e4...", "sha256:" + "01e4" * 16),
    (r"\bPOD\b", "web-0"),
    (r"\bNAME\b", "chat"),
    (r"\bNAMESPACE\b", "shop"),
)
"""What pages leave to the reader."""
AGAIN = re.compile(r"kubectl create priorityclass (\S+)")
MAY_SAY_NO = re.compile(r"berth what-if")
"""Exit code 1 is an answer of it."""
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"^# TYPE ((?:berth_|vllm:)\S+) (\w+)$", re.MULTILINE)

Json = dict[str, Any]


@pytest.fixture
def world(berth_cluster: Cluster, tmp_path: Path) -> Cluster:
    """What pages name: nodes gpu-01 to gpu-07, Deployments chat, web and llama, the pod web-0; and the files beside."""
    cluster = berth_cluster
    cluster.create(
        {
            "apiVersion": "berth.dev/v1alpha1",
            "kind": "PackingPolicy",
            "metadata": {"name": "asks"},
            "spec": {"mode": "Manual"},
        }
    )
    cluster.create(*(node(name, gpus=8) for name in GPU_NODES))
    wait_for("nodes", lambda: set(GPU_NODES) <= set(cluster.ready_nodes()) & cluster.served_nodes(), 60.0)
    for name in ("chat", "llm", "serving", "shop"):
        cluster.create(namespace(name))
    cluster.create(
        deployment("chat", 2, gpus=1, scheduler="berth"),
        deployment("web", 1, namespace="shop", gpus=1, scheduler="berth", annotations=HINT),
        deployment("llama", 1, namespace="serving", gpus=1),
        pod("web-0", namespace="shop", gpus=1, scheduler="berth", annotations=HINT, node_name="gpu-01"),
    )
    cluster.wait_running("app=chat", 2)
    model = (ROOT / "docs/guides/models.md").read_text()
    (tmp_path / "mixtral.yaml").write_text(YAML.findall(model)[0])
    (tmp_path / "llm.yaml").write_text((ROOT / "e2e/samples/llama.yaml").read_text())
    for folder in ("manifests", "charts"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return cluster


def propose(cluster: Cluster) -> None:
    """The plan that pages name, for a person to decide on: one pod of chat moves."""
    cluster.api.delete(PLAN_PATH)
    chat = cluster.running("app=chat")[0]["metadata"]["name"]
    cluster.kubectl("label", "--overwrite", "pod", chat, "picked=yes")
    evicted = planned_eviction(
        cluster,
        "picked=yes",
        "/apis/apps/v1/namespaces/default/deployments/chat",
        {"cpu": 100, "memory": 128 << 20, "nvidia.com/gpu": 1},
    )
    made = plan_of_one_step(PLAN, evicted)
    made["spec"]["approved"] = False
    made["spec"]["policy"] = "asks"
    cluster.create(made)


def commands() -> Iterator[shell.Shown]:
    """Each distinct one once, in the order of the pages."""
    seen = set()
    for shown in shell.shown():
        if where(shown.command) is Where.CLUSTER and shown.command not in seen:
            seen.add(shown.command)
            yield shown


@pytest.mark.slow
def test_commands_that_need_a_cluster_do_what_their_pages_say(world: Cluster, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "KUBECONFIG": str(world.kubeconfig),
        "PATH": f"{world.binaries}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    failed = []
    for shown in commands():
        command = shown.command
        for words, meant in MEANT:
            command = re.sub(words, meant, command)
        if PLAN in command:
            propose(world)
        if found := AGAIN.match(command):
            world.kubectl("delete", "priorityclass", found[1], "--ignore-not-found")
        ended = subprocess.run(
            ["bash", "-ec", command],
            cwd=tmp_path,
            env=env,
            input="y\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if ended.returncode > (1 if MAY_SAY_NO.match(command) else 0):
            failed.append(f"{shown}\n    exit code {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-600:]}")
    assert not failed, "\n".join(failed)


def test_yaml_of_the_pages_is_what_the_api_server_takes(berth_cluster: Cluster) -> None:
    cluster = berth_cluster
    cluster.create(namespace("chat"), namespace("shop"))
    found = (
        body for page in shell.pages() for text in YAML.findall(page.read_text()) for body in yaml.safe_load_all(text)
    )
    # the rest are parts of objects, or configuration files
    whole = [body for body in found if isinstance(body, dict) and {"apiVersion", "kind", "metadata"} <= set(body)]
    assert len(whole) > 20
    cluster.kubectl("apply", "--dry-run=server", "-f", "-", given=yaml.safe_dump_all(whole))


@pytest.mark.slow
def test_the_processes_tell_no_metric_that_the_page_does_not(berth_cluster: Cluster) -> None:
    told = dict(
        re.findall(r"^\| `([\w:]+)` \| (\w+) \|", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE)
    )
    for process in ("extender-metrics-0", "operator-0"):
        text = httpx.get(f"http://127.0.0.1:{berth_cluster.state.ports[process]}/metrics", timeout=10).text
        found = {name: kind for name, kind in OURS.findall(text) if not name.endswith("_created")}
        assert len(found) > 10
        assert {name: told.get(name) for name in found} == found
