"""docs/reference/reasons.md: every reason code, what it means and what to do, in groups of where a person meets it.

What an LLMService says is told in docs/llmservice.md and taken from there; all else is told here, once. A code that is in neither fails
the making of the page, and so does one that does not exist any more.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from berth_api.packing_plan import Outcome
from berth_api.reasons import Reason
from docs.tooling.markdown import cell

ROOT = Path(__file__).parents[2]
_ROW = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)


class Group(NamedTuple):
    title: str
    about: str
    said: dict[Reason, str]


R = Reason

GROUPS = (
    Group(
        "Why a pod waits",
        "In the annotation `berth.dev/why`, in `berth why`, in `status.waiting` of an LLMService, and in the label of `berth_waiting_pods`.",
        {
            R.FITS_NOW: "A node has room as things stand. It is placed at the scheduler's next try, a few seconds at most; if not, is the "
            "scheduler alive (`kubectl berth status`)?",
            R.FITS_AFTER_MOVES: "A plan places it after some moves. Follow it with `kubectl get pplan`; with a policy of mode Manual, approve it: "
            "`kubectl berth plan --approve NAME`.",
            R.HIGHER_PRIORITY_FIRST: "A place exists, and it would cost a pod of the same or a higher priority. Add capacity (`berth why POD` names the "
            "smallest change), or give it a higher PriorityClass.",
            R.NO_PLACEMENT_EXISTS: "Proven: it fits nowhere, not even if everything that may move moved. Ask for less, loosen selectors or "
            "tolerations, or add a node; `berth why POD` names the smallest change.",
            R.NOT_PROVEN: "Neither a place nor a proof was found in the time. Raise `timeBudgetSeconds` of the policy (or `--budget`); it is "
            "asked about again anyhow.",
            R.GANG_INCOMPLETE: "Its gang has fewer members than it needs. Create the others, or lower `berth.dev/gang-min`.",
            R.GATED: "It has scheduling gates: whoever set them has to take them off.",
            R.NOMINATED: "kube-scheduler has preempted for it and waits until the victims are gone. Nothing to do.",
            R.TERMINATING: "It is on its way out. Nothing to do; if it stays, look at its finalizers and its node.",
            R.OTHER_SCHEDULER: "It belongs to another scheduler. `kubectl berth adopt` hands its workload over.",
            R.UNKNOWN_FEATURE: "It asks for something that is not modelled ([list](../dumps.md#what-is-not-modelled)), so it is neither planned for "
            "nor moved; kube-scheduler still places it where it can.",
            R.MOVE_BUDGET_SPENT: "A plan would place it; the policy's limit on moves does not allow that now. It is tried again as the hour goes by, "
            "or raise `spec.budgets`.",
            R.QUIET_HOURS: "A plan would place it after the policy's quiet hours.",
            R.OUT_OF_SCOPE: "There are policies, and none covers it. Widen the `scope` of one.",
            R.NO_WORD_YET: "The planning loop has not looked at it. If it stays: does an operator lead (`kubectl berth status`)?",
        },
    ),
    Group(
        "Why a node does not take a pod",
        "Counted by node in `berth why`. A fitting node is missing when all of them say one of these.",
        {
            R.INSUFFICIENT_RESOURCE: "Too little of a resource is left. The name of the resource stands behind it.",
            R.TOO_MANY_PODS: "The node's number of pods is reached (`status.allocatable.pods`).",
            R.UNSCHEDULABLE: "It is cordoned: `kubectl uncordon NODE`.",
            R.UNTOLERATED_TAINT: "It has a taint that the pod does not tolerate.",
            R.NODE_SELECTOR_MISMATCH: "The pod's nodeSelector or required node affinity rules it out.",
            R.PORT_CONFLICT: "A host port that the pod asks for is taken there.",
            R.VOLUME_ZONE_CONFLICT: "A volume of the pod is bound to another zone or node.",
            R.ANTI_AFFINITY: "Required anti-affinity, of the pod or of one that runs there.",
            R.AFFINITY_UNSATISFIED: "The pods that required affinity wants beside it are not there.",
            R.TOPOLOGY_SPREAD: "A spread constraint with DoNotSchedule.",
            R.NODE_NOT_READY: "Its kubelet does not answer, or says that it is not ready.",
            R.NODE_OVERLOADED: "More is requested there than it offers: it shrank, or pods were bound past the scheduler.",
        },
    ),
    Group(
        "What the extender says of a node",
        "In the events of a waiting pod (`kubectl describe pod`).",
        {
            R.KEPT_FOR_PLAN: "What is free there is kept for pods on their way; the text names the plan. It ends with the plan.",
            R.WAITING_FOR_GANG: "Too few of the pod's gang have room yet. Ten minutes at most, and not without a leader.",
            R.HINT_ENFORCED: "A strong wish of the hint rules it out, and a policy enforces it in this namespace. Change the hint, or "
            "`spec.hints.enforceStrong`.",
        },
    ),
    Group(
        "Why a pod is not moved",
        "In the notes of `berth plan` and the sentences of `berth why`: what stands in the way of a better packing.",
        {
            R.NO_CONTROLLER: "A bare pod: nothing would make it again. Let a Deployment or the like own it.",
            R.DAEMON_SET: "A DaemonSet's pod belongs to its node.",
            R.MIRROR_POD: "A static pod belongs to its node.",
            R.JOB_WITHOUT_POLICY: "An eviction would count as a failure of the Job. Let its `podFailurePolicy` ignore `DisruptionTarget`.",
            R.DO_NOT_MOVE: 'It is marked: `berth.dev/do-not-move`, `karpenter.sh/do-not-disrupt` or `safe-to-evict: "false"`. Take the mark off.',
            R.RESOURCE_CLAIMS: "It holds resource claims (DRA), which are not modelled.",
            R.LOCAL_STORAGE: "Its volume is on the node, and would be lost or keep it there.",
            R.MANY_BUDGETS: "Two disruption budgets select it, and the Eviction API refuses such pods. Take one of them away.",
            R.RESTING: "It was moved a short while ago: `spec.restSeconds` of the policy.",
        },
    ),
    Group(
        "Events",
        "On pods, their owners and plans, written by the leading operator; `kubectl describe`. Beside these, `Planned`, `PlanTakenUp` and "
        "`PlanFinished` on a plan, `Moved` and `Evicted` on a pod, tell what is done.",
        {
            R.NOTHING_BETTER: "No plan helps; the sentence has the proof. As for `NoPlacementExists` and `HigherPriorityFirst`.",
            R.NEEDS_CAPACITY: "How many nodes of which shape would help. Add them, or let an autoscaler.",
            R.HINT_IGNORED: "The pod has a hint and another scheduler. Set `schedulerName: berth`, or take the hint away.",
            R.HINT_UNDERSTOOD: "What the hint was taken for. Read it once.",
            R.HINT_PARTLY_UNDERSTOOD: 'Part of the hint does not count; the event names it. `berth hint --live "..."` shows what would.',
            R.HINT_CONFLICT: "Two wishes contradict each other; the event says which one counts. Take the other out.",
            R.HINT_UNSATISFIABLE: "No node can satisfy a wish. Ask for something that a node has; where strong wishes are enforced, the pod waits.",
        },
    ),
    Group(
        "What a command says of its input",
        "Warnings and errors on stderr; the exit code is 2 where nothing could be read.",
        {
            R.NOT_JSON: "The file is not JSON. Write it with `kubectl get ... -o json`.",
            R.WRONG_KIND: "Not a List or an object that is looked at. It is left out; see [dumps](../dumps.md).",
            R.BAD_FIELD: "A field cannot be read; the message names it. The object is left out.",
            R.DUPLICATE_NAME: "An object is there more than once; the newest counts.",
            R.UNKNOWN_NODE: "There is no node of that name in the dump, or a pod stands on one that is not. Dump the nodes too.",
            R.UNKNOWN_POD: "There is no pod of that name. Write NAMESPACE/NAME, or use -n.",
            R.UNKNOWN_WORKLOAD: "There is no workload of that name. Write KIND/NAME, or use -n.",
            R.TOO_LARGE: "A limit on size is passed; the message says which, and what to split.",
            R.UNREADABLE: "The file cannot be opened, or its gzip data is damaged. Write it again.",
            R.EMPTY_CLUSTER: "The input has no nodes. Add them to the dump.",
            R.KUBECTL_FAILED: "kubectl could not read the cluster; its own words follow. Does `kubectl get nodes` work?",
        },
    ),
    Group(
        "What a command that acts on a cluster says",
        "Of `berth plan --apply`, `--approve`, `--cancel`, `berth adopt` and `berth status`.",
        {
            R.NOT_INSTALLED: "The cluster does not know PackingPlan. [Install](../install.md) Berth.",
            R.UNKNOWN_PLAN: "There is no such plan: `kubectl get pplan`.",
            R.UNKNOWN_POLICY: "There is no such policy: `kubectl get ppolicy`.",
            R.PLAN_FINISHED: "The plan has ended. Make another one.",
            R.PLAN_CANCELLED: "The plan was cancelled, for good. Make another one.",
            R.DRY_RUN: "The plan's policy carries nothing out. Apply with `--policy` of another one, or change its mode.",
            R.NO_LEADER: "No operator leads, so nobody takes the plan up. `kubectl get pods -n berth-system`.",
            R.NO_SCHEDULER: "No scheduler `berth` is alive: pods that use it would stay Pending. `kubectl get pods -n berth-system`; `--force` goes on.",
        },
    ),
    Group(
        "Why the extender refuses a request",
        '4xx with `{"reason", "message"}`. kube-scheduler sends nothing that is refused; these are for whoever writes a client.',
        {
            R.MALFORMED_REQUEST: "Not JSON, no pod, or neither names nor nodes.",
            R.NO_SUCH_PATH: "The verbs are `/filter`, `/prioritize` and `/preempt`.",
            R.METHOD_NOT_ALLOWED: "Verbs take POST.",
            R.UNSUPPORTED_MEDIA_TYPE: "`application/json` only.",
            R.BODY_TIMEOUT: "The body was not there after 5 s.",
        },
    ),
    Group(
        "What an installation says",
        "In `berth doctor` and `helm test`.",
        {
            R.KINDS_NOT_SERVED: "Apply `manifests/crds`, or install the chart with `crds.enabled`; if the kinds are there, is the API server well?",
            R.DEPLOYMENT_UNAVAILABLE: "Too few pods of it are ready. `kubectl -n berth-system describe pods` says why.",
            R.POD_NOT_READY: "The pod runs, and does not answer that it is ready. Look at its log; a NetworkPolicy may stand between.",
        },
    ),
    Group(
        "What admission policies refuse",
        "In the API server's answer, with the chart's [admission policies](../admission.md) switched on.",
        {
            R.PINNING_REFUSED: "This namespace may not keep its pods from being moved, or make that dear. Leave the annotation out, or have the "
            "namespace exempted.",
            R.ANNOTATION_REFUSED: "The operator alone writes this annotation. Leave it out.",
            R.PATCH_REFUSED: "The operator tried to write more than annotations, which is a bug or a stolen token. Look at the audit log.",
            R.APPROVAL_REFUSED: "Approving plans needs the verb `approve`. Ask for a role that has it.",
        },
    ),
    Group(
        "The dashboard",
        "Answers of `/api/v1` that are not 2xx, and notices of its overview ([the dashboard](../ui.md)).",
        {
            R.UNAUTHENTICATED: "No token came, or one that the API server does not know or no longer takes. Bring your own: `kubectl create token NAME`.",
            R.FORBIDDEN: "Your own rights in the cluster do not reach so far; the sentence names the missing one. [What each view needs](../ui.md#who-sees-and-does-what).",
            R.REVIEWS_FORBIDDEN: "The operator may not create TokenReviews or SubjectAccessReviews: set `operator.ui.enabled` in the chart, or add the rules of "
            "[permissions](../rbac.md).",
            R.NO_KEY: "Open the whole address that `berth ui` printed, with its key.",
            R.WRONG_HOST: "Ask by the address that `berth ui` printed: it answers to the loopback's names only.",
            R.WRONG_ORIGIN: "Another site asked for it. Use the page that `berth ui` serves.",
            R.NOT_FOUND: "There is none of that name, or you may not see it.",
            R.BUSY: "Too many questions, or pages, at once. Ask again after `Retry-After` seconds.",
            R.BAD_CHANGE: "The what-if names something that this cluster does not have; the sentence says what there is.",
            R.NOT_LIVE: "A dump or the demo is shown: there is nothing to act on. Start `berth ui` without `--dump` and `--demo`.",
            R.NOT_SYNCED: "The cluster is still being listed; what is shown is not all. If it stays, look at the log for a kind that may not be listed.",
            R.API_SERVER_AWAY: "The API server has said nothing for two minutes: this is how the cluster stood then.",
            R.NO_WAY_BACK: "The plan cannot be undone as things stand: a node is gone, a replacement has left or may not move, or the room is taken. Make a new plan.",
            R.HISTORY_FAILS: "The history cannot be written, most likely for want of disk. Everything else goes on; the log has the error.",
        },
    ),
)

SERVICE_PAGE = ROOT / "docs/llmservice.md"
SERVICE_HEADING = "## Reasons"

OUTCOMES: dict[Outcome, str] = {
    Outcome.COMPLETED: "Every pod arrived where planned.",
    Outcome.PARTLY_COMPLETED: "Some replacements never came: their owner was scaled down, paused or rolled out.",
    Outcome.CANCELLED: "A person stopped it (`spec.cancelled`).",
    Outcome.EXPIRED: "Nobody approved it in time, or it fitted no more when it was to begin. A new one is made if pods still wait.",
    Outcome.SUPERSEDED: "A newer plan took its place before it began.",
    Outcome.CLUSTER_CHANGED: "A node, pod or owner that it counted on is gone or different.",
    Outcome.OVERTAKEN: "Somebody else took the room, or a more important pod came. Where other schedulers use the same nodes, set nodes apart.",
    Outcome.BUDGET_EXHAUSTED: "A limit of the policy was reached. Raise `spec.budgets`, or wait.",
    Outcome.EVICTION_BLOCKED: "A PodDisruptionBudget said no until the deadline. Is it one that never allows any?",
    Outcome.REPLACEMENT_NOT_READY: "The new replica of an LLMService did not answer in time; the old one was not touched. Look at the service's reason.",
    Outcome.NO_EXTENDER: "No extender is alive: nothing would steer the replacements. `kubectl get pods -n berth-system`.",
    Outcome.DEADLINE_EXCEEDED: "It took longer than `planDeadlineSeconds`. Raise it where pods take long to end.",
}


def page() -> str:
    parts = [
        "# Reasons and events",
        "Every refusal, wait, warning and error has a code, CamelCase and stable, and a sentence with the facts. This page says what to do\n"
        "about each. [Troubleshooting](../troubleshooting.md) begins at the symptoms.",
    ]
    for group in GROUPS:
        parts += [f"## {group.title}", group.about, _table({r.value: text for r, text in group.said.items()})]
    parts += [
        "## How a plan ends",
        "The reason of the condition `Finished` of a PackingPlan ([when exactly](../plan-execution.md#how-it-can-end)). After any of these the "
        "planning loop looks again at the pods that still wait.",
        _table({outcome.value: OUTCOMES[outcome] for outcome in OUTCOMES}),
        "## What an LLMService says",
        "In its conditions, `status.waiting` and `status.lastFailure`, and the last word of `berth-fetch`. From "
        "[LLMService](../llmservice.md#reasons).",
        _table(service_reasons()),
        "## Over HTTP",
        "The engine's error codes are in [its page](../engine.md#errors), the gateway's in [serving](../serving.md#the-gateway).",
    ]
    check()
    return "\n\n".join(parts) + "\n"


def service_reasons() -> dict[str, str]:
    rows = _ROW.findall(SERVICE_PAGE.read_text().partition(SERVICE_HEADING)[2])
    return {code: text.replace("](", "](../").replace("](../http", "](http") for code, text in rows}


def check() -> None:
    """Raises ValueError where a code is told twice, or not at all."""
    told = [r.value for group in GROUPS for r in group.said] + list(service_reasons())
    twice = {code for code in told if told.count(code) > 1}
    missing = {r.value for r in Reason} - set(told) | {o.value for o in Outcome} - {o.value for o in OUTCOMES}
    strange = set(told) - {r.value for r in Reason}
    if twice or missing or strange:
        raise ValueError(
            f"reasons told twice: {sorted(twice)}, not at all: {sorted(missing)}, unknown: {sorted(strange)}"
        )


def _table(rows: dict[str, str]) -> str:
    lines = ["| code | what it means, what to do |", "| --- | --- |"]
    return "\n".join([*lines, *(f"| `{code}` | {cell(text)} |" for code, text in rows.items())])
