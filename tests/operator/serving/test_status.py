"""What a service's status says in each state that its pods can show, and that it says nothing new when nothing is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from scenes import DIGEST, NOW, ended, observed, pod, revision, service, waiting

from berth_api.resource import find_condition
from berth_operator.serving.status import Observed, Refusal, status_of

SERVICE = service()
REVISION = revision(SERVICE)


def verdict(seen: Observed, type_: str = "Ready") -> tuple[str, str, str]:
    condition = find_condition(status_of(seen, NOW).conditions, type_)
    assert condition is not None
    assert condition.observed_generation == 3
    return condition.status, condition.reason, condition.message


def test_ready_means_this_generation_answers_and_gets_traffic() -> None:
    serving = pod("a", revision=REVISION, ready=True)
    assert verdict(observed(SERVICE, serving, routed=("a",))) == ("True", "Answering", "1 of 1 replicas answer")
    assert verdict(observed(SERVICE, serving))[:2] == ("False", "NotRouted")
    old = pod("old", revision="before", ready=True)
    status, reason, message = verdict(observed(SERVICE, old, routed=("old",)))
    assert (status, reason) == ("False", "RollingOut")
    assert "1 of an earlier generation still do" in message
    leaving = pod("a", revision=REVISION, ready=True, leaves=True)
    assert verdict(observed(SERVICE, leaving, routed=("a",)))[0] == "False"


@pytest.mark.parametrize(
    ("shown", "reason", "words"),
    [
        ({"node": "", "said": "0/3 nodes are available"}, "Unschedulable", "0/3 nodes"),
        (
            {"node": "", "why": '{"code": "FitsAfterMoves", "message": "two moves", "plan": "p-1", "position": 2}'},
            "FitsAfterMoves",
            "two moves",
        ),
        ({"fetch": {"state": {"running": {}}}}, "Fetching", "still fetch"),
        ({"engine": {"state": {"running": {}}}}, "Loading", "load the weights"),
        ({"engine": waiting("ImagePullBackOff", "no such image")}, "ImagePullFailed", "no such image"),
        ({"engine": waiting("CreateContainerConfigError", "secret not found")}, "ContainerNotCreated", "secret"),
        ({"engine": ended(137, reason="OOMKilled")}, "OutOfMemory", "spec.resources.memory"),
        ({"engine": ended(1, "boom")}, "CrashLooping", "boom"),
        ({"engine": ended(137)}, "CrashLooping", "signal 9"),
        ({"engine": {**ended(1), "state": {"running": {}}}}, "CrashLooping", "exit code 1"),
        (
            {"engine": ended(2, 'INFO loading\n{"code": "DeviceUnavailable", "message": "no GPU is visible"}')},
            "DeviceUnavailable",
            "no GPU",
        ),
        ({"fetch": ended(1, '{"code": "DigestMismatch", "message": "another"}')}, "DigestMismatch", "another"),
        ({"phase": "Failed"}, "RollingOut", "on their way"),
    ],
)
def test_whatever_keeps_it_from_answering_is_the_reason(shown: dict[str, Any], reason: str, words: str) -> None:
    status, found, message = verdict(observed(SERVICE, pod("a", revision=REVISION, **shown)))
    assert (status, found) == ("False", reason)
    assert words in message


def test_a_replica_that_hangs_and_one_whose_node_is_lost_are_told_from_one_that_loads() -> None:
    running = {"state": {"running": {"startedAt": "2026-11-23T11:00:00Z"}}}
    loads = pod("a", revision=REVISION, engine=running, unready_since="2026-11-23T10:59:58Z")
    hangs = pod("a", revision=REVISION, engine=running, unready_since="2026-11-23T11:30:00Z")
    assert verdict(observed(SERVICE, loads))[1] == "Loading"
    assert verdict(observed(SERVICE, hangs))[1] == "NotAnswering"
    assert verdict(observed(SERVICE, hangs, silent_nodes={"node-1"}))[1] == "NodeLost"
    assert "node-1" in verdict(observed(SERVICE, hangs, silent_nodes={"node-1"}))[2]
    assert verdict(observed(SERVICE, loads, silent_nodes={"node-2"}))[1] == "Loading"


def test_a_paused_rollout_is_told_and_one_that_is_done_is_not() -> None:
    old = pod("old", revision="before", ready=True)
    paused = observed(SERVICE, old, routed=("old",), is_paused=True)
    assert verdict(paused)[:2] == verdict(paused, "Progressing")[:2] == ("False", "Paused")
    assert "kubectl rollout resume deployment/llama -n chat" in verdict(paused)[2]
    done = observed(SERVICE, pod("a", revision=REVISION, ready=True), routed=("a",), is_paused=True)
    assert (verdict(done)[1], verdict(done, "Progressing")[1]) == ("Answering", "Done")


def test_what_the_api_server_refuses_comes_first() -> None:
    refusal = Refusal("QuotaExceeded", "exceeded quota: gpus")
    crashing = pod("a", revision=REVISION, engine=ended(1))
    assert verdict(observed(SERVICE, crashing, refusal=refusal))[1] == "QuotaExceeded"
    fought_over = observed(SERVICE, pod("a", revision=REVISION, ready=True), routed=("a",), refusal=refusal)
    assert verdict(fought_over)[0] == "True", "it answers all the same"
    assert verdict(fought_over, "Progressing") == ("False", "QuotaExceeded", "exceeded quota: gpus")


def test_a_words_author_is_believed_only_in_a_code_and_a_sentence() -> None:
    forged = '{"code": "not a code!", "message": "x"}'
    assert verdict(observed(SERVICE, pod("a", revision=REVISION, engine=ended(1, forged))))[1] == "CrashLooping"
    long = '{"code": "LoadFailed", "message": "' + "x" * 50_000 + '"}'
    assert len(verdict(observed(SERVICE, pod("a", revision=REVISION, engine=ended(1, long))))[2]) < 1_200


def test_of_a_log_the_end_is_told() -> None:
    log = "Traceback\n" + "  File x\n" * 500 + "ImportError: libstdc++.so.6"
    message = verdict(observed(SERVICE, pod("a", revision=REVISION, engine=ended(1, log))))[2]
    assert message.endswith("ImportError: libstdc++.so.6")
    assert len(message) < 600


def test_none_asked_for_is_said_and_is_not_ready() -> None:
    assert verdict(observed(SERVICE, desired=0))[:2] == ("False", "ScaledToZero")
    assert verdict(observed(service(suspend=True), desired=0))[:2] == ("False", "Suspended")


def test_the_model_is_resolved_by_what_the_fetch_verified() -> None:
    done = {
        "state": {
            "terminated": {"exitCode": 0, "message": f'{{"code": "Fetched", "digest": "{DIGEST}", "bytes": 7}}\n'}
        }
    }
    seen = observed(SERVICE, pod("a", revision=REVISION, fetch=done))
    status = status_of(seen, NOW)
    assert status.model is not None
    assert (status.model.digest, status.model.bytes) == (DIGEST, 7)
    assert verdict(seen, "ModelResolved")[:2] == ("True", "Verified")
    later = service()
    later = later.model_copy(update={"status": status})
    assert verdict(observed(later), "ModelResolved")[0] == "True", "it stays so while no pod shows it"
    assert status_of(observed(later), NOW).model == status.model
    assert verdict(observed(SERVICE), "ModelResolved")[0] == "Unknown"
    assert verdict(observed(service("path://tiny-mixtral")), "ModelResolved")[:2] == ("True", "InImage")
    assert verdict(observed(service("pvc://claim/llama")), "ModelResolved")[:2] == ("Unknown", "NotVerified")


def test_another_model_is_not_called_verified_by_what_the_one_before_was() -> None:
    done = {
        "state": {"terminated": {"exitCode": 0, "message": f'{{"code": "Fetched", "digest": "{DIGEST}", "bytes": 7}}'}}
    }
    old = pod("old", revision=REVISION, ready=True, fetch=done)
    known = status_of(observed(SERVICE, old), NOW)
    pinned = service(model={"digest": "sha256:" + "cd" * 32})
    moved = service("s3://models/other", generation=4)
    for changed in (pinned, moved):
        changed = changed.model_copy(update={"status": known})
        status = status_of(observed(changed, old), NOW)
        condition = find_condition(status.conditions, "ModelResolved")
        assert condition is not None
        assert (status.model, condition.status, condition.reason) == (None, "Unknown", "Fetching")
    same = service(generation=4, model={"digest": DIGEST})
    assert status_of(observed(same.model_copy(update={"status": known})), NOW).model == known.model


def test_a_fetch_that_failed_for_an_earlier_generation_says_nothing_of_this_one() -> None:
    failed = pod("old", revision="before", fetch=ended(1, '{"code": "ModelNotFound", "message": "no bucket"}'))
    assert verdict(observed(SERVICE, failed), "ModelResolved")[:2] == ("Unknown", "Fetching")
    assert verdict(observed(SERVICE, failed))[1] == "ModelNotFound", "until there is something newer to tell"


def test_nodes_waiting_replicas_and_the_last_failure_are_listed() -> None:
    pods = (
        pod("a", revision=REVISION, ready=True, node="n1"),
        pod("b", revision=REVISION, node="n1", engine=ended(3, "broken")),
        pod("c", revision=REVISION, node="", said="no room"),
    )
    status = status_of(observed(SERVICE, *pods, desired=3, routed=("a",)), NOW)
    assert [(n.name, n.replicas, n.ready) for n in status.nodes] == [("n1", 2, 1)]
    assert [(w.pod, w.code, w.message) for w in status.waiting] == [("c", "Unschedulable", "no room")]
    assert status.last_failure is not None
    assert (status.last_failure.reason, status.last_failure.exit_code, status.last_failure.pod) == (
        "CrashLooping",
        3,
        "b",
    )
    assert (status.replicas, status.desired_replicas, status.ready_replicas) == (3, 3, 1)
    well = SERVICE.model_copy(update={"status": status})
    after = status_of(observed(well, pods[0], routed=("a",)), NOW)
    assert after.last_failure == status.last_failure, "it stays until the next"


def test_draining_pods_and_the_history_of_scaling_are_told() -> None:
    leaving = pod("old", revision="before", ready=True, leaves=True)
    assert verdict(observed(SERVICE, leaving), "Draining")[:2] == ("True", "Draining")
    status = status_of(observed(SERVICE, desired=1), NOW)
    for desired in (2, 2, 3, 1, 5, 4, 0):
        scaled = SERVICE.model_copy(update={"status": status})
        status = status_of(observed(scaled, desired=desired), NOW)
    assert [(event.from_, event.to) for event in status.scaling_history] == [(2, 3), (3, 1), (1, 5), (5, 4), (4, 0)]


def test_nothing_new_is_no_change() -> None:
    seen = observed(SERVICE, pod("a", revision=REVISION, engine=ended(1, "boom")))
    first = status_of(seen, NOW)
    again = SERVICE.model_copy(update={"status": first})
    later = status_of(observed(again, *seen.pods), NOW + timedelta(hours=1))
    assert later == first
