"""`berth adopt`: hands an existing workload to the scheduler `berth`, after saying what will happen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from berth_cli.terminal import Terminal

EXAMPLES = """
Examples:
  kubectl berth adopt deploy/llama -n serving             say what will happen, ask, then do it
  kubectl berth adopt deploy/llama -n serving --dry-run   only say it
  kubectl berth adopt sts/vectors --yes                   without asking
  kubectl berth adopt deploy/llama --back                 give it back to the default scheduler

Exit codes: 0 done (or nothing to do), 1 not confirmed, 2 bad usage or refused, 3 cluster not reachable.
"""

KINDS = {
    "deployment": "deployments",
    "deployments": "deployments",
    "deploy": "deployments",
    "statefulset": "statefulsets",
    "statefulsets": "statefulsets",
    "sts": "statefulsets",
    "replicaset": "replicasets",
    "replicasets": "replicasets",
    "rs": "replicasets",
}
DEFAULT_SCHEDULER = "default-scheduler"

Json = dict[str, Any]


def adopt(
    target: Annotated[str, typer.Argument(metavar="KIND/NAME", help="deploy/NAME, sts/NAME or rs/NAME.")],
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", metavar="NAME", help="Its namespace. Default: the context's.")
    ] = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    back: Annotated[bool, typer.Option("--back", help="Give it back to the default scheduler instead.")] = False,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where the Leases of Berth's processes lie.")
    ] = "berth-system",
    force: Annotated[
        bool, typer.Option("--force", help="Also where no scheduler `berth` is alive: new pods wait until one is.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    no_color: options.NoColor = False,
) -> None:
    """Let Berth schedule a workload that already runs.

    Sets `schedulerName` in its pod template, which rolls its pods out anew. Says first how many pods that restarts, in which
    way, what guards them, and whether Berth may move them later.
    """
    from datetime import UTC, datetime
    from urllib.parse import quote

    from berth_api.annotations import SCHEDULER
    from berth_cli.cluster_status import scheduler_leads
    from berth_cli.live_objects import LiveObjects
    from berth_cli.terminal import open_terminal

    resource, name = _parsed(target)
    terminal = open_terminal(no_color=no_color)
    cluster = LiveObjects(context, kubeconfig)
    namespace = namespace or cluster.namespace()
    found = cluster.get(f"/apis/apps/v1/namespaces/{quote(namespace, safe='')}/{resource}/{quote(name, safe='')}")
    if found is None:
        raise CommandError(
            f"UnknownWorkload: there is no {resource.removesuffix('s')} {name} in namespace {namespace}",
            hint=f"List them with: kubectl get {resource} -n {namespace}",
        )
    _refuse_owned(found, resource, name, namespace)
    wanted = DEFAULT_SCHEDULER if back else SCHEDULER
    present = found["spec"]["template"]["spec"].get("schedulerName") or DEFAULT_SCHEDULER
    if present == wanted:
        terminal.out.print(f"{resource}/{name} uses the scheduler {wanted} already.")
        return
    leads = back or scheduler_leads(cluster, system_namespace, datetime.now(UTC))
    if not leads and not force and not dry_run:
        raise CommandError(
            "NoScheduler: no scheduler `berth` is alive in this cluster: the new pods would stay Pending",
            hint="See `berth status`; --force does it nevertheless, --system-namespace says where to look.",
        )
    if not leads:
        terminal.warn("no scheduler `berth` is alive in this cluster: the new pods would stay Pending")
    _explain(found, resource, name, present, wanted, terminal)
    if dry_run:
        terminal.out.print("Nothing was changed (--dry-run).")
        return
    if not yes and not typer.confirm("Go on?", default=False, err=True):
        raise typer.Exit(int(Exit.NO))
    change: Json = {"spec": {"template": {"spec": {"schedulerName": wanted}}}}
    # the uid: what was shown is what is changed, also when somebody replaces it while the question stands
    change["metadata"] = {"uid": found["metadata"]["uid"]}
    cluster.patch(f"{resource}.apps", name, change, namespace=namespace)
    undo = f"kubectl berth adopt {resource}/{name} -n {namespace}" + ("" if back else " --back")
    terminal.out.print(f"Done. Watch it: kubectl get pods -n {namespace} -w. Undo: {undo}")


def _parsed(target: str) -> tuple[str, str]:
    kind, slash, name = target.partition("/")
    if not slash or not name or "/" in name:
        raise CommandError(
            f"{target!r} is not KIND/NAME", hint="For example: kubectl berth adopt deploy/llama -n serving"
        )
    resource = KINDS.get(kind.split(".")[0].lower())
    if resource is None:
        raise CommandError(
            f"{kind} cannot be adopted: only Deployments, StatefulSets and ReplicaSets can",
            hint="A Job's pod template cannot change, nor can a pod's scheduler: set schedulerName: berth before creating it. "
            "DaemonSets belong to their nodes; leave them to the default scheduler.",
        )
    return resource, name


def _refuse_owned(found: Json, resource: str, name: str, namespace: str) -> None:
    owner = next((o for o in found["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    if owner is not None:
        raise CommandError(
            f"{resource}/{name} belongs to {owner['kind']} {owner['name']}, which would set it back",
            hint=f"Adopt that one: kubectl berth adopt {owner['kind'].lower()}/{owner['name']} -n {namespace}",
        )


def _explain(found: Json, resource: str, name: str, present: str, wanted: str, terminal: Terminal) -> None:
    spec, pods = found["spec"], found["spec"].get("replicas", 1)
    say = terminal.out.print
    say(f"{resource}/{name}: schedulerName {present} -> {wanted}")
    if resource == "replicasets":
        say(f"  Its {pods} running pods stay as they are; only pods that it creates from now on use {wanted}.")
    elif resource == "deployments":
        strategy = spec.get("strategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        how = (
            "all at once (strategy Recreate): the service is down meanwhile"
            if strategy.get("type") == "Recreate"
            else f"rolling, maxUnavailable {rolling.get('maxUnavailable', '25%')}, maxSurge {rolling.get('maxSurge', '25%')}"
        )
        say(f"  Its {pods} pods are replaced {how}.")
        if spec.get("paused"):
            say("  It is paused: nothing happens before `kubectl rollout resume`.")
        if str(rolling.get("maxUnavailable", "25%")) == "0":
            say(
                "  With maxUnavailable 0 each new pod needs room beside the old ones; where there is none, the rollout waits."
            )
    elif (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        say(f"  updateStrategy is OnDelete: its {pods} pods change when somebody deletes them.")
    else:
        partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
        say(f"  Its {pods} pods are replaced one after the other, the last ordinal first.")
        if partition:
            say(f"  updateStrategy has partition {partition}: pods of lower ordinals stay as they are.")
    if resource != "replicasets":
        say("  A rollout does not ask PodDisruptionBudgets: its own limits, above, are what guards the service.")
    annotations = (spec["template"].get("metadata") or {}).get("annotations") or {}
    keeper = (found["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by")
    if keeper:
        say(f"  {keeper} manages it and may set it back: change schedulerName there too.")
    if wanted == "berth":
        if annotations.get("berth.dev/do-not-move") == "true":
            say("  berth.dev/do-not-move is set: Berth places these pods and never moves them.")
        else:
            say("  From then on Berth may move them within their disruption budgets; forbid it with the annotation")
            say('  berth.dev/do-not-move: "true" in the pod template.')
