"""Where a service's weights come from, and how they get into its pods.

| uri | how |
| --- | --- |
| `s3://bucket/prefix`, `hf://org/name[@revision]` | an init container fetches them into a volume and links what it verified |
| `pvc://claim/folder` | the claim is mounted, read only; where a digest is given an init container checks it |
| `path://folder` | they are in the engine's image (`path:///opt/model`), or built in (`path://tiny-mixtral`) |
"""

from __future__ import annotations

from typing import Any

import msgspec

from berth_api.llm_service import LLMService
from berth_operator.serving.names import FETCH_CONTAINER

CACHE = "/var/cache/berth"
LINK = "/model/weights"
"""In a small volume of the pod's own: a link to the verified folder in the cache, which pods of other services may share."""
SOURCE = "/source"


class Weights(msgspec.Struct, frozen=True):
    """What the pod template needs of them."""

    path: str
    volumes: list[dict[str, Any]]
    mounts: list[dict[str, Any]]
    init_containers: list[dict[str, Any]]


def weights_of(service: LLMService, fetch_image: str, security: dict[str, Any]) -> Weights:
    """security: the securityContext of every container."""
    model = service.spec.model
    scheme, _, rest = model.uri.partition("://")
    if scheme == "path":
        return Weights(rest, [], [], [])
    if scheme == "pvc":
        claim, _, folder = rest.partition("/")
        volume = {"name": "source", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
        mount = {"name": "source", "mountPath": SOURCE, "readOnly": True}
        path = f"{SOURCE}/{folder}".rstrip("/")
        check = [_fetch(service, fetch_image, security, f"path://{path}", [mount])] if model.digest is not None else []
        return Weights(path, [volume], [mount], check)
    cache = model.cache
    if cache.claim_name is not None:
        kept: dict[str, Any] = {"name": "cache", "persistentVolumeClaim": {"claimName": cache.claim_name}}
    else:
        kept = {"name": "cache", "emptyDir": {} if cache.size_limit is None else {"sizeLimit": cache.size_limit}}
    volumes = [kept, {"name": "model", "emptyDir": {"sizeLimit": "1Mi"}}]
    mounts = [{"name": "cache", "mountPath": CACHE}, {"name": "model", "mountPath": "/model"}]
    fetch = _fetch(service, fetch_image, security, model.uri, mounts)
    return Weights(LINK, volumes, [{**mount, "readOnly": True} for mount in mounts], [fetch])


def _fetch(
    service: LLMService, image: str, security: dict[str, Any], uri: str, mounts: list[dict[str, Any]]
) -> dict[str, Any]:
    model = service.spec.model
    args = [uri, "--cache", CACHE, "--link", LINK, *(("--digest", model.digest) if model.digest is not None else ())]
    found: dict[str, Any] = {
        "name": FETCH_CONTAINER,
        "image": image,
        "args": args,
        "volumeMounts": mounts,
        "securityContext": security,
        "resources": {"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }
    if model.credentials_secret_ref is not None:
        found["envFrom"] = [{"secretRef": {"name": model.credentials_secret_ref.name}}]
    return found
