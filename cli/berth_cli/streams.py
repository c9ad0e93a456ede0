"""Standard output and error as the command needs them: there, and able to take every character.

Under `LC_ALL=C`, in some containers and CI systems, a stream takes ASCII only. Results must not fail for that, so what
cannot be written is written with the nearest thing that can: a pod's joined slots as `A=A=A=A`, a name's letters as `?`.
A stream that the caller has closed is replaced by nothing.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import signal
import sys

from berth_cli.exits import CommandError

PLAIN = {"━": "=", "·": ".", "█": "#", "…": "."}
HANDLER = "berth-plain"
UNWRITABLE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EPIPE, errno.EFBIG))


def prepare_streams() -> None:
    """To be called once, before anything is printed."""
    codecs.register_error(HANDLER, _plainly)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 (it lives as long as the process)
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def cannot_write(error: OSError) -> CommandError | None:
    """The sentence for output that finds no room; None for another error. What is still buffered is given up."""
    if error.errno not in UNWRITABLE or error.filename is not None:
        return None
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (else Python complains once more when it ends)
    return CommandError(f"cannot write to standard output: {error.strerror}")


def _plainly(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(PLAIN.get(letter, "?") for letter in error.object[error.start : error.end]), error.end


def outlive_callers() -> None:
    """For servers: a caller that hangs up before its answer must not end the process, as it may end a filter in a pipe."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
