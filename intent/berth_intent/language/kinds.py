"""What the words of a hint are: each is an item of one kind.

A kind is one character, so that a clause has a signature, a string of kinds in which the grammar looks for patterns.
"""

from __future__ import annotations

from typing import Final


class Kind:
    """Grouped as the grammar uses them. Payloads in brackets."""

    # where a clause ends
    STOP: Final = "."
    ASK: Final = "?"
    COMMA: Final = ","
    AND: Final = "&"
    OR: Final = "|"
    BUT: Final = "!"
    COLON: Final = ":"
    CAUSE: Final = "("  # because, since, so that
    IF: Final = ")"
    LIMIT: Final = ";"  # a new thought without a word of contrast: as long as, provided that

    # operators
    NOT: Final = "n"
    EXCEPT: Final = "x"
    AVOID: Final = "A"
    SPREAD: Final = "S"
    SURVIVE: Final = "V"
    FAILURE: Final = "f"
    TOGETHER: Final = "T"
    NEAR: Final = "C"
    SHARE: Final = "H"
    SAME: Final = "s"
    OTHER: Final = "d"  # different, separate, own
    WHERE: Final = "w"  # where, that host, running
    NO_NEED: Final = "0"
    INSTEAD: Final = ">"

    # small words
    AS: Final = "r"  # as, than, with, from, to, of
    IN: Final = "i"  # in, on, at, within
    EACH: Final = "e"  # each, every, per
    ONE: Final = "1"  # one, single
    ARTICLE: Final = "a"  # a, an
    ALL: Final = "*"
    ANY: Final = "~"
    MANY: Final = "%"  # several, multiple, at least two
    FEW: Final = "<"  # as few as possible
    SELF: Final = "y"  # us, our replicas, each other
    IT: Final = "p"  # it, them, there
    VERB: Final = "v"  # [be, have, need, place, want]
    FILLER: Final = "-"

    # nouns
    LEVEL: Final = "L"  # [node, rack, zone, region; plural says whether many]
    PLACE: Final = "P"  # names of one level [level]
    WORKLOAD: Final = "W"  # names
    UNKNOWN: Final = "u"
    MARK: Final = "m"  # pods, service, deployment
    NUMBER: Final = "#"
    QUANTITY: Final = "Q"  # [bytes, bits, cores, millicores]
    RESOURCE: Final = "R"  # [cpu, memory, ephemeral, network]
    DEVICE_MEMORY: Final = "E"
    GPU: Final = "G"
    GPU_MODEL: Final = "M"
    TPU: Final = "t"
    STORAGE: Final = "F"  # [nvme, ssd, hdd]
    FEATURE: Final = "N"  # [rdma, ...]
    ARCH: Final = "B"  # [amd64, arm64]
    SPOT: Final = "k"
    ON_DEMAND: Final = "K"
    IDLE: Final = "I"
    BUSY: Final = "b"
    PACKED: Final = "D"
    EMPTY: Final = "O"
    CACHED: Final = "c"
    MODEL: Final = "o"
    HIGH: Final = "h"
    LOW: Final = "l"

    # how it is meant
    MODAL: Final = "+"  # [before, after, any]
    GOOD: Final = "="  # fine, good, best
    PAST: Final = "j"
    NOISE: Final = "z"
    COMMAND: Final = "$"  # instructions to a machine


class Item:
    """A word or phrase of the hint. A plain class with slots: dozens are made for each hint."""

    __slots__ = (
        "count",
        "end",
        "kind",
        "loose",
        "names",
        "number",
        "payload",
        "plural",
        "start",
        "strength",
        "verb",
        "word",
    )

    def __init__(
        self,
        kind: str,
        start: int,
        end: int,
        word: str = "",
        payload: str = "",
        strength: float | None = None,
        verb: bool = False,
    ) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.word = word
        self.payload = payload
        self.strength = strength
        self.verb = verb
        self.plural = False
        self.loose = False
        """A word that means nothing to the grammar stands before it."""
        self.number: float | None = None
        self.count: float | None = None
        """The number as written, before its unit."""
        self.names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        details = "".join(f" {part}" for part in (self.payload, self.names or "", self.number, self.strength) if part)
        return f"<{self.kind} {self.word!r}{details}>"
