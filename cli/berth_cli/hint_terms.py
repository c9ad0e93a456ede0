"""What a live cluster's PackingPolicies say of hints: whose count, how many wishes of one, and where strong ones are enforced."""

from __future__ import annotations

from berth_api.hint_policy import Hints
from berth_api.packing_policy import PackingPolicy
from berth_cli.exits import CommandError
from berth_cli.live_objects import API, LiveObjects
from berth_cli.terminal import Terminal
from berth_cluster.snapshot import Pod
from berth_intent.intents import Intent
from berth_operator.policy_in_force import DEFAULTS, PoliciesInForce
from berth_planner.hint_reading import HintTerms, TermsOf, anything


def live_terms(cluster: LiveObjects, terminal: Terminal) -> TermsOf:
    """Without policies, or without the right to read them (which is said), everything counts."""
    try:
        found = cluster.items(f"{API}/packingpolicies")
    except CommandError as error:
        terminal.warn(f"{error.message}: what policies say of hints is not known")
        return anything
    policies = PoliciesInForce(PackingPolicy.model_validate(item) for item in found)

    def terms(pod: Pod) -> HintTerms:
        return terms_in((policies.of(pod) or DEFAULTS).spec.hints, pod.namespace)

    return terms


def terms_in(hints: Hints, namespace: str) -> HintTerms:
    allowed = hints.allowed(namespace)
    return HintTerms(
        enabled=hints.enabled,
        allowed=None if allowed is None else frozenset(Intent(name) for name in allowed),
        enforces_strong=hints.enforces(namespace),
        max_preferences=hints.max_preferences,
    )
