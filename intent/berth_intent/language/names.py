"""Names in a hint: those of the cluster, well-known short forms of them, near-misses, and what looks like a cloud's name.

A name is compared by its parts, letters and numbers without leading zeros, so that "gpu node 1", "GPU-Node-01" and
"gpu_node_01" are one. Prepared once a vocabulary: 20 us a name; a look-up costs about a microsecond however many there are.
Near-misses are sought among the shapes of names (letters, with # for numbers), of which even large clusters have few; numbers
must be the same, for node-11 is no typo of node-12.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from berth_intent.intents import Level
from berth_intent.language.geography import REGION, ZONE, regions_of
from berth_intent.language.lexicon.distance import deletions, distance
from berth_intent.language.normalise import fold
from berth_intent.vocabulary import Vocabulary

WORKLOAD = "workload"
Parts = tuple[str, ...]

_PARTS = re.compile(r"[^\W\d_]+|\d+")
_NUMBER_AT_END = re.compile(r"\d+[a-z]?$|\d+")
_RACK = re.compile(r"(?:rack|schrank|armario|cabinet)[-_]?([a-z]?\d+)")
_ZONE = re.compile(r"(?:zone|zona|az)[-_]?([a-z]|\d+|\d+[a-z])|az\d+")
_REGION = re.compile(r"(?:region|dc)[-_]?\d+")
_NODE = re.compile(
    r"ip-\d+-\d+-\d+-\d+(?:\.[\w.-]+)?|(?:[a-z0-9]+[-.])*(?:node|worker|minikube|kind|host|server|vm|machine|box|metal|knoten|nodo)s?(?:-[a-z]+)*-?[a-z]?\d+(?:-\d+)*"
)
MAX_PARTS = 8
_GENERIC = frozenset(
    [
        "batch",
        "feature",
        "service",
        "api",
        "agent",
        "train",
        "video",
        "store",
        "model",
        "server",
        "worker",
        "job",
        "app",
        "data",
        "user",
        "group",
        "main",
        "test",
        "prod",
        "dev",
        "logging",
        "web",
        "front",
        "back",
        "end",
        "core",
        "base",
        "node",
        "pod",
        "task",
        "queue",
        "proxy",
        "manager",
        "controller",
        "operator",
        "cluster",
        "executor",
        "stream",
        "log",
    ]
)
"""Parts of names that mean too much else to stand for the whole name."""
_SHORT_FORMS: dict[str, tuple[str, ...]] = {
    "db": ("database", "postgres", "postgresql", "mysql", "mariadb", "mongodb"),
    "database": ("database", "db", "postgres", "postgresql", "mysql", "mariadb", "mongodb"),
    "databases": ("database", "db", "postgres", "postgresql", "mysql"),
    "datenbank": ("database", "db", "postgres", "postgresql", "mysql"),
    "base de datos": ("database", "db", "postgres", "postgresql", "mysql"),
    "bd": ("database", "db", "postgres"),
    "bbdd": ("database", "db", "postgres"),
    "pg": ("postgres", "postgresql"),
    "psql": ("postgres", "postgresql"),
    "postgresql": ("postgres", "postgresql"),
    "postgre": ("postgres", "postgresql"),
    "cache": ("cache", "redis", "memcached"),
    "caches": ("cache", "redis"),
    "zk": ("zookeeper",),
    "prom": ("prometheus",),
    "gw": ("gateway", "api-gateway"),
    "pasarela": ("gateway",),
    "mongo": ("mongodb",),
    "rabbit": ("rabbitmq",),
    "ui": ("frontend",),
    "fe": ("frontend",),
    "vectordb": ("vector-db",),
    "vector database": ("vector-db",),
    "vector store": ("vector-db", "vector-store"),
    "vektordatenbank": ("vector-db",),
    "base de datos vectorial": ("vector-db",),
    "etl": ("batch-etl", "etl"),
    "batch job": ("batch-etl",),
    "embeddings": ("embedding-service",),
    "embedder": ("embedding-service",),
    "featurestore": ("feature-store",),
    "payment": ("payments-api", "payments"),
    "spark": ("spark-executor", "spark"),
    "spark executors": ("spark-executor",),
    "transcoder": ("video-transcode",),
    "transcoding": ("video-transcode",),
    "video transcoding": ("video-transcode",),
    "video transcoder": ("video-transcode",),
    "logger": ("logging-agent",),
    "logging agents": ("logging-agent",),
    "training": ("ml-train",),
    "ml training": ("ml-train",),
    "llama": ("llama-70b",),
    "front end": ("frontend",),
    "front-end": ("frontend",),
}


class Found(NamedTuple):
    level: str
    """A Level, or WORKLOAD."""
    name: str
    """As in the vocabulary, else as in the text."""
    known: bool = True
    corrected: bool = False
    short: bool = False
    """A short form: only where a workload is expected."""


def parts_of(word: str) -> Parts:
    return tuple(part.lstrip("0") or "0" if part.isdigit() else part for part in _PARTS.findall(word))


class Names:
    """All names of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._whole: dict[Parts, Found] = {}
        self._prefixes: set[Parts] = set()
        self._ends: dict[Parts, list[Found]] = {}
        self._shapes: dict[str, list[str]] = {}
        self._spelled: dict[str, Found] = {}
        self._short: dict[Parts, Found] = {}
        self._segments: set[str] = set()
        levels = (
            (WORKLOAD, vocabulary.deployments),
            (Level.REGION, vocabulary.regions),
            (Level.ZONE, vocabulary.zones),
            (Level.RACK, vocabulary.racks),
            (Level.NODE, vocabulary.nodes),
        )
        for level, names in levels:
            for name in names:
                self._add(Found(str(level), name))
        self._add_short_forms(vocabulary.deployments)

    def _add(self, found: Found) -> None:
        folded = fold(found.name)
        parts = parts_of(folded)
        if not parts or parts in self._whole:
            return
        self._whole[parts] = found
        self._segments.update(parts)
        self._spelled.setdefault(folded, found)
        for size in range(1, min(len(parts), MAX_PARTS)):
            self._prefixes.add(parts[:size])
            if found.level != WORKLOAD:
                ends = self._ends.setdefault(parts[size:], [])
                if len(ends) < 8:
                    ends.append(found)
        shape = _NUMBER_AT_END.sub("#", folded)
        if len(shape) >= 4:
            for shorter in deletions(shape):
                shapes = self._shapes.setdefault(shorter, [])
                if shape not in shapes and len(shapes) < 16:
                    shapes.append(shape)

    def _add_short_forms(self, deployments: Sequence[str]) -> None:
        exist = {fold(name): name for name in deployments}
        segments: dict[str, set[str]] = {}
        for folded, name in exist.items():
            for segment in folded.split("-"):
                if len(segment) >= 4 and segment not in _GENERIC and not segment[0].isdigit():
                    segments.setdefault(segment, set()).add(name)
        for segment, whole in segments.items():
            if len(whole) == 1:
                self._add_short(segment, next(iter(whole)))
        for short, candidates in _SHORT_FORMS.items():
            meant = next((exist[name] for name in candidates if name in exist), None)
            if meant is not None:
                self._add_short(short, meant)

    def _add_short(self, short: str, name: str) -> None:
        parts = parts_of(short)
        if parts not in self._whole:
            self._segments.update(parts)
            self._short[parts] = Found(WORKLOAD, name, short=True)
            for size in range(1, len(parts)):
                self._prefixes.add(parts[:size])

    def whole(self, word: str) -> Found | None:
        return self._whole.get(parts_of(word))

    def has_part(self, word: str) -> bool:
        """It is a word of some name, or of a short form."""
        return word in self._segments

    def match(self, words: Sequence[str], at: int) -> tuple[Found, int] | None:
        """The longest name, or short form of one, that begins at this word, and of how many words it is."""
        parts: Parts = ()
        best: tuple[Found, int] | None = None
        for index in range(at, min(at + MAX_PARTS, len(words))):
            more = parts_of(words[index])
            if not more:
                break
            parts += more
            found = self._whole.get(parts) or self._short.get(parts)
            if found is not None:
                best = found, index - at + 1
            if parts not in self._prefixes:
                break
        return best

    def ending(self, word: str, level: str | None = None) -> tuple[Found, ...]:
        """Places that end so: m02 is minikube-m02, 1a each zone 1a, 3 of a rack is rack-3."""
        found = self._ends.get(parts_of(word), ())
        return tuple(name for name in found if level is None or name.level == level)

    def nearly(self, word: str) -> Found | None:
        """The name that this one, which is none, is a letter away from; numbers must agree."""
        if len(word) < 4 or not self._shapes:
            return None
        numbers = _NUMBER_AT_END.findall(word)
        shape = _NUMBER_AT_END.sub("#", word)
        best: tuple[int, str] | None = None
        for shorter in deletions(shape):
            for candidate in self._shapes.get(shorter, ()):
                apart = distance(shape, candidate)
                if apart <= (1 if len(shape) < 8 else 2) and (best is None or (apart, candidate) < best):
                    best = apart, candidate
        if best is None:
            return None
        filled = best[1]
        for number in numbers:
            filled = filled.replace("#", number, 1)
        found = self._whole.get(parts_of(filled))
        return found._replace(corrected=True) if found else None

    def geographic(self, place: str) -> tuple[str, ...]:
        return regions_of(place, self.vocabulary.regions)


def looks_like(word: str) -> Found | None:
    """A place by the form of its name alone."""
    if not any(letter.isdigit() for letter in word) and "-" not in word and not word.endswith(("us", "europe", "asia")):
        return None
    if ZONE.fullmatch(word):
        return Found(Level.ZONE, word, known=False)
    if REGION.fullmatch(word):
        return Found(Level.REGION, word, known=False)
    if rack := _RACK.fullmatch(word):
        return Found(Level.RACK, f"rack-{rack[1]}", known=False)
    if _ZONE.fullmatch(word):
        return Found(Level.ZONE, word, known=False)
    if _REGION.fullmatch(word):
        return Found(Level.REGION, word, known=False)
    if _NODE.fullmatch(word):
        return Found(Level.NODE, word, known=False)
    return None
