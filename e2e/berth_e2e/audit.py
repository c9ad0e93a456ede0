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
EXCUSED: dict[tuple[str, str, str], str] = {}
"""Refusals that are no fault: account, verb and resource, and why."""

Json = dict[str, Any]


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
    """Requests of ours that the API server's authorizer refused, each once; 403s of admission, as for a full quota, are none."""
    found: dict[str, None] = {}
    for event in requests(log):
        account = event["user"]["username"].rsplit(":", 1)[-1]
        if account not in OURS or event.get("annotations", {}).get("authorization.k8s.io/decision") != "forbid":
            continue
        told = event.get("objectRef", {})
        resource = "/".join(part for part in (told.get("resource"), told.get("subresource")) if part)
        if (account, event["verb"], resource) not in EXCUSED:
            found[f"{account}: {event['verb']} {event['requestURI'].split('?')[0]}"] = None
    return list(found)
