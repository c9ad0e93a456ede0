"""Effective requests: what kube-scheduler counts a pod for.

Per resource, as `k8s.io/component-helpers/resource/helpers.go` (PodRequests) has it:

- the sum over containers and sidecars (init containers with restartPolicy Always), or, where larger, the most that
  initialisation needs: each init container with the sidecars started before it;
- during an in-place resize the larger of what a container asks for, what it was allocated and what it runs with; an
  infeasible resize counts only what it has;
- requests on the pod itself replace the sum for cpu, memory and hugepages;
- overhead is added; `pods` is 1.

The API server fills absent requests from limits; manifests that never saw it get the same here. The undecoded texts are
the key under which a result is remembered: pods of one template are counted once.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.errors import FieldError
from berth_cluster.objects import Amounts
from berth_cluster.pod_objects import Container, ContainerStatus, PodCondition, ResourceRequirements, WirePod
from berth_cluster.quantities import MAX_AMOUNT, QuantityError, nanos, whole_units

_POD_LEVEL = ("cpu", "memory")
_POD_LEVEL_PREFIX = "hugepages-"

_decode_requirements = msgspec.json.Decoder(ResourceRequirements).decode
_decode_amounts = msgspec.json.Decoder(Amounts | None).decode

Nanos = Mapping[str, int]
"""Resource to amount in 10^-9 units."""


class ContainerShape(msgspec.Struct, frozen=True, gc=False):
    """The JSON texts that decide what a container counts for; empty where absent."""

    resources: bytes
    status_resources: bytes = b""
    allocated: bytes = b""
    sidecar: bool = False


class RequestShape(msgspec.Struct, frozen=True, gc=False):
    """Everything in a pod that its effective requests depend on."""

    containers: tuple[ContainerShape, ...]
    init_containers: tuple[ContainerShape, ...] = ()
    overhead: bytes = b""
    pod_resources: bytes = b""
    resize_infeasible: bool = False


def is_sidecar(container: Container) -> bool:
    """Of an init container: it keeps running beside the containers."""
    return container.restart_policy == "Always"


def request_shape(wire: WirePod) -> RequestShape:
    """The parts of a pod that decide, still undecoded."""
    spec, status = wire.spec, wire.status
    running = {s.name: s for s in status.container_statuses or ()}
    initial: tuple[ContainerShape, ...] = ()
    if spec.init_containers:
        started = {s.name: s for s in status.init_container_statuses or ()}
        initial = tuple(
            _container_shape(c, started.get(c.name) if is_sidecar(c) else None, is_sidecar(c))
            for c in spec.init_containers
        )
    return RequestShape(
        tuple([_container_shape(c, running.get(c.name), False) for c in spec.containers or ()]),
        initial,
        bytes(spec.overhead),
        bytes(spec.resources),
        _resize_is_infeasible(status.conditions),
    )


def _container_shape(container: Container, status: ContainerStatus | None, sidecar: bool) -> ContainerShape:
    if status is None:
        return ContainerShape(bytes(container.resources), sidecar=sidecar)
    return ContainerShape(
        bytes(container.resources), bytes(status.resources), bytes(status.allocated_resources), sidecar
    )


def _resize_is_infeasible(conditions: tuple[PodCondition, ...] | None) -> bool:
    for condition in conditions or ():
        if condition.type == "PodResizePending":
            return condition.reason == "Infeasible"
    return False


def effective_requests(shape: RequestShape) -> tuple[tuple[str, int], ...]:
    """Sorted by resource, in the resource's unit, zeros left out, `pods` included. Raises FieldError."""
    total: dict[str, int] = {}
    for i, container in enumerate(shape.containers):
        _add(total, _container_requests(container, shape.resize_infeasible, f"spec.containers[{i}].resources"))

    sidecars: dict[str, int] = {}
    initialising: dict[str, int] = {}
    for i, container in enumerate(shape.init_containers):
        asked = _container_requests(container, shape.resize_infeasible, f"spec.initContainers[{i}].resources")
        if container.sidecar:
            _add(total, asked)
            _add(sidecars, asked)
        else:
            together = dict(sidecars)
            _add(together, asked)
            _raise_to(initialising, together)
    _raise_to(total, initialising)

    pod_level = _requests_or_limits(shape.pod_resources, "spec.resources")
    total.update((r, amount) for r, amount in pod_level.items() if r in _POD_LEVEL or r.startswith(_POD_LEVEL_PREFIX))
    _add(total, _amounts(_optional_amounts(shape.overhead, "spec.overhead"), "spec.overhead"))

    units = {resource: whole_units(resource, amount) for resource, amount in total.items() if amount}
    units["pods"] = 1
    for resource, amount in units.items():
        if amount > MAX_AMOUNT:
            raise FieldError(
                "spec.containers", f"ask for {amount} {resource} in all, more than Berth counts with (2^53)"
            )
    return tuple(sorted(units.items()))


def _container_requests(container: ContainerShape, infeasible: bool, path: str) -> Nanos:
    wanted = _requests_or_limits(container.resources, path)
    if container.status_resources in (b"", b"null"):
        return wanted
    counted: dict[str, int] = {} if infeasible else dict(wanted)
    running = _requirements(container.status_resources, "status.containerStatuses.resources")
    _raise_to(counted, _amounts(running.requests, "status.containerStatuses.resources.requests"))
    allocated = "status.containerStatuses.allocatedResources"
    _raise_to(counted, _amounts(_optional_amounts(container.allocated, allocated), allocated))
    return counted


def _requests_or_limits(text: bytes, path: str) -> Nanos:
    if text in (b"", b"{}"):
        return {}
    requirements = _requirements(text, path)
    return {
        **_amounts(requirements.limits, f"{path}.limits"),
        **_amounts(requirements.requests, f"{path}.requests"),
    }


def _requirements(text: bytes, path: str) -> ResourceRequirements:
    if text == b"null":
        return ResourceRequirements()
    try:
        return _decode_requirements(text)
    except MALFORMED as error:
        raise field_error(error, path) from error


def _optional_amounts(text: bytes, path: str) -> Amounts | None:
    if not text:
        return None
    try:
        decoded: Amounts | None = _decode_amounts(text)
    except MALFORMED as error:
        raise field_error(error, path) from error
    return decoded


def _amounts(amounts: Amounts | None, path: str) -> Nanos:
    if not amounts:
        return {}
    found = {}
    for resource, quantity in amounts.items():
        try:
            found[resource] = nanos(quantity if type(quantity) is str else str(quantity))
        except QuantityError as error:
            raise FieldError(f"{path}[{resource}]", str(error)) from error
    return found


def _add(total: dict[str, int], more: Nanos) -> None:
    for resource, amount in more.items():
        total[resource] = total.get(resource, 0) + amount


def _raise_to(total: dict[str, int], least: Nanos) -> None:
    for resource, amount in least.items():
        if amount > total.get(resource, -1):
            total[resource] = amount
