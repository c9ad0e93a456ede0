"""The configuration of the scheduler beside the extender: what a wrong value would break."""

from __future__ import annotations

import json

from berth_extender.kube_scheduler import configuration
from berth_extender.wire import MAX_SCORE

# kubernetes:pkg/scheduler/apis/config/v1/default_plugins.go: TaintToleration 3, NodeAffinity, PodTopologySpread and
# InterPodAffinity 2 each, NodeResourcesFit, NodeResourcesBalancedAllocation and ImageLocality 1 each, 100 points apiece
POINTS_OF_DEFAULT_PLUGINS = (3 + 2 + 2 + 2 + 1 + 1 + 1) * 100
POINTS_A_SCORE = 100 // MAX_SCORE


def test_one_rank_outweighs_all_that_the_default_plugins_can_add() -> None:
    (extender,) = configuration(extender_url="http://127.0.0.1:9555")["extenders"]
    assert extender["weight"] * POINTS_A_SCORE > POINTS_OF_DEFAULT_PLUGINS


def test_it_is_reached_where_it_listens_and_pods_do_not_depend_on_it() -> None:
    (extender,) = configuration(extender_url="http://127.0.0.1:9555/")["extenders"]
    assert extender["urlPrefix"] + "/" + extender["filterVerb"] == "http://127.0.0.1:9555/filter"
    assert extender["ignorable"]
    assert "bindVerb" not in extender


def test_it_takes_neither_the_default_schedulers_lease_nor_its_pods() -> None:
    made = configuration(extender_url="http://127.0.0.1:9555", lease_namespace="berth-system")
    lease = made["leaderElection"]
    assert (lease["resourceNamespace"], lease["resourceName"]) == ("berth-system", "berth-scheduler")
    assert [profile["schedulerName"] for profile in made["profiles"]] == ["berth"]


def test_in_a_pod_it_names_no_kubeconfig() -> None:
    assert "kubeconfig" not in json.dumps(configuration(extender_url="http://127.0.0.1:9555"))
