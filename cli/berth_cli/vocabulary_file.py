"""`--vocabulary FILE`: the cluster's names as JSON, checked so that a mistyped field is named rather than ignored."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import msgspec

from berth_cli.exits import CommandError
from berth_intent.vocabulary import Vocabulary

MAX_BYTES = 32 * 2**20
"""5,000 nodes take 0.3 MB."""
EXAMPLE = (
    '{"regions": [], "zones": ["us-east-1a"], "racks": [], "nodes": [], "deployments": ["redis"], "gpu_models": []}'
)


def read_vocabulary(path: Path) -> Vocabulary:
    """Raises CommandError naming the file, and the field with the trouble."""
    if path.is_dir():
        raise CommandError(f"{path}: is a folder, not a vocabulary")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CommandError(f"TooLarge: {path}: more than {MAX_BYTES // 2**20} MiB")
        content = path.read_bytes()
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file", hint=f"A vocabulary is JSON such as {EXAMPLE}") from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}") from error
    try:
        content.decode()
    except UnicodeDecodeError:
        raise CommandError(f"NotJSON: {path}: not UTF-8 text") from None
    try:
        found = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise CommandError(f"NotJSON: {path}: no JSON object: {error}", hint=f"Write one such as {EXAMPLE}") from None
    known = Vocabulary.__struct_fields__
    for name in found:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"Did you mean {close[0]}?" if close else f"It may have {', '.join(known)}."
            raise CommandError(f"BadField: {path}: a vocabulary has no field {name!r}", hint=hint)
    try:
        return msgspec.json.decode(content, type=Vocabulary)
    except msgspec.ValidationError as error:
        raise CommandError(
            f"BadField: {path}: {error}", hint="Lists of names, and zone_regions: zone to region."
        ) from None
