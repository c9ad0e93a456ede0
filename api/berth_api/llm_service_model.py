"""`LLMService.spec.model`: which weights are served, under which name, and where they are kept on the way."""

from __future__ import annotations

from pydantic import Field

from berth_api.passed_through import Quantity
from berth_api.resource import ApiModel


class SecretRef(ApiModel):
    """A Secret of the service's namespace."""

    name: str = Field(min_length=1, max_length=253)
    """Name of the Secret."""


class Cache(ApiModel):
    """Where weights fetched from s3:// and hf:// lie. Without anything: in an emptyDir of each pod."""

    claim_name: str | None = Field(default=None, min_length=1, max_length=253)
    """A PersistentVolumeClaim that the pods share, so that a node fetches once; ReadWriteMany where they sit on several nodes."""
    size_limit: Quantity | None = None
    """Most that the emptyDir of a pod may hold. A claim has a size of its own."""


class Model(ApiModel):
    """Which weights are served."""

    uri: str = Field(min_length=1, max_length=1_024)
    """s3://bucket/prefix, hf://org/name@revision, pvc://claim/folder, or path:///folder within the engine's image. Never holds
    credentials: give those as a Secret."""
    name: str | None = Field(default=None, min_length=1, max_length=253)
    """What clients write as `model` in their requests; the service's own name unless given. It cannot change: while replicas are
    replaced, old and new ones answer behind one address."""
    digest: str | None = Field(default=None, max_length=71)
    """sha256: and 64 hex digits, of the manifest that `berth model push` wrote. Pods serve these bytes or do not start."""
    credentials_secret_ref: SecretRef | None = None
    """A Secret whose keys become the environment of the fetch: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, HF_TOKEN.
    Leave it out where pods have a role of their own, or where the model is public."""
    cache: Cache = Cache()
    """Where the weights lie once they are fetched."""
