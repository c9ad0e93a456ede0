"""Ports that a pod takes on its node, as kube-scheduler's NodePorts counts them: of containers and of sidecars.

On the host's network every container port is one, whether or not it is written down as such.
"""

from __future__ import annotations

import msgspec

from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.objects import ABSENT
from berth_cluster.pod_objects import ContainerPort, WirePodSpec
from berth_cluster.requests import is_sidecar
from berth_cluster.snapshot import HostPort


def ports_key(spec: WirePodSpec) -> tuple[bytes, ...]:
    """Texts of the port lists that may hold a host port: all of them on the host's network."""
    containers = spec.containers or ()
    if spec.init_containers:
        containers = (*containers, *(c for c in spec.init_containers if is_sidecar(c)))
    found: tuple[bytes, ...] = ()
    for container in containers:
        if container.ports is not ABSENT:
            text = bytes(container.ports)
            if text and (spec.host_network or b'"hostPort"' in text):
                found = (*found, text)
    return found


_decode_ports = msgspec.json.Decoder(tuple[ContainerPort, ...] | None).decode


def host_ports(texts: tuple[bytes, ...], host_network: bool) -> tuple[HostPort, ...]:
    """Sorted, each once. Raises FieldError."""
    found: dict[HostPort, None] = {}
    for text in texts:
        try:
            ports = _decode_ports(text) or ()
        except MALFORMED as error:
            raise field_error(error, "spec.containers.ports") from error
        for port in ports:
            number = port.host_port or (port.container_port if host_network else 0)
            if number:
                found[HostPort(number, port.protocol or "TCP", port.host_ip or "0.0.0.0")] = None  # noqa: S104
    return tuple(sorted(found, key=lambda p: (p.port, p.protocol, p.ip)))
