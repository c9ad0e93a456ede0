"""`berth ui`: the cluster as a page, on this machine alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  kubectl berth ui                      the current context's cluster, live, with your own login
  berth ui --demo                       the demo's cluster: twelve nodes, pods that wait
  berth ui --dump dump.json             a cluster that was dumped earlier: no connection needed

Exit codes: 0 ended by Ctrl-C, 2 the port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


def ui(
    dump: options.Dump = None,
    demo: Annotated[bool, typer.Option("--demo", help="Show the demo's cluster.")] = False,
    context: options.Context = None,
    kubeconfig: options.Kubeconfig = None,
    system_namespace: Annotated[
        str, typer.Option(metavar="NAMESPACE", help="Where the Leases of Berth's processes lie.")
    ] = "berth-system",
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="On 127.0.0.1; 0: a free one.")] = 8765,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the address in a browser, where there is a terminal.")
    ] = True,
    history: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the history of a live cluster here. Default: in memory.")
    ] = None,
    no_color: options.NoColor = False,
) -> None:
    """Show the cluster as a page: what lies where, who waits and why, what a plan would do, what a change would be worth.

    It listens on 127.0.0.1 and prints the address to open. Plans of a live cluster can be approved and cancelled there, as you.
    """
    import asyncio

    from berth_cli.demo.cluster import demo_dump
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_ui.alone import serve_alone
    from berth_ui.source import StillSource
    from berth_ui.thinking import Thinker

    if demo and dump:
        raise CommandError("--demo and --dump exclude each other: one at a time")

    def say(url: str) -> None:
        typer.echo(f"open {url}  (Ctrl-C ends it)")
        if open_page and sys.stdout.isatty():
            typer.launch(url)

    if not demo and not dump:
        _serve_live(context, kubeconfig, system_namespace, port, say, history)
        return
    terminal = open_terminal(no_color=no_color)
    thinker = Thinker()
    if demo:
        import io

        from berth_cluster.dump import read_dumps

        source = StillSource("Demo", "demo", read_dumps([io.BytesIO(demo_dump())]), thinker)
    else:
        snapshot = read_snapshot(dump, context=None, kubeconfig=None, terminal=terminal)
        source = StillSource("Dump", ", ".join(path.name for path in dump or ()), snapshot, thinker)
    try:
        asyncio.run(serve_alone(source, thinker, port, say))
    except OSError as error:
        raise CommandError(
            f"cannot listen on 127.0.0.1:{port}: {error}", hint="Another port: --port 0.", code=Exit.BAD_INPUT
        ) from error


def _serve_live(
    context: str | None,
    kubeconfig: Path | None,
    system_namespace: str,
    port: int,
    say: Callable[[str], None],
    history: Path | None,
) -> None:
    import asyncio
    import sqlite3

    from berth_cluster.connection import ApiError, ConfigurationError, Connection
    from berth_ui.alone import serve_live_alone
    from berth_ui.callers import RefusedError

    async def serve() -> None:
        connection = await Connection.open(kubeconfig, context)
        try:
            await serve_live_alone(connection, context or connection.host, port, system_namespace, say, history)
        finally:
            await connection.close()

    try:
        asyncio.run(serve())
    except sqlite3.Error as error:
        raise CommandError(f"{history} cannot keep the history: {error}", hint="Another file: --history.") from error
    except RefusedError as error:
        raise CommandError(f"{error.reason}: {error.message}", code=Exit.UNREACHABLE) from error
    except (ApiError, ConfigurationError, TimeoutError) as error:
        raise CommandError(
            str(error), hint="Which cluster: see --kubeconfig and --context.", code=Exit.UNREACHABLE
        ) from error
    except OSError as error:
        raise CommandError(
            f"cannot listen on 127.0.0.1:{port}: {error}", hint="Another port: --port 0.", code=Exit.BAD_INPUT
        ) from error
