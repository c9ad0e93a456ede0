"""`berth hint`: what Berth understands of a placement hint, of many, or of a pod's own, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from berth_cli import hint_options, options
from berth_cli.exits import CommandError, Exit
from berth_cli.printable import printable

if TYPE_CHECKING:
    from berth_cli.hint_cluster import HintCluster
    from berth_cli.terminal import Terminal
    from berth_intent.native import PodsOf
    from berth_intent.native_labels import SeenNode
    from berth_intent.understood import Understood
    from berth_intent.vocabulary import Vocabulary

EXAMPLES = """
Examples:
  berth hint "spread us over zones, ideally on H100s, and never next to batch-etl"
  berth hint --dump dump.json "in Europe, near the db"     with the cluster's names; --live: the current context's
  berth hint "only on arm64" --to-affinity --selector app=web
  berth hint --pod web-0 -n shop --live                    a pod's own hint, and why it is on its node
  berth hint --jsonl hints.jsonl > understood.jsonl        {"id", "hint"} a line; - is standard input

Exit codes: 0 understood, also when no wish is in it, 2 bad input (with --jsonl: a line was no hint), 3 cluster not reachable.
"""

PODS_SHOWN = 3
"""Of a workload, in `table`."""
MAX_PODS = 100
"""In the other formats: at 5,000 nodes and 20,000 pods each takes 10 ms."""


def hint(
    text: hint_options.Text = None,
    pod: hint_options.PodOption = None,
    namespace: hint_options.Namespace = None,
    jsonl: hint_options.JsonLines = None,
    vocabulary: hint_options.VocabularyFile = None,
    dump: hint_options.Dump = None,
    live: hint_options.Live = False,
    context: hint_options.Context = None,
    kubeconfig: hint_options.Kubeconfig = None,
    to_affinity: hint_options.ToAffinity = False,
    selector: hint_options.Selector = None,
    enforce: hint_options.Enforce = False,
    output: options.Output = options.OutputFormat.TABLE,
    no_color: options.NoColor = False,
) -> None:
    """What a placement hint means: every wish that is understood, how strong it is, and what is not understood.

    A hint is the annotation berth.dev/allocation-hint, in English, Spanish or German (docs/hints.md). Names such as "Europe",
    "zone 1a" or "the db" are looked up in the cluster's, when they are given. Nothing is sent anywhere.
    """
    given = sum((text is not None, pod is not None, jsonl is not None))
    if given != 1:
        raise CommandError(
            "give one of a hint's text, --pod and --jsonl" if given else "no hint given",
            hint='For example: berth hint "spread us over zones"',
        )
    if (selector or enforce) and not to_affinity:
        raise CommandError("--selector and --enforce belong to --to-affinity")
    live = live or bool(context or kubeconfig)
    if dump and live:
        raise CommandError("--dump reads files: it cannot be combined with --live, --context or --kubeconfig")
    if pod is not None and not (dump or live):
        raise CommandError(
            "--pod looks a pod up in a cluster", hint="Add --dump FILE, or --live for the current context."
        )
    if pod is not None and vocabulary:
        raise CommandError("--pod takes the cluster's names: leave out --vocabulary")
    if jsonl is not None and (to_affinity or output not in (options.OutputFormat.TABLE, options.OutputFormat.JSON)):
        raise CommandError("--jsonl answers in JSON lines only: leave out -o and --to-affinity")
    asked = _text(text) if text is not None else None
    own = _selector(selector) if selector else None

    from berth_cli.terminal import open_terminal
    from berth_cli.vocabulary_file import read_vocabulary

    terminal = open_terminal(no_color=no_color)
    names = read_vocabulary(vocabulary) if vocabulary else None
    cluster = _cluster(dump, live, context, kubeconfig, terminal) if dump or live else None
    if pod is not None:
        assert cluster is not None
        if not to_affinity:
            _of_pod(pod, namespace, cluster, output, terminal)
            return
        asked, own, namespace = _hint_of(pod, namespace, cluster, own)
    known, whose = _names(names, vocabulary, cluster)
    if jsonl is not None:
        _filter(jsonl, known)
        return

    from berth_cli.output import print_value
    from berth_intent.parser import parse

    assert asked is not None
    understood = parse(asked, known)
    if to_affinity:
        _print_native(understood, cluster, own, namespace, enforce, output, terminal)
        return

    from berth_cli.hint_text import print_understood
    from berth_intent.understood import as_json

    if not print_value(as_json(understood), output):
        print_understood(terminal.out, understood, wide=output is options.OutputFormat.WIDE, names=whose)


def _text(words: list[str]) -> str:
    """Words that were given without quotes are one hint."""
    joined = " ".join(words)
    try:
        joined.encode()
    except UnicodeEncodeError:
        raise CommandError("the hint is not UTF-8 text, as annotations are") from None
    return joined


def _selector(given: str) -> PodsOf:
    from berth_intent.native import PodsOf, is_label_key, is_label_value

    labels: dict[str, str] = {}
    for pair in given.split(","):
        key, equals, value = pair.strip().partition("=")
        value = value.removeprefix("=").strip()
        if not equals or not is_label_key(key.strip()) or not is_label_value(value):
            raise CommandError(f"--selector {given!r}: {pair.strip()!r} is no label", hint="Write app=web,tier=front.")
        labels[key.strip()] = value
    return PodsOf(labels)


def _cluster(
    dump: list[Path] | None, live: bool, context: str | None, kubeconfig: Path | None, terminal: Terminal
) -> HintCluster:
    from berth_cli.hint_cluster import HintCluster, reading_in
    from berth_cli.live_objects import LiveObjects
    from berth_cli.source import read_snapshot

    snapshot = read_snapshot(dump, context=context, kubeconfig=kubeconfig, terminal=terminal)
    reading = reading_in(snapshot, LiveObjects(context, kubeconfig) if live else None, terminal)
    return HintCluster(snapshot, reading, "the cluster" if live else "the dump")


def _names(given: Vocabulary | None, path: Path | None, cluster: HintCluster | None) -> tuple[Vocabulary, str]:
    """A file's before the cluster's; and whose they are, in words."""
    from berth_intent.vocabulary import NOTHING_KNOWN

    if given is not None:
        return given, str(path)
    return (cluster.reading.vocabulary, cluster.where) if cluster is not None else (NOTHING_KNOWN, "")


def _hint_of(
    name: str, namespace: str | None, cluster: HintCluster, own: PodsOf | None
) -> tuple[str, PodsOf | None, str]:
    """A pod's hint, the labels of its workload's pods, and its namespace."""
    from berth_cli.hint_cluster import selecting
    from berth_cli.naming import find_pods
    from berth_intent.native import PodsOf

    pod = find_pods(cluster.snapshot, name, namespace)[0]
    labels = selecting(p for p in cluster.snapshot.pods if p.workload == pod.workload)
    return pod.hint, own or (PodsOf(labels) if labels else None), pod.namespace


def _of_pod(
    name: str, namespace: str | None, cluster: HintCluster, output: options.OutputFormat, terminal: Terminal
) -> None:
    from msgspec import to_builtins

    from berth_cli.naming import find_pods
    from berth_cli.output import print_value
    from berth_cli.pod_hint_text import print_pods
    from berth_intent.understood import as_json
    from berth_planner.pod_hint import HintedPods

    explained = HintedPods(cluster.snapshot, cluster.reading)
    meant = find_pods(cluster.snapshot, name, namespace)
    hinted = [pod for pod in meant if pod.hint]
    most = PODS_SHOWN if output is options.OutputFormat.TABLE else MAX_PODS
    found = [each for pod in hinted[:most] if (each := explained.explain(pod)) is not None]
    if most == MAX_PODS < len(hinted):
        terminal.warn(f"{name} has {len(hinted):,} pods with a hint; the first {MAX_PODS} are told")
    document = {"pods": [to_builtins(pod) | {"understood": as_json(read.understood)} for pod, read in found]}
    if print_value(document, output):
        return
    if hinted and not found:
        terminal.out.print(f"{name} has a hint, and the PackingPolicy that holds for it has hints turned off.")
    elif not found:
        terminal.out.print(f"{name} has no hint: no annotation berth.dev/allocation-hint, nor has its owner.")
    print_pods(terminal.out, found, wide=output is options.OutputFormat.WIDE)
    if most == PODS_SHOWN < len(hinted):
        terminal.out.print(f"\n... and {len(hinted) - most:,} more of its pods (-o wide shows them)")


def _filter(name: str, known: Vocabulary) -> None:
    from berth_cli.hint_lines import answer_lines

    tally = answer_lines(name, known)
    for said in tally.bad:
        typer.echo(printable(f"error: {said}"), err=True)
    if tally.bad_count > len(tally.bad):
        typer.echo(f"... and {tally.bad_count - len(tally.bad)} more bad lines", err=True)
    if tally.bad_count:
        typer.echo('A line is one JSON object such as {"id": "1", "hint": "spread over zones"}.', err=True)
        raise typer.Exit(Exit.BAD_INPUT)


def _print_native(
    understood: Understood,
    cluster: HintCluster | None,
    own: PodsOf | None,
    namespace: str | None,
    enforce: bool,
    output: options.OutputFormat,
    terminal: Terminal,
) -> None:
    from berth_cli.files import write_stdout
    from berth_cli.native_yaml import native_fields, native_yaml
    from berth_cli.output import as_json
    from berth_intent.intents import OF_WORKLOADS
    from berth_intent.native import to_native

    wishes = understood.effective
    others = None
    nodes: tuple[SeenNode, ...] = ()
    if cluster is not None:
        from berth_cli.hint_cluster import workloads_in

        named = {name for wish in wishes if wish.intent in OF_WORKLOADS for name in wish.values}
        others = workloads_in(cluster.snapshot, named, namespace)
        nodes = cluster.nodes()
    native = to_native(wishes, own=own, others=others, seen=nodes, enforced=enforce)
    if output is options.OutputFormat.JSON:
        write_stdout(as_json(native_fields(native)))
        for unsaid in native.unsaid:
            terminal.warn(f"cannot be said: {unsaid.wish.text or unsaid.wish.intent}: {unsaid.why}")
    else:
        write_stdout(native_yaml(understood, native, enforced=enforce).encode())
