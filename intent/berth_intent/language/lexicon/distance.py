"""How far words are apart: letters inserted, deleted, replaced, or two neighbours swapped (Damerau, restricted)."""

from __future__ import annotations

LONG = 8
"""Letters from which on a word may differ in two places."""


def tolerated(word: str) -> int:
    size = len(word)
    return 0 if size < 4 else 1 if size < LONG else 2


def deletions(word: str) -> list[str]:
    """The word, and it without each one letter."""
    return [word, *(word[:i] + word[i + 1 :] for i in range(len(word)))]


def distance(one: str, other: str) -> int:
    """Words are short: rows of at most a few dozen letters."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, mark in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != mark))
            if i > 1 and j > 1 and letter == other[j - 2] and mark == one[i - 2]:
                best = min(best, earlier[j - 2] + 1)
            row.append(best)
    return row[-1]
