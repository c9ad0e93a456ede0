"""Where each command of the documentation is run: in this process on files, on a real control plane, or, with the reason, nowhere.

tests/docs/test_commands.py runs the first, e2e/tests/test_docs.py the second. Every berth command is parsed by the command line
itself in any case, so that an option that does not exist fails. An entry of the third list that matches nothing fails too.
"""

from __future__ import annotations

import re
from enum import Enum


class Where(Enum):
    HERE = "on files, in the ordinary tests"
    CLUSTER = "on a real control plane"
    NOWHERE = "nowhere"


NOT_RUN = {
    r"make (install|engine|demo|test|help|lock|bench|docs)\b": "what each does is tested apart; here that the target exists",
    r"make (cluster|cluster-down|demo-cluster|e2e)\b": "starts clusters of its own: e2e/tests/test_harness.py, test_demo.py; the target exists",
    r"make images\b": "needs docker, podman or buildah, and a registry; e2e builds the Dockerfiles with buildah",
    r"docker ": "there was no docker",
    r"helm ": "Helm itself installs, upgrades and uninstalls in e2e/tests/test_chart.py; here that chart and values exist",
    r"kubectl berth doctor": "looks for Berth's Deployments, which are processes here: tests/cli/test_doctor.py. Options are parsed",
    r"kubectl (label|annotate) crd ": "gives the kinds to a Helm release; nothing else on the test's cluster should have them",
    r"kubectl apply -f manifests/install.yaml": "e2e/tests/test_chart.py applies it",
    r"kubectl wait --for=condition=Ready llmsvc": "needs weights and engines: e2e/tests/test_serving_real.py",
    r"kubectl logs POD ": "fake nodes have no logs",
    r"berth (operator|extender|gateway) ": "runs until it is stopped; every e2e cluster runs them. Options are parsed",
    r"(kubectl )?berth ui\b": "runs until it is stopped: e2e/tests/test_ui.py, tests/ui. Options are parsed",
    r"kubectl -n berth-system port-forward ": "runs until it is stopped, and forwards to a pod that is a process here",
    r"(TOKEN=|curl (-N )?-H \"Authorization)": "the API with a person's token: e2e/tests/test_ui.py",
    r"berth model push ": "needs a bucket: tests/operator has one",
    r"berth-fetch ": "needs a bucket: e2e/tests/test_serving_real_weights.py. Options are parsed",
    r"curl localhost:8000": "needs the engine's environment: engine/tests/test_server.py",
    r"python -m benchmarks": "minutes to hours; tests/benchmarks runs each on small instances",
    r"(\.venv/bin/pip|python3 -m venv|elsewhere/)": "makes an environment from the registry, minutes",
    r"export PATH": "holds in the shell that reads it",
}
"""Regular expressions that a command begins with, and why it is not run."""

_ON_FILES = re.compile(r"berth (demo|solve|verify|plan .*--dump|why .*--dump|what-if .*--dump|model prefetch)")
_HINT_ON_A_CLUSTER = re.compile(r"berth hint .*--live")


def where(command: str) -> Where:
    """Raises ValueError for a command that nothing here knows."""
    if reason(command) is not None:
        return Where.NOWHERE
    if command.startswith("berth hint"):
        return Where.CLUSTER if _HINT_ON_A_CLUSTER.match(command) else Where.HERE
    if _ON_FILES.match(command) and "kubectl" not in command:
        return Where.HERE
    if re.match(r"(kubectl |berth (plan|why|what-if|status|adopt|model prefetch)\b|for kind in )", command):
        return Where.CLUSTER
    raise ValueError(f"nothing runs {command!r}: add it to docs/tooling/where_run.py")


def reason(command: str) -> str | None:
    """Why it is not run, if it is not."""
    return next((why for pattern, why in NOT_RUN.items() if re.match(pattern, command)), None)
