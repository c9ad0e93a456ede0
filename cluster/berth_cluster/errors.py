"""What can be wrong with the input, said so that a person finds the place: file, object, field, and what to do."""

from __future__ import annotations

from berth_api.reasons import Reason


class FieldError(ValueError):
    """A field that cannot be what the cluster meant; the reader that knows file and object turns it into a `DumpError`."""

    def __init__(self, field: str, message: str, reason: Reason = Reason.BAD_FIELD) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
        self.reason = reason


class DumpError(ValueError):
    """The input cannot be planned on. `object` and `field` are empty when the fault is the file's as a whole."""

    def __init__(self, reason: Reason, file: str, object: str, field: str, message: str) -> None:  # noqa: A002 (the field's own word)
        super().__init__(": ".join(part for part in (file, object, field, message) if part))
        self.reason = reason
        self.file = file
        self.object = object
        self.field = field
        self.message = message
