"""Where the key of an OpenAI-compatible server comes from: a file that is mounted, or an environment variable, named by the owner.

It is read before each question, so that a key which was replaced counts at once; it is held nowhere and shown nowhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from berth_intent.backends.backend import BackendError, Failure

MAX_KEY_BYTES = 8_192


class ApiKey(msgspec.Struct, frozen=True):
    file: Path | None = None
    variable: str = ""

    def read(self) -> str:
        """Empty where neither is named. Raises BackendError when it is named and not there."""
        if self.file is not None:
            try:
                with self.file.open("rb") as source:
                    key = source.read(MAX_KEY_BYTES + 1).decode("ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BackendError(Failure.REFUSED, f"the API key in {self.file} cannot be read") from error
            return _checked(key, str(self.file))
        if self.variable:
            return _checked(os.environ.get(self.variable, "").strip(), f"${self.variable}")
        return ""


def _checked(key: str, where: str) -> str:
    if not key or len(key) > MAX_KEY_BYTES or not key.isascii() or not key.isprintable():
        raise BackendError(Failure.REFUSED, f"there is no usable API key in {where}")
    return key
