"""Giving up `spec.replicas` of a Deployment without a dip.

Server-side apply takes a field away when its last owner stops applying it, and `replicas` then defaults to 1: a service of five
would drop to one when autoscaling is switched on, or at the first rollout after that (seen on 1.37.2). So before an apply that
leaves the field out another field manager applies what stands, without force. If an autoscaler has written meanwhile, it owns the
field and the API server refuses with a conflict, which is as good. The autoscaler's first change takes the field over.
"https://kubernetes.io/docs/reference/using-api/server-side-apply/#transferring-ownership"
"""

from __future__ import annotations

from berth_cluster.connection import ApiError, Connection
from berth_operator.serving.children import Manifest

REPLICAS_MANAGER = "berth-operator-replicas"
_CONFLICT = 409


async def keep_replicas(connection: Connection, path: str, deployment: Manifest, standing: int) -> None:
    """deployment: as it is about to be applied, without replicas; standing: how many it has. Raises ApiError."""
    meta = deployment["metadata"]
    body = {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"replicas": standing},
    }
    try:
        await connection.request(
            "PATCH",
            path,
            query={"fieldManager": REPLICAS_MANAGER},
            body=body,
            content_type="application/apply-patch+yaml",
        )
    except ApiError as error:
        if error.status != _CONFLICT:
            raise
