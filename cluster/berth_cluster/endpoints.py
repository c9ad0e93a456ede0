"""EndpointSlices: which pods of a Service get traffic, and where they listen."""

from __future__ import annotations

from berth_cluster.objects import Wire

SERVICE_NAME = "kubernetes.io/service-name"


class _Conditions(Wire, frozen=True):
    ready: bool | None = None
    """Absent means ready, as Kubernetes says."""


class _Target(Wire, frozen=True):
    kind: str = ""
    name: str = ""


class _Endpoint(Wire, frozen=True):
    addresses: list[str] | None = None
    conditions: _Conditions | None = None
    target_ref: _Target | None = None


class _Port(Wire, frozen=True):
    name: str | None = None
    port: int | None = None


class _Meta(Wire, frozen=True):
    name: str = ""
    namespace: str | None = None
    resource_version: str | None = None
    labels: dict[str, str] | None = None


class EndpointSlice(Wire, frozen=True):
    metadata: _Meta = _Meta()
    endpoints: list[_Endpoint] | None = None
    ports: list[_Port] | None = None

    @property
    def service(self) -> str:
        """Name of the Service whose pods these are."""
        return (self.metadata.labels or {}).get(SERVICE_NAME, "")

    @property
    def addresses(self) -> dict[str, str]:
        """host:port of the pods that get traffic, by the pod's name. IPv6 in brackets.

        Of a Service that publishes addresses that are not ready, these are said to be ready too.
        """
        port = next((p.port for p in self.ports or () if p.port), None)
        found: dict[str, str] = {}
        for endpoint in self.endpoints or ():
            if (endpoint.conditions is not None and endpoint.conditions.ready is False) or not endpoint.addresses:
                continue
            host = endpoint.addresses[0]
            name = endpoint.target_ref.name if endpoint.target_ref is not None else host
            if port is not None:
                found[name] = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return found
