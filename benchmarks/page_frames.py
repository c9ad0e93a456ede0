"""How soon the dashboard's page is there with 5,000 nodes and 20,000 pods that change four times a second, and how long its frames take.

    python -m benchmarks.page_frames [times]

Runs the page's own test of it (ui/page/browser/page.test.ts) in chromium without a GPU, and prints what it measured: the first
contentful paint, and the median and 95th percentile of frames while the harbour is zoomed. Needs Node, chromium and `npm ci` in ui/page.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "ui" / "page"
TOLD = re.compile(r"first contentful paint .* ms")


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    for _ in range(times):
        done = subprocess.run(
            ["npm", "run", "--silent", "browser", "--", "-t", "5,000 nodes"],
            check=False,
            cwd=PAGE,
            capture_output=True,
            text=True,
            timeout=300,
        )
        found = TOLD.search(done.stdout)
        if found is None:
            sys.exit(done.stdout + done.stderr)
        print(found[0], flush=True)


if __name__ == "__main__":
    main()
