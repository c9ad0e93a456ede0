"""How fetching fails: for good, with a reason code and a sentence that says what to do, or in passing, to be tried again."""

from __future__ import annotations

from berth_api.reasons import Reason


class Refused(Exception):  # noqa: N818 - its reason code is its name to users
    """It ends here. The message never holds credentials nor a signed URL's query."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason, self.message = reason, message


class Hiccup(Exception):  # noqa: N818 - not an error yet
    """A failure that may pass: an overloaded server, a connection cut short, silence."""
