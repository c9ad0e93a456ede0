"""How well and how fast hints are understood: python -m benchmarks.hints [--corpus FILE ...] [--paper FILE ...]

Without files: the corpora in tests/intent/corpus, each by its own: `dev` was written and read while the parser was built,
`held-out-*` by others without sight of it. Beside it a parser of fixed phrases (`hint_regex`), as a floor. The paper's figures
are on data of its own and only stand beside ours, they are not compared. `--misses` lists what went wrong.

Latency: each hint `--rounds` times in random order, seeded, one thread; the whole `parse` with the corpus's vocabulary.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks import hint_regex
from benchmarks.hint_corpora import read_ours, read_paper
from benchmarks.hint_metrics import Labelled, Scores, by_group, missed, scores
from benchmarks.record import Machine, this_machine
from berth_intent.parser import parse
from berth_intent.understood import Preference
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary

CORPORA = Path(__file__).parent.parent / "tests" / "intent" / "corpus"
GROUPS = (
    "all",
    "single and double",
    "compound and contradictory",
    "single",
    "double",
    "compound",
    "contradictory",
    "typos",
    "noise",
    "en",
    "es",
    "de",
)


class Latency(msgspec.Struct, frozen=True):
    """Microseconds a hint."""

    p50: float
    p95: float
    p99: float
    most: float


class CorpusReport(msgspec.Struct, frozen=True):
    name: str
    groups: dict[str, Scores]
    fixed_phrases: dict[str, Scores]
    latency: Latency


class Report(msgspec.Struct, frozen=True):
    seed: int
    rounds: int
    machine: Machine
    corpora: tuple[CorpusReport, ...]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--corpus", type=Path, action="append", default=[], metavar="FILE", help="ours: JSON lines")
    arguments.add_argument("--paper", type=Path, action="append", default=[], metavar="FILE", help="the paper's JSON")
    arguments.add_argument("--vocabulary", type=Path, default=CORPORA / "vocabulary.json", metavar="FILE")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--misses", action="store_true", help="list what is not as expected")
    arguments.add_argument("--out", type=Path, metavar="FILE", help="JSON")
    chosen = arguments.parse_args()
    vocabulary = msgspec.json.decode(chosen.vocabulary.read_bytes(), type=Vocabulary)
    files = chosen.corpus or ([] if chosen.paper else sorted(CORPORA.glob("*.jsonl")))
    named = [(path.stem, read_ours(path), vocabulary) for path in files]
    named += [(path.stem, read_paper(path, _language(path.stem)), NOTHING_KNOWN) for path in chosen.paper]
    machine = this_machine()
    reports = []
    for name, corpus, names in named:
        reports.append(_measure(name, corpus, names, chosen.seed, chosen.rounds))
        print(_table(reports[-1]))
        if chosen.misses:
            _print_misses(corpus, names)
    if chosen.out:
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        report = Report(chosen.seed, chosen.rounds, machine, tuple(reports))
        chosen.out.write_text(json.dumps(msgspec.to_builtins(report), indent=1) + "\n")


def _language(stem: str) -> str:
    """By the paper's names of files: v1es, v1ge."""
    return next((lang for ending, lang in (("es", "es"), ("ge", "de")) if stem.endswith(ending)), "en")


def _measure(name: str, corpus: list[Labelled], vocabulary: Vocabulary, seed: int, rounds: int) -> CorpusReport:
    def ours(text: str) -> Sequence[Preference]:
        return parse(text, vocabulary).preferences

    return CorpusReport(name, _judge(corpus, ours), _judge(corpus, hint_regex.parse), _time(corpus, ours, seed, rounds))


def _judge(corpus: list[Labelled], understand: Callable[[str], Sequence[Preference]]) -> dict[str, Scores]:
    groups = by_group([(labelled, understand(labelled.hint)) for labelled in corpus])
    return {group: scores(groups[group]) for group in (*GROUPS, *sorted(set(groups) - set(GROUPS))) if group in groups}


def _time(corpus: list[Labelled], understand: Callable[[str], object], seed: int, rounds: int) -> Latency:
    chance = random.Random(seed)
    hints = [labelled.hint for labelled in corpus] * rounds
    chance.shuffle(hints)
    gc.collect()
    taken = []
    for hint in hints:
        began = time.perf_counter_ns()
        understand(hint)
        taken.append((time.perf_counter_ns() - began) / 1000)
    p50, p95, p99 = np.percentile(taken, (50, 95, 99)).tolist()
    return Latency(p50, p95, p99, max(taken))


def _table(report: CorpusReport) -> str:
    lines = [
        f"\n{report.name}",
        f"{'':28}{'hints':>6} {'subset %':>9} {'95 %':>13} {'values %':>9} {'strength %':>11} {'order %':>8} {'exact %':>8} {'F1':>6}"
        f" {'FP':>4} {'FN':>4} {'fixed phrases: subset %':>24}",
    ]
    for group, found in report.groups.items():
        low, high = found.subset.interval
        lines.append(
            f"{group:28}{found.hints:6} {found.subset.percent:9.2f} {low:6.1f}-{high:5.1f}  {found.values.percent:9.2f} "
            f"{found.strength.percent:10.2f} {found.order.percent:8.2f} {found.exact.percent:8.2f} {found.macro_f1:6.3f} {found.false_positives:4} "
            f"{found.false_negatives:4} {report.fixed_phrases[group].subset.percent:24.2f}"
        )
    of = report.latency
    lines.append(
        f"latency: p50 {of.p50:.0f}, p95 {of.p95:.0f}, p99 {of.p99:.0f}, most {of.most:.0f} microseconds a hint"
    )
    return "\n".join(lines)


def _print_misses(corpus: list[Labelled], vocabulary: Vocabulary) -> None:
    for labelled in corpus:
        miss = missed(labelled, parse(labelled.hint, vocabulary).preferences)
        if miss is None:
            continue
        print(f"\n{labelled.id} [{', '.join(miss.wrong)}] {labelled.hint!r}")
        for expected in labelled.expected:
            print(f"   expected {msgspec.json.encode(expected).decode()}")
        for preference in miss.found:
            print(f"   found    {msgspec.json.encode(preference).decode()}")


if __name__ == "__main__":
    main()
