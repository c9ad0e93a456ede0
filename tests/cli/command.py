"""Runs the real command: in this process for its exit code and what it prints, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from berth_cli.main import main

SECONDS = 100


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Here:
    """`berth ...` in this process: no start-up to pay for, no standard input."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self.capture = capture

    def __call__(self, *args: object) -> Ended:
        self.capture.readouterr()
        code = main([str(arg) for arg in args])
        out, err = self.capture.readouterr()
        return Ended(code, out, err)


def berth(*args: object, stdin: str | bytes = b"", env: Mapping[str, str] | None = None) -> Ended:
    """`berth ...` in a process of its own, its output piped."""
    ended = subprocess.run(
        [sys.executable, "-m", "berth_cli.main", *(str(arg) for arg in args)],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        timeout=SECONDS,
        env={**os.environ, **(env or {})},
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())
