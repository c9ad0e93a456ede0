"""`berth version`."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

EXAMPLES = ""

DISTRIBUTION = "berth-scheduler"


def version() -> None:
    """Print the version of Berth."""
    typer.echo(f"berth {installed_version(DISTRIBUTION)}")
