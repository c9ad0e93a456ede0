"""Who Berth's processes are to the API server: ServiceAccounts under the chart's own roles, never the administrator.

The accounts, roles and bindings are those of `manifests/install.yaml`, which is the rendered chart (a test holds it to that). What the
chart renders on demand only, the gateway's Role and the operator's rules for a language model, is read from `docs/rbac.md`, which
another test holds to the chart. Where Helm has installed them already, they are left as Helm has them.

Cost: 60 ms a cluster, and 10 ms a kubeconfig.
"""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from berth_api.annotations import SYSTEM_NAMESPACE
from berth_e2e.api_client import ApiClient, RequestError
from berth_e2e.objects import KubernetesObject
from berth_e2e.state import ROOT, ClusterState

SCHEDULER = "berth-scheduler"
"""Of the scheduler and the extender: two containers of one pod, and so one account."""
OPERATOR = "berth-operator"
GATEWAY = "berth-gateway"
INSTALL = ROOT / "manifests" / "install.yaml"
PAGE = ROOT / "docs" / "rbac.md"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
TOKEN_SECONDS = 30 * 24 * 3600
"""`make cluster` may stand for days."""

Json = dict[str, Any]


def give_accounts(api: ApiClient, *, language_model: bool = False, dashboard: bool = False) -> None:
    """The scheduler's and the operator's, with what the chart binds to them. language_model: is one asked about hints?
    dashboard: does the operator serve it?"""
    if not _exists(api, SYSTEM_NAMESPACE, OPERATOR):
        for body in _installed():
            api.create(body)
    if language_model:
        role = {"name": f"{OPERATOR}-hint-model", "namespace": SYSTEM_NAMESPACE}
        (rules,) = (block for block in _page_blocks() if isinstance(block, list) and "configmaps" in str(block))
        _give(api, OPERATOR, {"kind": "Role", "metadata": role, "rules": rules})
    if dashboard:
        (rules,) = (block for block in _page_blocks() if isinstance(block, list) and "tokenreviews" in str(block))
        _give(api, OPERATOR, {"kind": "ClusterRole", "metadata": {"name": f"{OPERATOR}-ui"}, "rules": rules})


def give_gateway_account(api: ApiClient, namespace: str) -> None:
    if _exists(api, namespace, GATEWAY):
        return
    metadata = {"name": GATEWAY, "namespace": namespace}
    api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    (rules,) = (
        block["rules"] for block in _page_blocks() if isinstance(block, dict) and block["metadata"]["name"] == GATEWAY
    )
    _give(api, GATEWAY, {"kind": "Role", "metadata": metadata, "rules": rules})


def kubeconfig(api: ApiClient, state: ClusterState, account: str, *, namespace: str = SYSTEM_NAMESPACE) -> Path:
    """One with which a process is this account; it holds a token and no certificate of the administrator's."""
    asked = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS},
    }
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
    token = api.request("POST", path, asked)["status"]["token"]
    config: Json = yaml.safe_load(state.kubeconfig.read_text())
    for entry in config["clusters"]:
        authority = entry["cluster"].pop("certificate-authority", None)
        if authority is not None:
            entry["cluster"]["certificate-authority-data"] = base64.b64encode(Path(authority).read_bytes()).decode()
    for entry in config["users"]:
        entry["user"] = {"token": token}
    file = state.folder / "accounts" / f"{namespace}-{account}.kubeconfig"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(config))
    file.chmod(0o600)
    return file


def _exists(api: ApiClient, namespace: str, account: str) -> bool:
    return api.exists(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")


def _give(api: ApiClient, account: str, role: Json) -> None:
    """A role, and its binding to the account of its namespace (of a ClusterRole: of the system's); one that is there already is fine."""
    metadata, kind, group = role["metadata"], role["kind"], "rbac.authorization.k8s.io"
    home = metadata.get("namespace", SYSTEM_NAMESPACE)
    subject = {"kind": "ServiceAccount", "name": account, "namespace": home}
    reference = {"apiGroup": group, "kind": kind, "name": metadata["name"]}
    binding = {"kind": f"{kind}Binding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}
    for body in (role, binding):
        try:
            api.create({"apiVersion": f"{group}/v1", **body})
        except RequestError as error:
            if error.status != 409:
                raise


@cache
def _installed() -> tuple[KubernetesObject, ...]:
    """The install file's accounts, roles and bindings; the rest of it is not even parsed."""
    kinds = ("ServiceAccount", "ClusterRole", "Role", "ClusterRoleBinding", "RoleBinding")
    wanted = tuple(f"\nkind: {kind}\n" for kind in kinds)
    texts = (text for text in INSTALL.read_text().split("\n---\n") if any(kind in text for kind in wanted))
    return tuple(body for text in texts if (body := yaml.safe_load(text))["kind"] in kinds)


@cache
def _page_blocks() -> tuple[Any, ...]:
    texts = (block.split("```", 1)[0] for block in PAGE.read_text().split("```yaml\n")[1:])
    return tuple(body for text in texts for body in yaml.safe_load_all(text))
