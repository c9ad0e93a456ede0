"""The part of the official client that Berth uses: configuration, authentication and transport, without its models.

`import kubernetes.aio.config` first imports every model and every API class, of the synchronous client too: 0.8 to 3 s
and about 75 MB more than the 0.2 s and 37 MB (most of it aiohttp) of the modules that are needed. So the packages around
them are entered for a moment as bare names with nothing but a path, and taken out again: whoever imports `kubernetes`
later (kopf does) gets the whole of it. Where the client is loaded already, or no longer laid out like this, it is
imported the ordinary way.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

_LOG = logging.getLogger(__name__)

_ROOT = "kubernetes"
_CLIENT = "kubernetes.aio.client"
_PACKAGES = (_ROOT, "kubernetes.aio", _CLIENT)


class OfficialClient(msgspec.Struct, frozen=True):
    """Typed as Any: the client has no types of its own."""

    configuration: Any
    """Class `Configuration`."""
    transport: Any
    """Class `RESTClientObject`: an aiohttp session with the configuration's certificates, proxy and server name."""
    kube_config: Any
    """Module: `load_kube_config`."""
    in_cluster: Any
    """Module: `load_incluster_config`."""
    refused: type[Exception]
    """What the loaders raise."""


def load() -> OfficialClient:
    """Imports it, the cheap way where that works."""
    if _CLIENT in sys.modules:
        return _collect()
    try:
        return _load_without_models()
    except (ImportError, AttributeError) as error:
        _LOG.warning("the Kubernetes client is laid out in a way not known here; importing all of it: %s", error)
        return _collect()


def _load_without_models() -> OfficialClient:
    found = importlib.util.find_spec(_ROOT)
    if found is None or not found.submodule_search_locations:
        raise ImportError("the package kubernetes is not installed")
    root = Path(found.submodule_search_locations[0])
    before = {name: module for name, module in sys.modules.items() if _is_clients(name)}
    try:
        for name in _PACKAGES:
            sys.modules[name] = _bare(name, root.joinpath(*name.split(".")[1:]))
        client: Any = sys.modules[_CLIENT]
        client.Configuration = importlib.import_module(f"{_CLIENT}.configuration").Configuration
        client.ApiClient = None  # named by the loaders for something that is not used here
        return _collect()
    finally:
        for name in [name for name in sys.modules if _is_clients(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _collect() -> OfficialClient:
    return OfficialClient(
        configuration=importlib.import_module(f"{_CLIENT}.configuration").Configuration,
        transport=importlib.import_module(f"{_CLIENT}.rest").RESTClientObject,
        kube_config=importlib.import_module("kubernetes.aio.config.kube_config"),
        in_cluster=importlib.import_module("kubernetes.aio.config.incluster_config"),
        refused=importlib.import_module("kubernetes.aio.config.config_exception").ConfigException,
    )


def _bare(name: str, path: Path) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = [str(path)]
    return module


def _is_clients(name: str) -> bool:
    return name == _ROOT or name.startswith(f"{_ROOT}.")
