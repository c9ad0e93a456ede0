"""`PackingPolicy.spec.hints`: whose placement wishes count, how far, and which node labels they are judged by."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from berth_api.resource import ApiModel

EVERY_NAMESPACE = "*"
MAX_NAMESPACES = 256
DEFAULT_PREFERENCES = 16

HintIntent = Literal[
    "prefer_regions",
    "avoid_regions",
    "spread_regions",
    "prefer_zones",
    "avoid_zones",
    "spread_zones",
    "prefer_racks",
    "avoid_racks",
    "spread_racks",
    "prefer_nodes",
    "avoid_nodes",
    "spread_nodes",
    "prefer_colocate_same_deployment",
    "prefer_nearby_nodes_same_deployment",
    "prefer_colocate_deployments",
    "prefer_nearby_deployments",
    "avoid_deployments",
    "prefer_cpu",
    "prefer_memory_gb",
    "prefer_gpu",
    "prefer_tpu",
    "prefer_ephemeral_storage",
    "prefer_network_speed",
    "prefer_storage_type",
    "prefer_network_feature",
    "prefer_cpu_arch",
    "prefer_gpu_model",
    "avoid_gpu_model",
    "avoid_gpu",
    "prefer_spot",
    "avoid_spot",
    "prefer_least_loaded",
    "prefer_most_packed",
    "prefer_cached_model",
]
"""As in `berth_intent.intents`; a test compares them."""


Namespace = Annotated[str, Field(max_length=63)]
LabelKeys = Annotated[list[Annotated[str, Field(max_length=317)]], Field(max_length=8)]


class AllowedIntents(ApiModel):
    """Which wishes count in some namespaces."""

    namespaces: list[Namespace] = Field(
        default=[], max_length=MAX_NAMESPACES, description="Names; none: all that no other entry names."
    )
    intents: list[HintIntent] = Field(
        default=[], max_length=64, description="Wishes that count there; none: hints do nothing there."
    )


class HintLabels(ApiModel):
    """Label keys that tell a fact of a node, in the place of the usual ones. Of several the first that a node has."""

    region: LabelKeys = Field(default=[])
    """Instead of topology.kubernetes.io/region."""
    zone: LabelKeys = Field(default=[])
    """Instead of topology.kubernetes.io/zone."""
    rack: LabelKeys = Field(default=[])
    """Instead of topology.kubernetes.io/rack."""
    arch: LabelKeys = Field(default=[])
    """Instead of kubernetes.io/arch."""
    gpu_model: LabelKeys = Field(default=[])
    """Instead of nvidia.com/gpu.product and the clouds' labels."""
    network_gbps: LabelKeys = Field(default=[])
    """Instead of berth.dev/network-gbps."""
    network_features: LabelKeys = Field(default=[])
    """Instead of berth.dev/network-features: words joined by dots or underscores."""
    storage_types: LabelKeys = Field(default=[])
    """Instead of berth.dev/storage-type and the clouds' labels: words joined by dots or underscores."""
    spot: LabelKeys = Field(default=[])
    """Instead of the clouds' labels: spot, preemptible or true says that it is."""
    cached_models: LabelKeys = Field(default=[])
    """Instead of berth.dev/cached-model."""

    def keys(self) -> dict[str, tuple[str, ...]]:
        """Fact to the keys that stand in the place of the usual ones; only facts that have any."""
        return {fact: tuple(keys) for fact, keys in self if keys}


class LanguageModel(ApiModel):
    """Where a language model may read what the parser leaves over, if the operator was given one; see docs/hint-models.md."""

    namespaces: list[Namespace] = Field(
        default=[],
        max_length=MAX_NAMESPACES,
        description="Names, * for all; none: nowhere. Their hints are sent to it.",
    )

    def reads(self, namespace: str) -> bool:
        """Whether hints of the namespace may be sent, and what came of them used."""
        return namespace in self.namespaces or EVERY_NAMESPACE in self.namespaces


class Hints(ApiModel):
    """What placement wishes in plain language (annotation berth.dev/allocation-hint) may do."""

    enabled: bool = Field(default=True, description="Read hints at all.")
    allowed_intents: list[AllowedIntents] = Field(default=[], max_length=64)
    """Which wishes count where; a namespace that no entry holds for may wish everything."""
    enforce_strong: list[Namespace] = Field(default=[], max_length=MAX_NAMESPACES)
    """Namespaces in which a strong wish (must, only, never) rules nodes out; * for all. A pod waits when none is left."""
    max_preferences: int = Field(default=DEFAULT_PREFERENCES, ge=1, le=64, description="Wishes of one hint that count.")
    labels: HintLabels = HintLabels()
    """Which node labels hints are judged by; of several policies the oldest that names any."""
    language_model: LanguageModel = LanguageModel()
    """Whose hints a language model may read."""

    def allowed(self, namespace: str) -> frozenset[str] | None:
        """Wishes that count in a namespace; None: all."""
        named = [entry for entry in self.allowed_intents if namespace in entry.namespaces]
        entries = named or [entry for entry in self.allowed_intents if not entry.namespaces]
        return frozenset(intent for entry in entries for intent in entry.intents) if entries else None

    def enforces(self, namespace: str) -> bool:
        """Whether strong wishes rule nodes out there."""
        return namespace in self.enforce_strong or EVERY_NAMESPACE in self.enforce_strong
