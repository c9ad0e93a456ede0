"""ServiceAccounts with rights of their own, for tests of who may do what."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import yaml

from berth_e2e.cluster import Cluster

GROUP = "rbac.authorization.k8s.io"

Rule = dict[str, list[str]]


def rule(group: str, resources: str, verbs: str) -> Rule:
    """Resources and verbs parted by blanks."""
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split()}


def account(cluster: Cluster, name: str, *rules: Rule, within: str | None = None, home: str = "default") -> str:
    """A new account of namespace `home` with these rights, in the namespace `within` or everywhere; its token."""
    made: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": home}}
    ]
    if rules:
        prefix, place = ("", {"namespace": within}) if within else ("Cluster", {})
        meta = {"name": name, **place}
        made.append({"apiVersion": f"{GROUP}/v1", "kind": f"{prefix}Role", "metadata": meta, "rules": list(rules)})
        made.append(
            {
                "apiVersion": f"{GROUP}/v1",
                "kind": f"{prefix}RoleBinding",
                "metadata": meta,
                "roleRef": {"apiGroup": GROUP, "kind": f"{prefix}Role", "name": name},
                "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": home}],
            }
        )
    cluster.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(made))
    return cluster.kubectl("create", "token", name, "-n", home).strip()


def kubeconfig_with(cluster: Cluster, token: str, path: Path) -> Path:
    """The cluster's kubeconfig with another login."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for entry in config["clusters"]:
        authority = entry["cluster"].pop("certificate-authority", None)
        if authority is not None:
            entry["cluster"]["certificate-authority-data"] = base64.b64encode(Path(authority).read_bytes()).decode()
    for entry in config["users"]:
        entry["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path
