"""Whether what stands in the cluster is what was asked for: the API server adds defaults, others add labels and sidecars.

What we ask for must be there; what is there besides is not ours. So values are compared by what is asked: maps key by key, lists
of named things by name, other lists whole. Pure; a Deployment takes about 20 microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from berth_cluster.quantities import QuantityError, nanos

_NAMES = ("name", "containerPort", "port", "mountPath", "type", "topologyKey", "key")
"""What Kubernetes merges such lists by, the first that every element has."""

_QUANTITIES = (".resources.", ".sizeLimit", ".averageValue")


def missing(asked: Any, standing: Any, path: str = "") -> str | None:
    """Where `standing` first lacks what is asked, as in `spec.template.spec.containers[engine].image`; None when all is there."""
    if isinstance(asked, Mapping):
        if not isinstance(standing, Mapping):
            return None if not asked and standing is None else path
        for key, value in asked.items():
            found = missing(value, standing.get(key), f"{path}.{key}" if path else key)
            if found is not None:
                return found
        return None
    if isinstance(asked, Sequence) and not isinstance(asked, str):
        return _missing_in_list(asked, standing, path)
    return None if _same(asked, standing, path) else path


def _missing_in_list(asked: Sequence[Any], standing: Any, path: str) -> str | None:
    if not isinstance(standing, Sequence) or isinstance(standing, str):
        return None if not asked and standing is None else path
    name = _name_of(asked)
    if name is None:
        if len(asked) != len(standing):
            return path
        return next(
            (
                found
                for at, (one, other) in enumerate(zip(asked, standing, strict=True))
                if (found := missing(one, other, f"{path}[{at}]")) is not None
            ),
            None,
        )
    by_name = {str(other.get(name)): other for other in standing if isinstance(other, Mapping)}
    for one in asked:
        found = missing(one, by_name.get(str(one[name])), f"{path}[{one[name]}]")
        if found is not None:
            return found
    return None


def _name_of(asked: Sequence[Any]) -> str | None:
    """The key by which the elements are told apart, if there is one."""
    if not asked or not all(isinstance(one, Mapping) for one in asked):
        return None
    for name in _NAMES:
        if all(isinstance(one.get(name), str | int) for one in asked) and len({str(one[name]) for one in asked}) == len(
            asked
        ):
            return name
    return None


def _same(asked: Any, standing: Any, path: str) -> bool:
    if asked == standing or (standing is None and asked in (False, "", 0)):
        return True
    if not any(part in path for part in _QUANTITIES):
        return False
    try:
        return nanos(str(asked)) == nanos(str(standing))  # "1000m" comes back as "1"
    except QuantityError:
        return False
