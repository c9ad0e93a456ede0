"""A local process of a cluster: started in a group of its own, recorded, killed, frozen and started again.

Every process of a cluster carries the cluster's state folder in its environment (`MARK`), and so do its children. By that
mark they are found again, whoever started them and whatever became of the pid files: a later run, or `make cluster-down`
after a crash, ends exactly these and none other.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from berth_e2e.waiting import wait_for

MARK = "BERTH_E2E_CLUSTER"
STOP_SECONDS = 5.0
"""How long a process may take to end after SIGTERM, before SIGKILL."""
TAIL_LINES = 25


class ProcessEndedError(Exception):
    """A process that should run does not; the message carries the end of its log."""


@dataclass
class LocalProcess:
    """One process of the cluster at `state`. `pid_file` may be kwokctl's: it holds the bare number."""

    name: str
    argv: list[str]
    state: Path
    log: Path
    pid_file: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """None when it does not run. A recycled pid counts as not running: it lacks the cluster's mark."""
        self._reap()
        try:
            pid = int(self.pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if _marked(pid, self.state) else None

    def _reap(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    @property
    def is_running(self) -> bool:
        return self.pid is not None

    def start(self) -> None:
        """Starts it unless it runs. Does not wait until it is ready."""
        if self.is_running:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.env, MARK: str(self.state)},
                cwd=self.cwd,
                start_new_session=True,
            )
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        child = self._child
        self.pid_file.write_text(str(child.pid))
        # Popen is back before the kernel shows the new environment, and with it the mark
        wait_for(
            f"{self.name} started", lambda: _marked(child.pid, self.state) or child.poll() is not None, STOP_SECONDS
        )

    def kill(self, sent: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL, as a power cut would, unless told otherwise; back when it is gone, or at once for other signals."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, sent)
        if sent is signal.SIGKILL:
            wait_for(f"{self.name} killed", lambda: has_ended(pid), STOP_SECONDS)
            self._reap()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL after STOP_SECONDS."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        end = time.monotonic() + STOP_SECONDS
        while not has_ended(pid) and time.monotonic() < end:
            time.sleep(0.02)
        self.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: it hangs, its connections stay open."""
        self.kill(signal.SIGSTOP)

    def thaw(self) -> None:
        self.kill(signal.SIGCONT)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:])

    def assert_running(self) -> None:
        """Raises ProcessEndedError with the end of the log."""
        if not self.is_running:
            raise ProcessEndedError(f"{self.name} has ended; {self.log} ends with:\n{self.log_tail()}")

    def record(self) -> str:
        """Enough to start it again from another run."""
        return json.dumps(
            {
                "name": self.name,
                "argv": self.argv,
                "log": str(self.log),
                "pid_file": str(self.pid_file),
                "env": dict(self.env),
                "cwd": None if self.cwd is None else str(self.cwd),
            },
            indent=2,
        )

    @classmethod
    def from_record(cls, text: str, state: Path) -> LocalProcess:
        told = json.loads(text)
        return cls(
            name=told["name"],
            argv=told["argv"],
            state=state,
            log=Path(told["log"]),
            pid_file=Path(told["pid_file"]),
            env=told["env"],
            cwd=None if told["cwd"] is None else Path(told["cwd"]),
        )


def marked_pids(state: Path) -> list[int]:
    """Every live process that belongs to the cluster at `state`."""
    return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and _marked(int(p.name), state)]


def end_all(state: Path) -> list[int]:
    """Kills every process of the cluster; returns those that were there. Nothing of the cluster runs afterwards."""
    ended: list[int] = []

    looks: list[bool] = []

    def none_left() -> bool:
        pids = marked_pids(state)
        _signal(pids, signal.SIGKILL)
        ended.extend(p for p in pids if p not in ended)
        looks.append(not pids and all(has_ended(p) for p in ended))
        return looks[-2:] == [True, True]  # a process shows no mark for a moment while it is being started

    wait_for(f"end of all processes of {state}", none_left, 10.0, seen=lambda: marked_pids(state))
    return ended


def has_ended(pid: int) -> bool:
    """Gone, or a zombie without threads: only then are its ports and files closed. Its mark goes earlier."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
        threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    except (FileNotFoundError, ProcessLookupError):
        return True
    return told.rpartition(")")[2].split()[0] in ("Z", "X") and threads <= 1


def _signal(pids: Iterable[int], sent: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, sent)
        except ProcessLookupError:
            continue  # it ended by itself meanwhile: what was wanted


def _marked(pid: int, state: Path) -> bool:
    """Does this live process carry the mark? A zombie has no environment any more and so counts as ended."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return False
    return f"{MARK}={state}".encode() in environment.split(b"\0")
