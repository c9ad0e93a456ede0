"""Words that make a sentence with a question mark a question, and those that make it a polite request all the same."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language.normalise import fold


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(words).split())


ASKING = _folded(
    "what who why how when which where whose wondering"
    " qué que quién quien cuál cual cuándo cuando cómo como dónde donde cuánto cuánta cuántos cuántas"
    " was wer warum wieso weshalb wie wann welche welcher welches welchen wo wozu ob"
)
"""Anywhere among the first words."""
OPENING = _folded(
    "would could can should shall will is are do does did has have may might am was were isn't aren't don't doesn't can't"
    " couldn't shouldn't wouldn't any anyone"
    " estaría estarían puede pueden podría podrían hay está están es son sería serían tiene tenemos debería deberíamos sabes sabe alguien conviene convendría convendria sería"
    " funciona existe necesitamos debemos corre usamos será vale hace usa"
    " kann können könnte könnten sollte sollten soll sollen ist sind gibt hat haben wäre wären würde würden läuft laufen braucht"
    " brauchen darf dürfen weiß geht macht lohnt müssen muss liegt liegen habt steht kennt funktioniert wird werden bringt hilft"
)
"""At the beginning."""
REQUESTING = _folded(
    "you please pls plz puedes podéis pueden podrían podrias puede podrías podéis podríais ponnos favor kannst könntest könnt ihr bitte du"
)
"""Among the first words: could you, ¿puedes, kannst du."""
FIRST_WORDS = 4


def is_question(words: Sequence[str]) -> bool:
    """words: of a sentence that ends in a question mark."""
    first = [word for word in words if word[:1].isalpha()][:FIRST_WORDS]
    if "\u00bf" in words and REQUESTING.isdisjoint(words):
        return True
    if not first or not REQUESTING.isdisjoint(words):
        return False
    if (
        first[0] in ("can", "could", "may")
        and first[1:2] in (["we"], ["i"])
        and first[2:3] in (["have"], ["get"], ["use"])
    ):
        return False
    return first[0] in OPENING or not ASKING.isdisjoint(first) or first[0] in ASKING
