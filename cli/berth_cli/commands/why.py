"""`berth why`: why each waiting pod waits, what is proven about it, and the smallest change that would help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError

if TYPE_CHECKING:
    from berth_cluster.snapshot import Pod, Snapshot
    from berth_planner.explanation import Explanation
    from berth_planner.options import PlanOptions

EXAMPLES = """
Examples:
  berth why                                every waiting pod of the current context's cluster
  berth why --dump dump.json -n llm        those of one namespace
  berth why --dump dump.json chat-70b-0    one pod in full; also: deploy/chat-70b, llm/chat-70b-0
  berth why deploy/chat-70b -o json | jq -r '.explanations[].code'

Exit codes: 0 answered, 2 bad input or no such pod, 3 cluster not reachable.
"""


def why(
    name: Annotated[
        str | None, typer.Argument(metavar="POD|WORKLOAD", help="One pod, or the waiting pods of a workload.")
    ] = None,
    dump: options.Dump = None,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    namespace: options.Namespace = None,
    all_namespaces: options.AllNamespaces = False,
    budget: options.Budget = 1.0,
    movable: options.MovableOption = None,
    seed: options.Seed = 0,
    threads: options.Threads = 2,
    output: options.Output = options.OutputFormat.TABLE,
    no_color: options.NoColor = False,
) -> None:
    """Why each waiting pod waits, with proof, and what would help.

    Says for each pod whether it fits now, fits after so many moves, fits at nobody's expense, or cannot be placed at all
    however pods are moved; what stands against it on how many nodes; and the smallest single change that would let it in.
    """
    from berth_cli.ask_planner import asking
    from berth_cli.naming import find_pods
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_planner.options import PlanOptions

    if name and not dump and Path(name).is_file():
        raise CommandError(f"{name} is a file, not a pod or workload", hint=f"To read it: berth why --dump {name}")
    terminal = open_terminal(no_color=no_color)
    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    within = None if all_namespaces else namespace
    meant = find_pods(snapshot, name, within) if name else None
    asked = PlanOptions(movable=(movable or options.Movable.ALL).value, budget=budget, seed=seed, threads=threads)
    with asking(terminal, "looking for places"):
        explanations = _explain(snapshot, asked, meant, within)

    from berth_cli.output import print_value
    from berth_cli.why_text import WhyDocument, print_explanations, print_running

    if print_value(WhyDocument(explanations), output):
        return
    if meant:
        print_running(terminal.out, meant)
    print_explanations(
        terminal.out, explanations, full=meant is not None, wide=output is options.OutputFormat.WIDE, namespace=within
    )
    if meant and any(pod.hint and pod.node for pod in meant):
        from berth_cli.live_objects import LiveObjects
        from berth_cli.why_hint import print_hints

        print_hints(terminal, snapshot, meant, None if dump else LiveObjects(context, kubeconfig))


def _explain(
    snapshot: Snapshot, asked: PlanOptions, meant: tuple[Pod, ...] | None, namespace: str | None
) -> tuple[Explanation, ...]:
    from berth_planner.why import why as explain

    names = None if meant is None else {pod.key for pod in meant}

    def wanted(pod: Pod) -> bool:
        return namespace in (None, pod.namespace) and (names is None or pod.key in names)

    return explain(snapshot, asked, wanted=wanted)
