"""What a cluster leaves on disk, in `.cluster/NAME/`, and the proof that a kubeconfig is one of ours.

    cluster.json   the mark: name, version, ports, a random token
    kubeconfig     the only one that the harness ever uses
    kwok/          kwokctl's work folder: certificates, logs, etcd's data
    processes/     one record a process of ours; logs/ and pids/ beside it

The token also stands in the cluster, in a ConfigMap. A kubeconfig that leads to a cluster without it is refused before
anything is written there, even if somebody has put a real cluster's kubeconfig in the place of ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

ROOT = Path(__file__).resolve().parents[2]
CLUSTERS = ROOT / ".cluster"
MARK_FILE = "cluster.json"
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ForeignClusterError(Exception):
    """The kubeconfig or the cluster was not made by this harness, which therefore does not touch it."""


@dataclass(frozen=True)
class ClusterState:
    """The contents of cluster.json."""

    name: str
    version: str
    token: str
    ports: dict[str, int]
    real_nodes: list[str]
    network: int | None = None
    """Number of the real nodes' network."""

    @property
    def folder(self) -> Path:
        return state_folder(self.name)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def kwok_folder(self) -> Path:
        """Where kwokctl keeps this cluster's files."""
        return self.folder / "kwok" / "clusters" / self.name

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / MARK_FILE).write_text(json.dumps(asdict(self), indent=2))


def state_folder(name: str) -> Path:
    """Raises ValueError for a name that could not be a folder, a cluster and a context at once."""
    if NAME.fullmatch(name) is None:
        raise ValueError(f"cluster name {name!r}: lower-case letters, digits and dashes, 40 at most")
    return CLUSTERS / name


def read_state(name: str) -> ClusterState:
    """Raises ForeignClusterError when no cluster of that name was made here."""
    mark = state_folder(name) / MARK_FILE
    if not mark.exists():
        raise ForeignClusterError(
            f"no cluster {name!r} was made here: {mark} is missing. Start one by: make cluster NAME={name}"
        )
    return ClusterState(**json.loads(mark.read_text()))


def refuse_foreign(kubeconfig: Path) -> ClusterState:
    """The state that a kubeconfig belongs to. Raises ForeignClusterError for any that this harness did not make."""
    path = kubeconfig.resolve()
    if path.name != "kubeconfig" or path.parent.parent != CLUSTERS.resolve() or kubeconfig.is_symlink():
        raise ForeignClusterError(f"{kubeconfig} was not made by this harness: it uses {CLUSTERS}/NAME/kubeconfig only")
    state = read_state(path.parent.name)
    told = yaml.safe_load(path.read_text())
    wanted = f"kwok-{state.name}"
    servers = [urlsplit(c["cluster"]["server"]) for c in told["clusters"]]
    if told["current-context"] != wanted or [c["name"] for c in told["contexts"]] != [wanted]:
        raise ForeignClusterError(f"{kubeconfig}: its context is not {wanted}, so this harness did not write it")
    if any(s.hostname not in LOOPBACK or s.port != state.ports["kube-apiserver"] for s in servers):
        raise ForeignClusterError(
            f"{kubeconfig} leads to {told['clusters'][0]['cluster']['server']}, not to this cluster"
        )
    return state
