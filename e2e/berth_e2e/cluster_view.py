"""What a test sees of a cluster: nodes, pods and events, and waiting for them."""

from __future__ import annotations

from dataclasses import dataclass

from berth_e2e.api_client import ApiClient
from berth_e2e.objects import KubernetesObject
from berth_e2e.waiting import wait_for

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@dataclass
class ClusterView:
    """Looks through `api`; changes nothing."""

    api: ApiClient

    def ready_nodes(self) -> list[str]:
        """Ready and, since the controller's first look, without the taint of a node that is not."""
        return [
            n["metadata"]["name"]
            for n in self.api.items("/api/v1/nodes")
            if any(c["type"] == "Ready" and c["status"] == "True" for c in n["status"].get("conditions", []))
            and not any(t["key"] == "node.kubernetes.io/not-ready" for t in n["spec"].get("taints", []))
        ]

    def served_nodes(self) -> set[str]:
        """Fake nodes whose present incarnation KWOK holds the Lease of."""
        leases = self.api.items(LEASES)
        owners = {o["uid"] for lease in leases for o in lease["metadata"].get("ownerReferences", [])}
        return {n["metadata"]["name"] for n in self.api.items("/api/v1/nodes") if n["metadata"]["uid"] in owners}

    def pods(self, selector: str = "", *, namespace: str = "default") -> list[KubernetesObject]:
        return self.api.items(f"/api/v1/namespaces/{namespace}/pods", labelSelector=selector)

    def running(self, selector: str = "", *, namespace: str = "default") -> list[KubernetesObject]:
        """Pods in phase Running that are not being deleted."""
        return [
            p
            for p in self.pods(selector, namespace=namespace)
            if p["status"]["phase"] == "Running" and "deletionTimestamp" not in p["metadata"]
        ]

    def wait_running(
        self, selector: str, count: int, *, namespace: str = "default", timeout: float = 30.0
    ) -> list[KubernetesObject]:
        """Exactly so many running pods. Raises WaitedTooLongError with every pod's state and message."""

        seen: list[KubernetesObject] = []

        def enough() -> bool:
            seen[:] = self.running(selector, namespace=namespace)
            return len(seen) == count

        wait_for(
            f"{count} pods {selector} running",
            enough,
            timeout,
            seen=lambda: self.told(selector, namespace=namespace),
        )
        return seen

    def told(self, selector: str = "", *, namespace: str = "default") -> str:
        """Each pod in a line, with the scheduler's message: for errors of tests."""
        lines = []
        for found in self.pods(selector, namespace=namespace):
            said = [c.get("message", "") for c in found["status"].get("conditions", []) if c["status"] == "False"]
            where = found["spec"].get("nodeName", "-")
            going = " (terminating)" if "deletionTimestamp" in found["metadata"] else ""
            lines.append(f"{found['metadata']['name']} {found['status']['phase']}{going} on {where} {'; '.join(said)}")
        return "\n".join(lines) or "no pods"

    def events(self, *, namespace: str = "default", **query: str) -> list[KubernetesObject]:
        return self.api.items(f"/api/v1/namespaces/{namespace}/events", **query)
