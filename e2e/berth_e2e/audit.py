"""What ServiceAccounts asked the API server for: its audit log, kept by every cluster, and what was refused in it.

Metadata alone (who, verb, object, answer), of ServiceAccounts outside kube-system: some 700 bytes a request, written as it ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from berth_e2e.accounts import GATEWAY, OPERATOR, SCHEDULER
from berth_e2e.state import ClusterState

POLICY: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}
OURS = (SCHEDULER, OPERATOR, GATEWAY, "berth-extender")
"""Names of our accounts, in whichever namespace."""
BY_NAME = ("leases", "configmaps")
"""Kinds that roles grant by the objects' names."""

Json = dict[str, Any]
Asked = tuple[str, str, tuple[str, str, str], str, str]
"""Account, verb, group with resource and subresource, namespace, and the name where it matters."""


def audit_flags(state: ClusterState) -> dict[str, str]:
    """Of kube-apiserver. Writes the policy."""
    policy = state.folder / "audit-policy.json"
    policy.write_text(json.dumps(POLICY))
    return {"audit-policy-file": str(policy), "audit-log-path": str(log_of(state))}


def log_of(state: ClusterState) -> Path:
    return state.folder / "audit.log"


def requests(log: Path) -> Iterator[Json]:
    """Events of the log, oldest first; the last line may be half written after a kill."""
    for line in log.read_text().splitlines() if log.exists() else ():
        if line.endswith("}"):
            yield json.loads(line)


def refused(log: Path) -> list[str]:
    """Requests of ours that the API server's authorizer refused, each once; 403s of admission, as for a full quota, are none.

    What it allowed at another time is left out: a server that has just begun refuses everything until it has read the roles.
    """
    found: dict[Asked, str] = {}
    allowed: set[Asked] = set()
    for event in requests(log):
        account = event["user"]["username"].rsplit(":", 1)[-1]
        if account not in OURS:
            continue
        told = event.get("objectRef", {})
        kind = (told.get("apiGroup", ""), told.get("resource", ""), told.get("subresource", ""))
        name = told.get("name", "") if kind[1] in BY_NAME else ""
        asked = (account, event["verb"], kind, told.get("namespace", ""), name)
        if event.get("annotations", {}).get("authorization.k8s.io/decision") == "forbid":
            found.setdefault(asked, f"{account}: {event['verb']} {event['requestURI'].split('?')[0]}")
        else:
            allowed.add(asked)
    return [sentence for asked, sentence in found.items() if asked not in allowed]
