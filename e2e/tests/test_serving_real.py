"""LLMServices on real kubelets, with our real engine and a tiny model: they answer, roll out under load, and say what went wrong.

Slow: `make test-all`.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from berth_e2e.berth_processes import Berth
from berth_e2e.cluster import Cluster
from berth_e2e.plans import plan_of_one_step, planned_eviction
from berth_e2e.tiny_service import PACKAGES, SECONDS, SERVICES, ask, condition, serving_pods, tiny, wait_until
from berth_operator.plan_writing import PLANS_PATH

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(os.geteuid() != 0, reason="namespaces, mounts and a bridge need root"),
    pytest.mark.skipif(PACKAGES is None, reason="the engine's environment is missing: make engine"),
]


@pytest.fixture(scope="module")
def standing(binaries: Path) -> Iterator[Cluster]:
    with Cluster.start(f"serving-{os.getpid()}", real=2, berth=Berth(pairs=1)) as cluster:
        yield cluster


@pytest.fixture
def real(standing: Cluster) -> Cluster:
    standing.clear(nodes=False)
    return standing


def test_it_is_ready_when_it_answers_and_not_before(real: Cluster) -> None:
    real.create(tiny())
    end = time.monotonic() + SECONDS
    while condition(real)[0] != "True":
        assert time.monotonic() < end, condition(real)
        for address in serving_pods(real).values():
            ready = condition(real)[0] == "True"
            try:
                ask(address)
            except (OSError, urllib.error.URLError):
                assert not ready, "Ready is True and nobody answers"
        time.sleep(0.2)
    (address,) = serving_pods(real).values()
    assert ask(address)["choices"][0]["text"]


def test_a_rollout_in_place_cuts_no_stream(real: Cluster) -> None:
    real.create(tiny(rollout="InPlace"))
    wait_until(real, "ready", lambda: condition(real)[0] == "True")
    before = serving_pods(real)
    (address,) = before.values()
    told: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: told.append(ask(address, max_tokens=1_500, ignore_eos=True)), daemon=True)
    asking.start()
    time.sleep(1.0)
    real.api.merge(f"{SERVICES}/tiny", {"spec": {"engine": {"maxBatch": 8}}})
    asking.join(SECONDS)
    assert told
    assert told[0]["usage"]["completion_tokens"] == 1_500, "what had begun was finished"
    wait_until(
        real, "the new generation", lambda: condition(real)[0] == "True" and not set(serving_pods(real)) & set(before)
    )


def test_a_plan_moves_the_replica_and_a_stream_goes_on(real: Cluster) -> None:
    """To the other node: the new one answers first, the old one finishes what it has begun."""
    real.create(tiny())
    wait_until(real, "ready", lambda: condition(real)[0] == "True")
    before = serving_pods(real)
    (address,) = before.values()
    (pod,) = real.running("berth.dev/llm-service=tiny")
    target = next(name for name in real.real if name != pod["spec"]["nodeName"])
    told: list[dict[str, Any]] = []
    asking = threading.Thread(target=lambda: told.append(ask(address, max_tokens=1_500, ignore_eos=True)), daemon=True)
    moved = planned_eviction(real, "berth.dev/llm-service=tiny", f"{SERVICES}/tiny", {}, target=target)
    real.create(plan_of_one_step("move-tiny", moved))
    refused, end = 0, time.monotonic() + SECONDS
    while set(serving_pods(real)) & set(before) or not serving_pods(real):
        assert time.monotonic() < end, (real.api.get(f"{PLANS_PATH}/move-tiny"), real.told())
        assert condition(real)[0] == "True", condition(real)
        answering = [one for one in serving_pods(real).values() if answers(one)]
        refused += not answering
        if len(answering) == 2 and asking.ident is None:
            asking.start()  # the old one is about to be told to leave
    assert not refused, "at every moment somebody took new requests"
    assert asking.is_alive(), "the stream ran when the old replica was told to leave"
    asking.join(SECONDS)
    assert told
    assert told[0]["usage"]["completion_tokens"] == 1_500, "what had begun was finished"
    (pod,) = real.running("berth.dev/llm-service=tiny")
    assert pod["spec"]["nodeName"] == target
    wait_until(real, "the plan's end", lambda: plan_phase(real, "move-tiny") == "Completed")
    assert condition(real)[0] == "True"


def plan_phase(cluster: Cluster, name: str) -> str:
    return str(cluster.api.get(f"{PLANS_PATH}/{name}").get("status", {}).get("phase", ""))


def answers(address: str) -> bool:
    try:
        return bool(ask(address, max_tokens=1)["choices"])
    except OSError:
        return False


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"engine": {"image": "localhost/not-there:1"}}, "ImagePullFailed"),
        ({"engine": {"args": ["--dtype", "float8"]}}, "UnknownDtype"),
        ({"model": {"uri": "path:///opt/nothing", "name": "tiny"}}, "ModelNotFound"),
        ({"engine": {"args": ["--device", "cuda"]}}, "DeviceUnavailable"),
        ({"resources": {"gpus": 0, "memory": "60Mi"}}, "OutOfMemory"),
        ({"engine": {"command": ["/no/such/program"]}}, "ContainerNotCreated"),
    ],
)
def test_what_goes_wrong_is_told_by_its_own_reason(real: Cluster, spec: dict[str, Any], reason: str) -> None:
    real.create(tiny(**spec))
    wait_until(real, reason, lambda: condition(real)[1] == reason, 90.0)
    assert condition(real)[0] == "False"
    assert len(condition(real)[2]) > 20


def test_a_killed_engine_is_told_and_comes_back(real: Cluster) -> None:
    real.create(tiny())
    wait_until(real, "ready", lambda: condition(real)[0] == "True")
    (name,) = serving_pods(real)
    real.kubectl("exec", name, "--", "python3", "-c", "import os; os.kill(1, 15)")
    wait_until(real, "not ready", lambda: condition(real)[0] == "False")
    wait_until(real, "ready again", lambda: condition(real)[0] == "True")
