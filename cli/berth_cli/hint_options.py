"""The options of `berth hint`. The cluster is optional here, and read only with --live, so input options say so in their group."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from berth_cli.options import OUTPUT

HINTS = "Hints"
NAMES = "The cluster's names (without them, names stand as in the text)"

Text = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT", help="The hint. In quotes; after -- when it begins with a dash.")
]
PodOption = Annotated[
    str | None,
    typer.Option("--pod", metavar="POD", help="The hint of this pod, or of a workload's pods.", rich_help_panel=HINTS),
]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", metavar="NAME", help="The pod's.", rich_help_panel=HINTS)
]
JsonLines = Annotated[
    str | None,
    typer.Option(
        "--jsonl",
        metavar="FILE",
        help="Hints as JSON lines with id and hint; - is standard input.",
        rich_help_panel=HINTS,
    ),
]
VocabularyFile = Annotated[
    Path | None, typer.Option("--vocabulary", metavar="FILE", help="As JSON (docs/hints.md).", rich_help_panel=NAMES)
]
Dump = Annotated[
    list[Path] | None,
    typer.Option(
        "--dump",
        "-f",
        metavar="FILE...",
        help="Output of `kubectl get ... -A -o json`, plain or gzipped; several files; - reads standard input.",
        rich_help_panel=NAMES,
    ),
]
Live = Annotated[bool, typer.Option("--live", help="The current context's cluster.", rich_help_panel=NAMES)]
Context = Annotated[
    str | None, typer.Option(metavar="NAME", help="That of a kubeconfig context.", rich_help_panel=NAMES)
]
Kubeconfig = Annotated[Path | None, typer.Option(metavar="FILE", help="kubeconfig file to use.", rich_help_panel=NAMES)]
ToAffinity = Annotated[
    bool,
    typer.Option("--to-affinity", help="Print it as Kubernetes' own YAML, as far as it goes.", rich_help_panel=OUTPUT),
]
Selector = Annotated[
    str | None,
    typer.Option(
        "--selector", metavar="K=V,...", help="Labels of the pods that the YAML is for.", rich_help_panel=OUTPUT
    ),
]
Enforce = Annotated[
    bool, typer.Option("--enforce", help="In that YAML, require what was said strongly.", rich_help_panel=OUTPUT)
]
