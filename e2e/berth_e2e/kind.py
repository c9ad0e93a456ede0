"""`make cluster DRIVER=kind`: the same cluster in containers, with Berth from an image.

Written to the documented interfaces of kind (`create cluster`, `load docker-image`, `delete cluster`), docker and KWOK's
in-cluster deployment. It has not been run: where it was written there is no container registry to pull from. What is tested is
that a real API server accepts `manifests`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import yaml

from berth_api.annotations import SCHEDULER_LEASE, SYSTEM_NAMESPACE
from berth_e2e.objects import KubernetesObject, namespace, node
from berth_e2e.state import ROOT, state_folder
from berth_e2e.tools import KWOK
from berth_extender.kube_scheduler import configuration

IMAGE = "berth:e2e"
NODE_IMAGE = "kindest/node:v{version}"
SCHEDULER_IMAGE = "registry.k8s.io/kube-scheduler:v{version}"
KWOK_MANIFEST = "https://github.com/kubernetes-sigs/kwok/releases/download/v{version}/kwok.yaml"
MARK_FILE = "kind.json"
ACCOUNT = "berth"
PAIRS = 2
WAIT = "180s"


class KindError(Exception):
    """kind, docker or kubectl is missing or failed."""


def made(name: str) -> bool:
    """Was this cluster made by `up`?"""
    return (state_folder(name) / MARK_FILE).exists()


def up(name: str, *, nodes: int, gpus: int, version: str) -> None:
    """Starts it, replacing one of the same name. Raises KindError."""
    for tool in ("kind", "docker", "kubectl"):
        if shutil.which(tool) is None:
            raise KindError(
                f"DRIVER=kind needs {tool} on the PATH (https://kind.sigs.k8s.io/docs/user/quick-start). "
                "Without it leave DRIVER out: the default needs no containers"
            )
    if made(name):
        down(name)
    folder = state_folder(name)
    folder.mkdir(parents=True)
    (folder / MARK_FILE).write_text(json.dumps({"name": name, "version": version}))
    kubeconfig = folder / "kubeconfig"
    kubectl = _kubectl(kubeconfig, name)
    _run("kind", "create", "cluster", "--name", name, "--image", NODE_IMAGE.format(version=version),
         "--kubeconfig", str(kubeconfig), "--wait", WAIT)  # fmt: skip
    _run("docker", "build", "--tag", IMAGE, "--file", str(ROOT / "e2e/kind/Dockerfile"), str(ROOT))
    _run("kind", "load", "docker-image", IMAGE, "--name", name)
    kubectl("apply", "--filename", KWOK_MANIFEST.format(version=KWOK.version))
    kubectl("wait", "--for=condition=Established", f"--timeout={WAIT}", "crd/stages.kwok.x-k8s.io")
    stages = resources.files("berth_e2e").joinpath("stages.yaml").read_text()
    kubectl("apply", "--filename", "-", given=stages)
    for crd in sorted((ROOT / "manifests" / "crds").glob("*.yaml")):
        kubectl("apply", "--server-side", "--filename", str(crd))
    kubectl("apply", "--filename", "-", given=yaml.safe_dump_all(manifests(version)))
    fake = [node(f"node-{i}", gpus=gpus) for i in range(nodes)]
    kubectl("create", "--filename", "-", given=yaml.safe_dump_all(fake))
    for deployment in ("berth-scheduler", "berth-operator"):
        kubectl("rollout", "status", f"deployment/{deployment}", "--namespace", SYSTEM_NAMESPACE, f"--timeout={WAIT}")
    print(f"Cluster {name} is up: export KUBECONFIG={os.path.relpath(kubeconfig)}")
    print(f"Take it down with: make cluster-down NAME={name}")


def down(name: str) -> None:
    folder = state_folder(name)
    _run("kind", "delete", "cluster", "--name", name, "--kubeconfig", str(folder / "kubeconfig"))
    shutil.rmtree(folder)


def manifests(version: str) -> list[KubernetesObject]:
    """Berth as it runs in a cluster: two pairs of scheduler and extender in a pod each, and an operator.

    The account is the cluster's administrator: this cluster lives as long as a demonstration.
    """
    settings = configuration(extender_url="http://127.0.0.1:9555", lease_name=SCHEDULER_LEASE)
    scheduler: KubernetesObject = {
        "name": "kube-scheduler",
        "image": SCHEDULER_IMAGE.format(version=version),
        "command": ["kube-scheduler", "--config=/etc/berth/scheduler.json", "--bind-address=127.0.0.1"],
        "volumeMounts": [{"name": "config", "mountPath": "/etc/berth", "readOnly": True}],
    }
    return [
        namespace(SYSTEM_NAMESPACE),
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": ACCOUNT, "namespace": SYSTEM_NAMESPACE},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "berth-e2e"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": SYSTEM_NAMESPACE}],
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "berth-scheduler", "namespace": SYSTEM_NAMESPACE},
            "data": {"scheduler.json": json.dumps(settings, indent=2)},
        },
        _deployment("berth-scheduler", PAIRS, [scheduler, _container("extender", 9556, "--metrics-host=0.0.0.0")]),
        _deployment("berth-operator", 1, [_container("operator", 8080, "--host=0.0.0.0")]),
    ]


def _container(command: str, health_port: int, *flags: str) -> KubernetesObject:
    return {
        "name": command,
        "image": IMAGE,
        "imagePullPolicy": "Never",  # `kind load` has brought it
        "args": [command, *flags],
        "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": health_port}},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": health_port}, "initialDelaySeconds": 20},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }


def _deployment(name: str, replicas: int, containers: list[KubernetesObject]) -> KubernetesObject:
    labels = {"app": name}
    volumes = [{"name": "config", "configMap": {"name": "berth-scheduler"}}] if name == "berth-scheduler" else []
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SYSTEM_NAMESPACE},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": ACCOUNT,
                    # KWOK's nodes would pretend to run it
                    "affinity": {
                        "nodeAffinity": {
                            "requiredDuringSchedulingIgnoredDuringExecution": {
                                "nodeSelectorTerms": [
                                    {"matchExpressions": [{"key": "type", "operator": "NotIn", "values": ["kwok"]}]}
                                ]
                            }
                        }
                    },
                    "securityContext": {"runAsNonRoot": True, "runAsUser": 65532},
                    "containers": containers,
                    "volumes": volumes,
                },
            },
        },
    }


def _kubectl(kubeconfig: Path, name: str) -> Callable[..., None]:
    def run(*arguments: str, given: str | None = None) -> None:
        _run("kubectl", "--kubeconfig", str(kubeconfig), "--context", f"kind-{name}", *arguments, given=given)

    return run


def _run(*command: str, given: str | None = None) -> None:
    print("$ " + " ".join(command), file=sys.stderr, flush=True)
    done = subprocess.run(command, input=given, text=True, check=False)
    if done.returncode:
        raise KindError(f"{' '.join(command[:3])} failed with exit code {done.returncode}: see above")
