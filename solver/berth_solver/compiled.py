"""The decorator for compiled functions: numba, cached on disk, the interpreter lock released, types kept for mypy.

numba keys the cache of a function by the file it stands in and does not see when a function of another file changes: compiled
functions call only those of their own file.

The first call on a machine compiles (seconds), later processes load the cache (milliseconds). `warm.py` does it ahead of time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar, cast

# The disk cache is keyed by the CPU's name: a generic one keeps it valid on every machine that an image or a home
# directory travels to. Before numba is imported, or it has no effect.
os.environ.setdefault("NUMBA_CPU_NAME", "generic")

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile on first call for the argument types seen."""
    return cast("Function", njit(cache=True, nogil=True)(function))


def compiled_inline(function: Function) -> Function:
    """The same, and inlined into its callers."""
    return cast("Function", njit(cache=True, nogil=True, inline="always")(function))
