"""Where a snapshot comes from: dump files, standard input, or the cluster of the current kubeconfig context."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from berth_cli.exits import CommandError
from berth_cli.kubectl import read_cluster
from berth_cli.terminal import Terminal

if TYPE_CHECKING:
    from berth_cluster.snapshot import InputWarning, Snapshot

STANDARD_INPUT = Path("-")
MAX_WARNINGS = 12
"""Lines of warnings shown; the rest is counted. `-o json` has them all."""


def read_snapshot(
    dumps: Sequence[Path] | None, *, context: str | None, kubeconfig: Path | None, terminal: Terminal
) -> Snapshot:
    """Raises CommandError: naming file, object and field for bad input, or what to do when the cluster does not answer."""
    from berth_cluster.dump import read_dumps
    from berth_cluster.errors import DumpError

    with ExitStack() as stack:
        if dumps:
            if context or kubeconfig:
                raise CommandError("--dump reads files: it cannot be combined with --context or --kubeconfig")
            sources = [_source(path, stack) for path in _each_once(dumps)]
            doing = f"reading {', '.join(str(path) for path in dumps[:3])}{' ...' if len(dumps) > 3 else ''}"
        else:
            with terminal.progress("asking the cluster"):
                files = read_cluster(context=context, kubeconfig=kubeconfig, warn=terminal.warn)
            sources = [cast(BinaryIO, stack.enter_context(file)) for file in files]
            doing = "reading the cluster's answer"
        try:
            with terminal.progress(doing):
                snapshot = read_dumps(sources)
        except DumpError as error:
            raise CommandError(str(error), hint=_hint(error)) from error
    if not snapshot.nodes and not snapshot.pods:
        named = ["standard input" if path == STANDARD_INPUT else str(path) for path in dumps or ()]
        where = ", ".join(named) or "the cluster's answer"
        raise CommandError(f"EmptyCluster: {where}: no nodes and no pods", hint="See docs/dumps.md for what to dump.")
    for warning in snapshot.warnings[:MAX_WARNINGS]:
        terminal.warn(f"{warning.reason}: {warning.message}{_where(warning)}")
    if len(snapshot.warnings) > MAX_WARNINGS:
        terminal.warn(f"... and {len(snapshot.warnings) - MAX_WARNINGS} more (see them all with -o json)")
    return snapshot


def _each_once(dumps: Sequence[Path]) -> Sequence[Path]:
    if sum(path == STANDARD_INPUT for path in dumps) > 1:
        raise CommandError("--dump - was given twice: standard input can be read once")
    for path in dumps:
        if path == STANDARD_INPUT:
            if sys.stdin.isatty():
                raise CommandError("--dump - reads standard input, and nothing is piped into it")
        elif path.is_dir():
            raise CommandError(f"{path}: is a folder", hint=f"Name its files: --dump {path}/*.json")
        elif not path.exists():
            raise CommandError(f"{path}: no such file", hint="See docs/dumps.md for the command that writes a dump.")
    return dumps


def _where(warning: InputWarning) -> str:
    if not warning.example:
        return ""
    return f" ({warning.example})" if warning.count == 1 else f" ({warning.count:,} times, first {warning.example})"


def _source(path: Path, stack: ExitStack) -> Path | BinaryIO:
    if path != STANDARD_INPUT:
        return path
    return cast(BinaryIO, stack.enter_context(_StandardInput(io.FileIO(sys.stdin.fileno(), "rb", closefd=False))))


class _StandardInput(io.BufferedReader):
    name = "standard input"


def _hint(error: Exception) -> str:
    from berth_api.reasons import Reason

    if getattr(error, "reason", None) is Reason.NOT_JSON:
        return "A dump is the output of kubectl get ... -o json (not yaml), complete; see docs/dumps.md."
    return ""
