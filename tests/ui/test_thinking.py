"""The planner's process, beside the server."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

SERVER = """
import asyncio, sys
from berth_ui.thinking import Thinker

async def main():
    thinker = Thinker()
    thinker.open()
    print(next(iter(thinker._pool._processes)), flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")
def test_it_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(f"if __name__ == '__main__':\n{''.join(f'    {line}' for line in SERVER.splitlines(True))}")
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        planner = Path("/proc") / server.stdout.readline().strip()
        assert planner.is_dir()
        time.sleep(1.0)  # until it has begun to watch; killed before, it sees that by itself
        server.kill()
        server.wait()
    end = time.monotonic() + 10
    while _runs(planner) and time.monotonic() < end:
        time.sleep(0.1)
    assert not _runs(planner)


def _runs(process: Path) -> bool:
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except OSError:
        return False
