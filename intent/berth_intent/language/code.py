"""What is written for machines: manifests, markup, calls, shell. No wish is read from it."""

from __future__ import annotations

from collections.abc import Sequence

from berth_intent.language.tokens import Token

MANIFEST_KEYS = frozenset(
    [
        "apiversion",
        "kind",
        "spec",
        "metadata",
        "nodeselector",
        "nodename",
        "affinity",
        "nodeaffinity",
        "podaffinity",
        "podantiaffinity",
        "tolerations",
        "containers",
        "requests",
        "limits",
        "resources",
        "env",
        "matchlabels",
        "matchexpressions",
        "template",
        "selector",
        "topologyspreadconstraints",
        "topologykey",
        "initcontainers",
        "volumes",
        "volumemounts",
        "annotations",
        "labelselector",
        "args",
        "command",
        "ports",
        "schedulername",
        "imagepullpolicy",
    ]
)
MAX_MARKUP = 40
"""Tokens of a tag."""


def is_code(found: Sequence[Token], words: Sequence[str], at: int) -> bool:
    """Markup, `<b>` and `</b>`, a call, `f("x")`, what shells set and expand, lists of strings, comments."""
    if words[at] == "<":
        adjoins = at + 1 < len(found) and found[at + 1].start == found[at].end
        return adjoins and (words[at + 1][0].isalpha() or words[at + 1] == "/") and ">" in words[at : at + MAX_MARKUP]
    if words[at] == "$":
        return at + 1 < len(found) and found[at + 1].start == found[at].end and words[at + 1][0].isalpha()
    if words[at] == "=":
        return at > 1 and words[at - 2] == "export"
    if words[at] in "[/":
        quoted = at + 1 < len(found) and found[at + 1].start <= found[at].end + 1
        return at == 0 and quoted and (found[at + 1].sort == "quote" or words[at + 1] in "/*")
    adjoins = at > 0 and found[at - 1].end == found[at].start and found[at - 1].sort == "word"
    return adjoins and at + 1 < len(found) and found[at + 1].sort == "quote"
