"""A tenant of a shared cluster: a namespace that enforces Pod Security `restricted`, and accounts with the rights of one seat each.

`pods`: may create pods there, and look at what is its own. `services`: LLMServices besides.
"""

from __future__ import annotations

from dataclasses import dataclass

from berth_e2e.accounts import kubeconfig
from berth_e2e.api_client import ApiClient
from berth_e2e.cluster import Cluster
from berth_e2e.objects import KubernetesObject

GROUP = "rbac.authorization.k8s.io"
OWN = ["get", "list", "watch", "create", "update", "patch", "delete"]
SEATS = {
    "pods": [
        {"apiGroups": [""], "resources": ["pods"], "verbs": OWN},
        {"apiGroups": [""], "resources": ["events", "resourcequotas"], "verbs": ["get", "list", "watch"]},
    ],
    "services": [{"apiGroups": ["berth.dev"], "resources": ["llmservices"], "verbs": OWN}],
}


@dataclass(frozen=True)
class Tenant:
    namespace: str
    pods: ApiClient
    services: ApiClient


def tenant(cluster: Cluster, namespace: str) -> Tenant:
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": enforced}})
    for seat, rules in SEATS.items():
        metadata = {"name": seat, "namespace": namespace}
        role = {"apiVersion": f"{GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
        cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, role)
        cluster.create(_bound(namespace, seat, seat))
    cluster.create(_bound(namespace, "services", "pods"))
    seats = (ApiClient(kubeconfig(cluster.api, cluster.state, seat, namespace=namespace)) for seat in SEATS)
    return Tenant(namespace, *seats)


def _bound(namespace: str, account: str, role: str) -> KubernetesObject:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{account}-{role}", "namespace": namespace},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }


def hardened(body: KubernetesObject) -> KubernetesObject:
    """The pod, as `restricted` admits it."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in body["spec"]["containers"]:
        container["securityContext"] = security
    return body
