"""What an engine that leaves gives along, so that another one can go on with a request: the tokens so far, and of which prompt.

Opaque to clients: base64 of `{"of": digest of the prompt's tokens, "output": [...]}`. Who goes on reads the same body, computes
prompt and output as it would any known tokens, and samples the next one; greedy and seeded requests get the text that they would
have got (the random stream is wound on to where it was), up to the rounding of another batch.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from array import array
from collections.abc import Sequence

MAX_TEXT = 1 << 20  # characters


class BadHandover(ValueError):  # noqa: N818 - named by its reason code
    """It is not what an engine gave, or of another prompt."""


def hand_over(prompt: Sequence[int], output: Sequence[int]) -> str:
    """The text for another engine."""
    return base64.b64encode(json.dumps({"of": _digest(prompt), "output": list(output)}).encode()).decode()


def take_over(text: str, prompt: Sequence[int], vocabulary: int, most: int) -> list[int]:
    """The output so far, at most `most` tokens. Raises BadHandover."""
    try:
        found = json.loads(base64.b64decode(text, validate=True))
        of, output = found["of"], found["output"]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise BadHandover("it is not what an engine handed over") from error
    if of != _digest(prompt):
        raise BadHandover("it was handed over for another prompt, or another model's tokens")
    if not isinstance(output, list) or len(output) > most:
        raise BadHandover(f"it holds more than the {most} tokens that are asked for")
    if any(type(token) is not int or not 0 <= token < vocabulary for token in output):
        raise BadHandover(f"token ids go from 0 to {vocabulary - 1}")
    return output


def _digest(prompt: Sequence[int]) -> str:
    return hashlib.blake2b(array("q", prompt).tobytes(), digest_size=16).hexdigest()
