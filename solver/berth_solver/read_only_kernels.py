"""Reads compiled kernels from a folder that nobody can write to, as in a container with a read-only root.

numba takes a cache folder only if it can write there, and without any it refuses to run cached functions at all. An image
names `ReadOnlyKernels` in NUMBA_CACHE_LOCATOR_CLASSES and the folder in NUMBA_CACHE_DIR; nothing else imports this file.
A function that is not in the folder is compiled and not kept: seconds in that process, and no failure.
"""

from __future__ import annotations

import contextlib
from typing import Any

from numba.core import caching


class ReadOnlyKernels(caching.UserProvidedCacheLocator):
    def ensure_cache_path(self) -> None:
        """It is what it is."""


_cache: Any = caching.Cache
_save = _cache.save_overload


def _save_if_possible(self: object, sig: object, data: object) -> None:
    with contextlib.suppress(OSError):
        _save(self, sig, data)


_cache.save_overload = _save_if_possible
