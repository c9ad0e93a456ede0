"""What the engines' gauges say of a replica, and how it counts."""

from __future__ import annotations

import pytest

from berth_gateway.gauges import read
from berth_gateway.replicas import Replica

TEXT = b"""# HELP vllm:num_requests_waiting Requests that wait
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="tiny"} 3.0
vllm:num_requests_running{model_name="tiny"} 5.0
vllm:kv_cache_usage_perc{model_name="tiny"} 0.5
vllm:num_requests_waiting_by_reason{reason="capacity"} 9.0
"""


def test_gauges_are_read_and_others_left() -> None:
    replica = Replica("a", "h:1")
    read(replica, TEXT)
    assert (replica.waiting, replica.running, replica.kv_use) == (3, 5, 0.5)
    read(replica, b"garbage\nvllm:num_requests_waiting nonsense\n")
    assert replica.waiting == 3


@pytest.mark.parametrize("value", [b"1e999", b"-1", b"1.2.3", b"e", b"9" * 5000, b"1e300", b"--", b"1e99999999999"])
def test_what_a_hostile_engine_says_is_no_number_and_changes_nothing(value: bytes) -> None:
    replica = Replica("a", "h:1", waiting=3, running=2, kv_use=0.5)
    for name in (b"num_requests_waiting", b"num_requests_running", b"kv_cache_usage_perc"):
        read(replica, b"vllm:" + name + b" " + value + b"\n")
    assert (replica.waiting, replica.running, replica.kv_use) == (3, 2, 0.5)


def test_a_queue_a_full_cache_and_what_was_just_sent_count() -> None:
    idle, queued, full = Replica("i", ""), Replica("q", "", waiting=1, running=4), Replica("f", "", kv_use=0.99)
    sent = Replica("s", "", sent=2)
    assert idle.load < sent.load < queued.load
    assert full.load > queued.load
