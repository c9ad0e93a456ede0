"""What the engines' gauges say of a replica, and how it counts."""

from __future__ import annotations

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


def test_a_queue_a_full_cache_and_what_was_just_sent_count() -> None:
    idle, queued, full = Replica("i", ""), Replica("q", "", waiting=1, running=4), Replica("f", "", kv_use=0.99)
    sent = Replica("s", "", sent=2)
    assert idle.load < sent.load < queued.load
    assert full.load > queued.load
