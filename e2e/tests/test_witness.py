"""The witness sees what it is there for: rules that are broken on purpose."""

from __future__ import annotations

import pytest

from berth_e2e.cluster import Cluster
from berth_e2e.objects import pod, replica_set
from berth_e2e.waiting import wait_for
from berth_e2e.witness import Witness


def evict(cluster: Cluster, name: str) -> None:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}}
    cluster.api.request("POST", f"/api/v1/namespaces/default/pods/{name}/eviction", body)


def test_a_node_that_holds_too_much_is_told(cluster: Cluster) -> None:
    cluster.add_nodes(1, gpus=8)
    with Witness(cluster.api) as witness:
        cluster.create(*(pod(f"pod-{i}", gpus=4, node_name="node-0") for i in range(2)))
        cluster.wait_running("", 2)
        witness.assert_rules_held()
        cluster.create(pod("one-more", gpus=1, node_name="node-0"))
        wait_for("told", lambda: witness.broken, 5.0)
    with pytest.raises(AssertionError, match=r"node-0 holds more than it has when one-more came: .*gpu"):
        witness.assert_rules_held()


def test_an_eviction_on_no_record_that_leaves_too_few_is_told(cluster: Cluster) -> None:
    cluster.add_nodes(1, gpus=8)
    cluster.create(replica_set("app", 2, gpus=1))
    cluster.wait_running("app=app", 2)
    with Witness(cluster.api, {"app": 2}) as witness:
        name = cluster.pods("app=app")[0]["metadata"]["name"]
        wait_for("all pods seen", lambda: witness.pods >= 2, 5.0)
        evict(cluster, name)
        wait_for("told", lambda: witness.broken, 5.0)
        assert witness.broken == [f"the eviction of {name} left 1 ready pods of app"]
        assert witness.evicted == [name]
    with pytest.raises(AssertionError, match=f"evicted without a record in a plan: .*{name}"):
        witness.assert_rules_held()


def test_a_deletion_is_no_eviction_of_ours_and_a_cut_watch_is_made_up_for(cluster: Cluster) -> None:
    cluster.add_nodes(1, gpus=8)
    with Witness(cluster.api) as witness:
        cluster.create(pod("one", gpus=8, node_name="node-0"))
        cluster.wait_running("", 1)
        cluster.processes["kube-apiserver"].kill()
        cluster.heal()
        cluster.api.delete("/api/v1/namespaces/default/pods/one", grace_seconds=0)
        wait_for("seen", lambda: witness.pods == 0, 10.0)
        cluster.create(pod("two", gpus=8, node_name="node-0"))
        cluster.wait_running("", 1)
        wait_for("seen", lambda: witness.pods == 1, 10.0)
    assert not witness.evicted
    witness.assert_rules_held()
