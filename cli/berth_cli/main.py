"""The `berth` command, also installed as `kubectl-berth`: registers the subcommands, and turns how they end into exit codes.

Each subcommand lives in a file of its own that imports Typer alone; numpy, numba, OR-Tools and the rest are imported when
the command runs. `berth --help` and `berth version` start in about 0.2 s, most of it Python and Typer.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from berth_cli.command import BerthCommand, BerthGroup
from berth_cli.commands import (
    adopt,
    demo,
    doctor,
    extender,
    gateway,
    hint,
    import_,
    model,
    model_prefetch,
    operator,
    plan,
    plans,
    solve,
    status,
    top,
    ui,
    verify,
    version,
    what_if,
    why,
)
from berth_cli.exits import DEBUG_VARIABLE, CommandError, Exit
from berth_cli.printable import printable
from berth_cli.streams import cannot_write, prepare_streams
from berth_cli.watching import watchable

HELP_WIDTH = 100

HELP = """Berth packs the pods of a Kubernetes cluster by strict priority: as many high-priority pods as can be placed, proven,
with the fewest moves that reach it, in an order in which each move is safe. Only `adopt` and `plan` with --apply, --approve or
--cancel change a cluster; `adopt` and --apply ask first."""

EXAMPLES = """
Start here:
  berth demo                                        a small GPU cluster, planned before your eyes
  kubectl get nodes,pods,pdb,rs,deploy,sts,jobs,pc,ns,pv,pvc,sc -A -o json > dump.json
  berth plan --dump dump.json --html report.html    the best placement of that cluster, with proof
  berth why --dump dump.json                        why each waiting pod waits, and what would help

Exit codes: 0 fine, 1 the answer is no, 2 bad usage or input, 3 cluster not reachable, 70 a bug, 130 interrupted.
`berth COMMAND --help` has examples of each command.
"""

app = typer.Typer(
    name="berth",
    cls=BerthGroup,
    help=HELP,
    epilog=EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": HELP_WIDTH},
)

app.command(cls=BerthCommand, epilog=plan.EXAMPLES)(plan.plan)
app.command(cls=BerthCommand, epilog=why.EXAMPLES)(watchable(why.why))
app.command(cls=BerthCommand, epilog=hint.EXAMPLES)(hint.hint)
app.command("what-if", cls=BerthCommand, epilog=what_if.EXAMPLES)(watchable(what_if.what_if))
app.command(cls=BerthCommand, epilog=solve.EXAMPLES)(solve.solve)
imports = typer.Typer(cls=BerthGroup, help=import_.GROUP_HELP, no_args_is_help=True, rich_markup_mode=None)
imports.command(cls=BerthCommand, epilog=import_.OPENB_EXAMPLES)(import_.openb)
app.add_typer(imports, name="import")
app.command(cls=BerthCommand, epilog=demo.EXAMPLES)(demo.demo)
models = typer.Typer(
    cls=BerthGroup, help=model.GROUP_HELP, epilog=model.GROUP_EXAMPLES, no_args_is_help=True, rich_markup_mode=None
)
models.command(cls=BerthCommand, epilog=model.PUSH_EXAMPLES)(model.push)
models.command(cls=BerthCommand, epilog=model.DIGEST_EXAMPLES)(model.digest)
models.command(cls=BerthCommand, epilog=model.PRESIGN_EXAMPLES)(model.presign)
models.command(cls=BerthCommand, epilog=model_prefetch.EXAMPLES)(model_prefetch.prefetch)
app.add_typer(models, name="model")
app.command(cls=BerthCommand, epilog=status.EXAMPLES)(watchable(status.status))
app.command(cls=BerthCommand, epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(cls=BerthCommand, epilog=plans.EXAMPLES)(watchable(plans.plans))
app.command(cls=BerthCommand, epilog=top.EXAMPLES)(watchable(top.top))
app.command(cls=BerthCommand, epilog=ui.EXAMPLES)(ui.ui)
app.command(cls=BerthCommand, epilog=adopt.EXAMPLES)(adopt.adopt)
app.command(cls=BerthCommand, epilog=verify.EXAMPLES)(verify.verify)
app.command(cls=BerthCommand, epilog=extender.EXAMPLES)(extender.extender)
app.command(cls=BerthCommand, epilog=operator.EXAMPLES)(operator.operator)
app.command(cls=BerthCommand, epilog=gateway.EXAMPLES)(gateway.gateway)
app.command(cls=BerthCommand, epilog=version.EXAMPLES)(version.version)


@app.callback()
def berth() -> None:
    """Berth has subcommands only."""


def main(args: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code. Nothing but KeyboardInterrupt's successor leaves it as an exception."""
    if args is None and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `berth ... | head` ends quietly, like any filter
    prepare_streams()
    name = "kubectl berth" if Path(sys.argv[0]).name.startswith("kubectl-berth") else "berth"
    try:
        typer.main.get_command(app)(args=None if args is None else list(args), prog_name=name)
    except CommandError as error:
        return _say(error)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        return int(Exit.INTERRUPTED)
    except MemoryError:
        print("error: out of memory", file=sys.stderr)
        return int(Exit.BAD_INPUT)
    except Exception as error:
        if isinstance(error, OSError) and (unwritable := cannot_write(error)) is not None:
            return _say(unwritable)
        if os.environ.get(DEBUG_VARIABLE):
            raise
        print(printable(f"error: this is a bug in Berth: {type(error).__name__}: {error}"), file=sys.stderr)
        print(f"Run again with {DEBUG_VARIABLE}=1 for the traceback, and please report it.", file=sys.stderr)
        return int(Exit.BUG)
    return int(Exit.FINE)


def _say(error: CommandError) -> int:
    print(printable(f"error: {error.message}"), file=sys.stderr)
    if error.hint:
        print(printable(error.hint), file=sys.stderr)
    return int(error.code)


if __name__ == "__main__":
    sys.exit(main())
