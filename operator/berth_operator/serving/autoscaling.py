"""Who decides on the number of replicas, and what is said of it. Pure; the manifests are in `scalers`.

Between 0 and 1 the operator decides, alone, on the gateway's `berth.dev/wake`. Above that an autoscaler of the cluster does, where
there is one, and our apply leaves `spec.replicas` of the Deployment out:

    the service   the Deployment has   our apply says
    is suspended  any number           0
    sleeps        0 or 1               0
    sleeps        more                 nothing: the autoscaler takes it down to 1 first; 0 where that does not work
    is awake      0, or is not there   `min`, at least 1
    is awake      1 or more            nothing

Without an autoscaler the apply always says a number: `min`, or 1 or 0 where that is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from berth_api.llm_service import LLMService, Metric
from berth_api.reasons import Reason
from berth_operator.serving.children import Manifest
from berth_operator.serving.scalers import GAUGES, build_horizontal_pod_autoscaler, build_scaled_object, fewest
from berth_operator.serving.status import Verdict
from berth_operator.serving.view import Owned

MAX_TOLD = 400
"""Characters of an autoscaler's own message that are told."""

KEDA = "install KEDA and start the operator with --prometheus-url"
ADAPTER = "an adapter for custom.metrics.k8s.io such as prometheus-adapter"


class Scaler(StrEnum):
    """Kinds that scale."""

    SCALED_OBJECT = "ScaledObject"
    HORIZONTAL_POD_AUTOSCALER = "HorizontalPodAutoscaler"


class Means(msgspec.Struct, frozen=True):
    """What the cluster scales by."""

    keda: bool = False
    prometheus_url: str = ""
    """As KEDA reaches it; empty: nobody has said."""
    autoscalers: bool = False
    """We may write HorizontalPodAutoscalers."""
    custom_metrics: bool = False


class Choice(msgspec.Struct, frozen=True):
    """Of an autoscaler; without one, why and in words."""

    scaler: Scaler | None
    reason: str = ""
    message: str = ""


def choose(service: LLMService, means: Means) -> Choice:
    """KEDA before a HorizontalPodAutoscaler of our own: it knows every metric."""
    asked = service.spec.autoscaling
    if asked is None:
        return Choice(None, Reason.NOT_CONFIGURED, "spec.autoscaling is not set")
    if fewest(asked) >= asked.max:
        return Choice(None, Reason.NOTHING_TO_SCALE, f"min and max leave no choice: {asked.max} run")
    if means.keda and means.prometheus_url:
        return Choice(Scaler.SCALED_OBJECT)
    if means.autoscalers and means.custom_metrics:
        if asked.metric in GAUGES:
            return Choice(Scaler.HORIZONTAL_POD_AUTOSCALER)
        others = ", ".join(GAUGES)
        return Choice(
            None,
            Reason.METRIC_NEEDS_PROMETHEUS,
            f"{asked.metric} is a quantile, which only Prometheus can tell: {KEDA}, or take another metric: {others}",
        )
    if means.keda:
        return Choice(
            None,
            Reason.AUTOSCALER_MISSING,
            "KEDA is there, but the operator does not know its Prometheus: start it with --prometheus-url",
        )
    or_adapter = "" if asked.metric == Metric.TIME_TO_FIRST_TOKEN else f", or install {ADAPTER}"
    return Choice(None, Reason.AUTOSCALER_MISSING, f"the cluster has nothing that scales on load: {KEDA}{or_adapter}")


def replicas_asked(
    service: LLMService, decided: int, scaler: Scaler | None, standing: int | None, works: bool
) -> int | None:
    """What our apply says of the Deployment's replicas; None: nothing.

    decided: by the operator alone; standing: what the Deployment has, None when there is none; works: the autoscaler does.
    """
    if scaler is None or service.spec.suspend:
        return decided
    if decided == 0:
        return None if standing is not None and standing > 1 and works else 0
    return None if standing else decided


def build_scaler(service: LLMService, scaler: Scaler | None, means: Means, *, paused: bool) -> list[Manifest]:
    """The autoscaler's manifest, if there is to be one."""
    asked = service.spec.autoscaling
    if scaler is None or asked is None:
        return []
    if scaler == Scaler.SCALED_OBJECT:
        return [build_scaled_object(service, asked, means.prometheus_url, paused=paused)]
    return [build_horizontal_pod_autoscaler(service, asked)]


def scaling_verdict(
    service: LLMService,
    choice: Choice,
    owned: Mapping[tuple[str, str], Owned],
    *,
    asleep: bool,
    refused: Verdict | None = None,
) -> Verdict:
    """Of AutoscalingActive. refused: what the API server said to the autoscaler's manifest."""
    asked = service.spec.autoscaling
    if asked is None:
        return "False", choice.reason, choice.message
    if service.spec.suspend:
        return "False", Reason.SUSPENDED, "spec.suspend is set; take it away to serve"
    sleeps = f"it sleeps {asked.stabilization_seconds.down} s after the last request through the gateway"
    if choice.scaler is None:
        if choice.reason == Reason.NOTHING_TO_SCALE and asked.min == 0:
            return "True", Reason.SCALING_BY_LOAD, f"{sleeps}, and one replica wakes for the next"
        return "False", choice.reason, f"{choice.message}; {fewest(asked)} run meanwhile"
    if refused is not None:
        return refused
    if asleep:
        return "True", Reason.SCALING_BY_LOAD, "it is asleep; the next request through the gateway wakes one replica"
    of = f"{choice.scaler} {service.metadata.name}"
    standing = owned.get((choice.scaler, service.metadata.name))
    if standing is None:
        return "Unknown", Reason.AUTOSCALER_PENDING, f"{of} is on its way"
    wrong = _wrong(choice.scaler, of, standing, owned)
    if wrong is not None:
        return wrong
    goal = f"{of} keeps {asked.metric} at {asked.effective_target} with {fewest(asked)} to {asked.max} replicas"
    return "True", Reason.SCALING_BY_LOAD, f"{goal}; {sleeps}" if asked.min == 0 else goal


def _wrong(scaler: Scaler, of: str, standing: Owned, owned: Mapping[tuple[str, str], Owned]) -> Verdict | None:
    """What keeps an autoscaler from working, by its own words; None when it works."""
    if scaler == Scaler.HORIZONTAL_POD_AUTOSCALER:
        return _wrong_autoscaler(of, standing)
    ready = _condition(standing, "Ready")
    if ready is None:
        return "Unknown", Reason.AUTOSCALER_PENDING, f"KEDA has not looked at {of} yet; does its operator run?"
    if ready["status"] == "Unknown":
        return "Unknown", Reason.METRIC_UNAVAILABLE, _said(of, ready)
    if ready["status"] != "True":
        return "False", Reason.METRIC_UNAVAILABLE, _said(of, ready)
    # KEDA gives the HorizontalPodAutoscaler that it makes the labels of the ScaledObject, so that ours shows it too
    for (kind, name), one in owned.items():
        if kind == Scaler.HORIZONTAL_POD_AUTOSCALER and is_owned_by(one, standing.metadata.uid):
            return _wrong_autoscaler(f"{kind} {name}", one)
    return None


def _wrong_autoscaler(of: str, standing: Owned) -> Verdict | None:
    able, active = _condition(standing, "AbleToScale"), _condition(standing, "ScalingActive")
    if able is not None and able["status"] != "True":
        return "False", Reason.AUTOSCALER_FAILING, _said(of, able)
    if active is None or active.get("reason") == "ScalingDisabled":
        # disabled: it has looked last while there were 0 replicas
        return "Unknown", Reason.AUTOSCALER_PENDING, f"{of} has not been looked at yet by its controller"
    if active["status"] != "True":
        return "False", Reason.METRIC_UNAVAILABLE, _said(of, active)
    return None


def is_owned_by(standing: Owned, uid: str) -> bool:
    """Its controller is the object of that uid: labels alone can be anybody's."""
    return any(
        reference.get("uid") == uid and reference.get("controller")
        for reference in standing.metadata.owner_references or ()
    )


def replicas_of(deployment: Owned | None) -> int | None:
    """What it asks for."""
    spec = None if deployment is None else deployment.spec
    return spec.get("replicas", 1) if isinstance(spec, dict) else None


def _condition(standing: Owned, type_: str) -> dict[str, Any] | None:
    status = standing.status if isinstance(standing.status, dict) else {}
    found = (one for one in status.get("conditions") or () if one.get("type") == type_ and one.get("status"))
    return next(found, None)


def _said(of: str, condition: Mapping[str, Any]) -> str:
    said = " ".join(f"{condition.get('reason', '')}: {condition.get('message', '')}".split())
    said = said if len(said) <= MAX_TOLD else said[: MAX_TOLD - 3] + "..."
    return f"{of} does not work: {said}; the number of replicas stays as it is"
