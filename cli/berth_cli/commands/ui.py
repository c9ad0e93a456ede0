"""`berth ui`: the cluster as a page, on this machine alone."""

from __future__ import annotations

from typing import Annotated

import typer

from berth_cli import options
from berth_cli.exits import CommandError, Exit

EXAMPLES = """
Examples:
  berth ui --demo                       the demo's cluster: twelve nodes, pods that wait
  berth ui --dump dump.json             a cluster that was dumped earlier: no connection needed

Exit codes: 0 ended by Ctrl-C, 2 the port is taken or a flag is wrong, 3 the cluster cannot be reached.
"""


def ui(
    dump: options.Dump = None,
    demo: Annotated[bool, typer.Option("--demo", help="Show the demo's cluster.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="On 127.0.0.1; 0: a free one.")] = 8765,
    no_color: options.NoColor = False,
) -> None:
    """Show the cluster as a page: what lies where, who waits and why, what a plan would do, what a change would be worth.

    It listens on 127.0.0.1 and prints the address to open.
    """
    import asyncio

    from berth_cli.demo.cluster import demo_dump
    from berth_cli.source import read_snapshot
    from berth_cli.terminal import open_terminal
    from berth_ui.alone import serve_alone
    from berth_ui.source import StillSource
    from berth_ui.thinking import Thinker

    if demo == bool(dump):
        raise CommandError("what is to be shown? Give --dump FILE or --demo", hint="See --help.")
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
        asyncio.run(serve_alone(source, thinker, port, say=lambda url: typer.echo(f"open {url}  (Ctrl-C ends it)")))
    except OSError as error:
        raise CommandError(
            f"cannot listen on 127.0.0.1:{port}: {error}", hint="Another port: --port 0.", code=Exit.BAD_INPUT
        ) from error
