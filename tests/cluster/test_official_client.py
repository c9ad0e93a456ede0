"""The official client without its models: small when loaded, and no hindrance to who wants the whole of it."""

from __future__ import annotations

import subprocess
import sys


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_a_connection_does_not_import_the_models() -> None:
    code = """
import sys
from berth_cluster.official_client import load
client = load()
print(client.configuration.__name__, len([m for m in sys.modules if m.startswith("kubernetes")]))
"""
    assert python(code) == "Configuration 0"


def test_who_imports_the_client_afterwards_gets_all_of_it() -> None:
    code = """
from berth_cluster.official_client import load
ours = load()
import kubernetes.aio.client, kubernetes.client, kubernetes.aio.config
print(kubernetes.aio.client.V1Pod.__name__, kubernetes.client.V1Pod.__name__)
again = load()
print(again.configuration is kubernetes.aio.client.Configuration)
"""
    assert python(code) == "V1Pod V1Pod\nTrue"


def test_modules_that_were_there_before_are_the_same_afterwards() -> None:
    code = """
import sys, kubernetes
before = dict(sys.modules)
from berth_cluster.official_client import load
load()
print(all(sys.modules[n] is m for n, m in before.items()))
"""
    assert python(code) == "True"
