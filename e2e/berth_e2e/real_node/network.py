"""The network of a cluster's real nodes: a bridge, a cable to each node, and addresses that clusters do not share.

Cluster number k has the bridge `berthK` with 10.250.k.1; its node n is 10.250.k.(10+n) and its pods are 10.251.(8k+n).0/24.
Making the bridge claims the number: the kernel refuses a second one of that name.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from berth_e2e.real_node.packages import SYSTEM_PATH, RealNodesError

NUMBERS = range(31)
MOST_NODES = 8
OURS = (ip_network("10.250.0.0/16"), ip_network("10.251.0.0/16"))


@dataclass(frozen=True)
class NodeNetwork:
    """Addresses of cluster number `number`."""

    number: int

    @property
    def bridge(self) -> str:
        return f"berth{self.number}"

    @property
    def host(self) -> str:
        """The machine's own address on the bridge, where nodes reach the API server."""
        return f"10.250.{self.number}.1"

    def address(self, index: int) -> str:
        return f"10.250.{self.number}.{10 + index}"

    def pods(self, index: int) -> str:
        return f"10.251.{MOST_NODES * self.number + index}.0/24"

    def cable(self, index: int) -> str:
        """The machine's end; the node's is eth0."""
        return f"berth{self.number}n{index}"

    def plug_in(self, index: int, pid: int) -> None:
        """Gives the network namespace of `pid` its address and routes. Once more after a reboot of the node."""
        cable, far = self.cable(index), f"far{self.number}n{index}"
        ip("link", "del", cable, check=False)
        ip("link", "add", cable, "type", "veth", "peer", "name", far)
        ip("link", "set", cable, "master", self.bridge, "up")
        ip("link", "set", far, "netns", str(pid))
        inside = ("nsenter", "--target", str(pid), "--net", "ip")
        for command in (
            ("link", "set", "lo", "up"),
            ("link", "set", far, "name", "eth0"),
            ("addr", "add", f"{self.address(index)}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("route", "add", "default", "via", self.host),
        ):
            _run(*inside, *command)
        for other in range(1, MOST_NODES + 1):
            if other != index:
                _run(*inside, "route", "add", self.pods(other), "via", self.address(other))
        ip("route", "replace", self.pods(index), "via", self.address(index), "dev", self.bridge)

    def cut(self, index: int) -> None:
        """Pulls the node's cable: its processes go on, nobody reaches it."""
        ip("link", "set", self.cable(index), "down")

    def mend(self, index: int) -> None:
        ip("link", "set", self.cable(index), "up")

    def remove(self) -> None:
        """The bridge, and with it routes and what is left of cables."""
        for index in range(1, MOST_NODES + 1):
            ip("link", "del", self.cable(index), check=False)
        ip("link", "del", self.bridge, check=False)


def claim_network() -> NodeNetwork:
    """A network that no other cluster uses. Raises RealNodesError."""
    for link in json.loads(ip("-json", "addr")):
        for told in link.get("addr_info", []):
            if not link["ifname"].startswith("berth") and any(ip_address(told["local"]) in net for net in OURS):
                raise RealNodesError(f"{link['ifname']} has {told['local']}: real nodes would need that network")
    for number in NUMBERS:
        network = NodeNetwork(number)
        if ip("link", "add", network.bridge, "type", "bridge", check=False, failed="taken") == "taken":
            continue
        ip("addr", "add", f"{network.host}/24", "dev", network.bridge)
        ip("link", "set", network.bridge, "up")
        return network
    raise RealNodesError(f"all {len(NUMBERS)} bridges are taken: `ip link` shows them; make cluster-down removes one")


def ip(*arguments: str, check: bool = True, failed: str = "") -> str:
    """What `ip` said, or `failed` when it failed and need not succeed."""
    return _run("ip", *arguments, check=check, failed=failed)


def _run(*command: str, check: bool = True, failed: str = "") -> str:
    run = subprocess.run(command, env={**os.environ, "PATH": SYSTEM_PATH}, capture_output=True, text=True, check=False)
    if run.returncode and check:
        raise RealNodesError(f"{' '.join(command)} failed: {run.stderr.strip()}")
    return failed if run.returncode else run.stdout
