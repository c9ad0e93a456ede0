"""What happened over the last days, in bounded room: a sample of the cluster every half minute, how long pods waited, what became of plans.

SQLite in one file, or in memory. What is noted is gathered and written in one transaction a sample, in a thread; rows past their age or
number go with it. A restart may lose the last half minute, and where the file does not outlive the process, all: `complete` in the answer
says whether the recorder has run all that time. Each process that shows the dashboard keeps its own.

Cost: a sample takes some 100 bytes; seven days of them, 100,000 waits and 5,000 plans stay below 20 MB.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import sqlite3
import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from berth_api.packing_plan import PackingPlan
from berth_api.resource import find_condition
from berth_cluster.snapshot import Pod
from berth_ui.wire import History, PlanOutcome, Sample, TierWait

logger = logging.getLogger(__name__)

SAMPLE_SECONDS = 30.0
KEEP_DAYS = 7
MAX_WAITS = 100_000
MAX_PLANS = 5_000
MAX_GATHERED = 50_000
"""Waits between two writes; more are counted as lost."""
MAX_SAMPLES = 1_440
"""In an answer: of a longer time every second, third ... sample is given."""
DEFAULT_SPAN = timedelta(hours=24)
STAMP = "%Y-%m-%dT%H:%M:%SZ"
_TABLES = """
CREATE TABLE IF NOT EXISTS samples (
    at INTEGER PRIMARY KEY, gpus INTEGER, gpus_used INTEGER, gpus_stranded INTEGER, running INTEGER, waiting INTEGER, oldest REAL
);
CREATE TABLE IF NOT EXISTS waits (id INTEGER PRIMARY KEY, at INTEGER, priority INTEGER, priority_class TEXT, seconds REAL);
CREATE INDEX IF NOT EXISTS waits_at ON waits (at);
CREATE TABLE IF NOT EXISTS plans (
    uid TEXT PRIMARY KEY, name TEXT, at INTEGER, outcome TEXT, moves_planned INTEGER, moves_made INTEGER, gains_planned INTEGER,
    gains_made INTEGER, seconds REAL
);
"""


class Wait(msgspec.Struct, frozen=True):
    """A pod that waited and was placed."""

    at: int
    priority: int
    priority_class: str
    seconds: float


class Recorder:
    """Tell it of pods that were placed and plans that ended; run it."""

    def __init__(
        self,
        sample: Callable[[], Sample],
        file: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises sqlite3.Error when the file is no database, or cannot be written."""
        self._sample = sample
        self._now = now
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
        self._waits: list[Wait] = []
        self._plans: list[tuple[object, ...]] = []
        self.writes = self.failures = self.lost = 0
        """Samples written; writes that failed; waits beyond `MAX_GATHERED`."""
        self.fails = False
        """The last write failed."""

    # What is noted

    def placed(self, before: Pod, now: Pod) -> float | None:
        """Seconds that it waited, where that is known."""
        waited = _moment(before.created)
        if waited is None:
            return None
        if len(self._waits) >= MAX_GATHERED:
            self.lost += 1
            return None
        at = self._now()
        seconds = max((at - waited).total_seconds(), 0.0)
        self._waits.append(Wait(int(at.timestamp()), now.priority, now.priority_class, seconds))
        return seconds

    def ended(self, plan: PackingPlan) -> None:
        """With what it promised and what came of it. Told of again after a restart, it changes nothing."""
        finished = find_condition(plan.status.conditions, "Finished")
        began = plan.metadata.creation_timestamp
        if finished is None:
            return
        at, status, spec = finished.last_transition_time, plan.status, plan.spec
        gains = sum(t.placed_after - t.placed_before for t in spec.certificate.tiers)
        self._plans.append(
            (
                plan.metadata.uid,
                plan.metadata.name,
                int(at.timestamp()),
                finished.reason,
                len(spec.evictions),
                status.moves_done,
                gains,
                status.pods_placed - status.moves_done,
                (at - began).total_seconds() if began is not None else 0.0,
            )
        )

    async def run(self) -> None:
        """A sample every `SAMPLE_SECONDS`, until cancelled; the last is written on the way out."""
        try:
            while True:
                await asyncio.to_thread(self.write)
                await asyncio.sleep(SAMPLE_SECONDS)
        finally:
            self.write()

    def write(self) -> None:
        """Writes what was gathered, and a sample; never raises: a full disk must not end the process."""
        self._write(self._sample())

    def _write(self, sample: Sample | None) -> None:
        waits, self._waits = self._waits, []
        plans, self._plans = self._plans, []
        at = int(self._now().timestamp())
        oldest = at - KEEP_DAYS * 86_400
        try:
            with self._lock, self._transaction() as database:
                if sample is not None and sample.at:
                    row = (at, sample.gpus, sample.gpus_used, sample.gpus_stranded, sample.running, sample.waiting)
                    database.execute(
                        "INSERT OR REPLACE INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)",
                        (*row, sample.oldest_wait_seconds),
                    )
                database.executemany(
                    "INSERT INTO waits (at, priority, priority_class, seconds) VALUES (?, ?, ?, ?)",
                    [msgspec.structs.astuple(wait) for wait in waits],
                )
                database.executemany("INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", plans)
                for table in ("samples", "waits", "plans"):
                    database.execute(f"DELETE FROM {table} WHERE at < ?", (oldest,))  # noqa: S608 (ours)
                database.execute("DELETE FROM waits WHERE id <= (SELECT max(id) FROM waits) - ?", (MAX_WAITS,))
                database.execute(
                    "DELETE FROM plans WHERE uid NOT IN (SELECT uid FROM plans ORDER BY at DESC LIMIT ?)", (MAX_PLANS,)
                )
            self.writes += sample is not None
            self.fails = False
        except sqlite3.Error as error:
            self.failures += 1
            if not self.fails:
                logger.error("history cannot be written, and is lost meanwhile: %s", error)
            self.fails = True

    # What is asked

    def history(self, since: str, until: str) -> History:
        """RFC 3339; empty: the last day, and now. Raises ValueError for what is no moment."""
        end = _asked(until, self._now())
        begin = _asked(since, end - DEFAULT_SPAN)
        if self._waits or self._plans:
            self._write(None)
        span = (int(begin.timestamp()), int(end.timestamp()))
        with self._lock:
            rows = self._database.execute("SELECT * FROM samples WHERE at BETWEEN ? AND ? ORDER BY at", span).fetchall()
            waits = self._database.execute(
                "SELECT priority, priority_class, seconds FROM waits WHERE at BETWEEN ? AND ?", span
            ).fetchall()
            plans = self._database.execute(
                "SELECT name, at, outcome, moves_planned, moves_made, gains_planned, gains_made, seconds FROM plans "
                "WHERE at BETWEEN ? AND ? ORDER BY at DESC",
                span,
            ).fetchall()
        outcomes = [
            PlanOutcome(
                name=name,
                ended=_text(at),
                outcome=outcome,
                moves_planned=moves_planned,
                moves_made=moves_made,
                gains_planned=gains_planned,
                gains_made=gains_made,
                seconds=seconds,
            )
            for name, at, outcome, moves_planned, moves_made, gains_planned, gains_made, seconds in plans
        ]
        return History(
            since=begin.strftime(STAMP),
            until=end.strftime(STAMP),
            samples=[_sample(row) for row in _thinned(rows)],
            outcomes=outcomes,
            waits=_tier_waits(waits),
            pods_gained=sum(outcome.gains_made for outcome in outcomes),
            moves_made=sum(outcome.moves_made for outcome in outcomes),
            complete=bool(rows) and _has_run(rows, span),
        )

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database)


class _Transaction:
    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __enter__(self) -> sqlite3.Connection:
        self._database.execute("BEGIN IMMEDIATE")
        return self._database

    def __exit__(self, kind: object, *_: object) -> None:
        self._database.execute("COMMIT" if kind is None else "ROLLBACK")


EMPTY = History(since="", until="", samples=[], outcomes=[], waits=[], pods_gained=0, moves_made=0, complete=False)
"""Of what stands still."""


def csv_of(history: History) -> str:
    """A row a sample."""
    fields = ("at", "gpus", "gpus_used", "gpus_stranded", "running", "waiting", "oldest_wait_seconds")
    lines = [",".join(fields)]
    lines += [",".join(str(getattr(sample, field)) for field in fields) for sample in history.samples]
    return "\n".join(lines) + "\n"


def _tier_waits(rows: Sequence[tuple[int, str, float]]) -> list[TierWait]:
    tiers: dict[tuple[int, str], list[float]] = defaultdict(list)
    for priority, name, seconds in rows:
        tiers[priority, name].append(seconds)
    return [
        TierWait(
            priority=priority,
            priority_class=name,
            placed=len(found),
            median_seconds=statistics.median(found),
            p95_seconds=sorted(found)[min(len(found) * 95 // 100, len(found) - 1)],
        )
        for (priority, name), found in sorted(tiers.items(), reverse=True)
    ]


def _has_run(rows: Sequence[tuple[int, ...]], span: tuple[int, int]) -> bool:
    """No gap of more than three samples, at neither end."""
    moments = [span[0], *(row[0] for row in rows), span[1]]
    return all(b - a <= 3 * SAMPLE_SECONDS for a, b in itertools.pairwise(moments))


def _thinned(rows: Sequence[tuple[int, ...]]) -> Sequence[tuple[int, ...]]:
    step = -(-len(rows) // MAX_SAMPLES)
    return rows[:: step or 1]


def _sample(row: tuple[int, ...]) -> Sample:
    at, gpus, used, stranded, running, waiting, oldest = row
    return Sample(
        at=_text(at),
        gpus=gpus,
        gpus_used=used,
        gpus_stranded=stranded,
        running=running,
        waiting=waiting,
        oldest_wait_seconds=oldest,
    )


def _text(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(STAMP)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _asked(text: str, default: datetime) -> datetime:
    if not text:
        return default
    found = datetime.fromisoformat(text.replace(" ", "+"))
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
