"""What a PackingPlan and a PackingPolicy may not be, or become, beyond what their schemas say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from berth_api.rule import Rule

_FROZEN = (
    "policy",
    "trigger",
    "summary",
    "deadline",
    "certificate",
    "snapshot",
    "waves",
)

PLAN_RULES: Mapping[str, Sequence[Rule]] = {
    "spec": (
        *(
            Rule(
                f"self.{name} == oldSelf.{name}",
                f"spec.{name} cannot change: a plan is carried out as it was proven; "
                "cancel this one (spec.cancelled: true) and make another",
            )
            for name in _FROZEN
        ),
        Rule("self.cancelled || !oldSelf.cancelled", "spec.cancelled cannot be taken back; make another plan"),
        Rule(
            "self.approved || !oldSelf.approved", "spec.approved cannot be taken back; set spec.cancelled: true instead"
        ),
    ),
}

POLICY_RULES: Mapping[str, Sequence[Rule]] = {
    "spec.scope": (
        Rule(
            "!has(self.minPriority) || !has(self.maxPriority) || self.minPriority <= self.maxPriority",
            "minPriority is above maxPriority: the scope holds no pod",
        ),
    ),
    "spec.budgets.quietHours[]": (
        Rule("self.from != self.to", "quiet hours end when they begin; give them a length, or leave them out"),
    ),
    "spec.hints": (
        Rule(
            "self.enforceStrong.all(name, name == '*' || name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
            "enforceStrong holds names of namespaces, or * for all",
        ),
    ),
    "spec.hints.allowedIntents[]": (
        Rule(
            "self.namespaces.all(name, name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
            "allowedIntents: namespaces holds names; leave it out for all namespaces that no other entry names",
        ),
    ),
    "spec": (
        Rule(
            "double(self.planDeadlineSeconds) > self.timeBudgetSeconds",
            "planDeadlineSeconds must be longer than timeBudgetSeconds",
        ),
    ),
}
