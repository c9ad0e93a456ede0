"""What kube-scheduler counts a pod for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from berth_cluster.errors import DumpError

from .builders import PodThing, pod, read_pod


def container(*, sidecar: bool = False, gpu: str | None = None, **requests: str) -> dict[str, Any]:
    if gpu:
        requests["nvidia.com/gpu"] = gpu
    return {"resources": {"requests": requests}} | ({"restartPolicy": "Always"} if sidecar else {})


def with_init(thing: PodThing, *containers: dict[str, Any]) -> PodThing:
    return thing.spec(initContainers=[{"name": f"i{n}", **c} for n, c in enumerate(containers)])


def counted(thing: PodThing) -> dict[str, int]:
    return dict(read_pod(thing).spec.requests)


def test_containers_add_up_and_a_pod_is_one_pod() -> None:
    two = pod("p").containers(container(cpu="100m", memory="1Gi"), container(cpu="250m"))
    assert counted(two) == {"cpu": 350, "memory": 2**30, "pods": 1}


def test_a_pod_without_requests_still_counts_as_a_pod() -> None:
    assert counted(pod("p").containers({})) == {"pods": 1}


def test_sums_are_rounded_once_not_per_container() -> None:
    assert counted(pod("p").containers(*[container(memory="100m")] * 10))["memory"] == 1


def test_a_large_init_container_sets_the_floor_for_its_resource_only() -> None:
    thing = with_init(
        pod("p").containers(container(cpu="1", memory="1Gi")), container(cpu="3"), container(cpu="2", memory="1Mi")
    )
    assert counted(thing) == {"cpu": 3000, "memory": 2**30, "pods": 1}


def test_a_sidecar_runs_beside_the_containers() -> None:
    thing = with_init(pod("p").containers(container(cpu="1")), container(sidecar=True, cpu="500m"))
    assert counted(thing)["cpu"] == 1500


def test_an_init_container_counts_with_the_sidecars_started_before_it_only() -> None:
    thing = with_init(
        pod("p").containers(container(cpu="1")),
        container(sidecar=True, cpu="500m"),
        container(cpu="2"),  # 2.5 with the first sidecar
        container(sidecar=True, cpu="700m"),
    )
    assert counted(thing)["cpu"] == 2500  # more than 1 + 0.5 + 0.7


def test_later_sidecars_and_containers_can_outweigh_initialisation() -> None:
    thing = with_init(pod("p").containers(container(cpu="2")), container(cpu="2"), container(sidecar=True, cpu="1"))
    assert counted(thing)["cpu"] == 3000


def test_overhead_comes_on_top_of_the_larger_of_both() -> None:
    thing = with_init(pod("p").containers(container(cpu="1")), container(cpu="2")).spec(
        overhead={"cpu": "250m", "memory": "120Mi"}
    )
    assert counted(thing) == {"cpu": 2250, "memory": 120 * 2**20, "pods": 1}


def test_requests_on_the_pod_replace_the_sum_but_not_for_devices() -> None:
    thing = pod("p").containers(container(cpu="1", gpu="2"))
    thing.spec(resources={"requests": {"cpu": "3", "nvidia.com/gpu": "9"}}, overhead={"cpu": "1"})
    assert counted(thing) == {"cpu": 4000, "nvidia.com/gpu": 2, "pods": 1}


def test_requests_on_the_pod_may_be_less_than_the_sum() -> None:
    thing = pod("p").containers(container(cpu="2"), container(cpu="2")).spec(resources={"requests": {"cpu": "3"}})
    assert counted(thing)["cpu"] == 3000


def test_limits_stand_in_for_requests_that_are_not_given() -> None:
    thing = pod("p").asks(cpu="100m", limits={"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"})
    assert counted(thing) == {"cpu": 100, "memory": 2**30, "nvidia.com/gpu": 1, "pods": 1}


def resized(spec: str, running: str, allocated: str, *conditions: dict[str, str]) -> int:
    thing = pod("p").asks(cpu=spec).on("n1")
    status = {"name": "c0", "resources": {"requests": {"cpu": running}}, "allocatedResources": {"cpu": allocated}}
    return counted(thing.status(containerStatuses=[status], conditions=list(conditions)))["cpu"]


def test_during_a_resize_the_largest_counts() -> None:
    assert resized("2", "1", "1") == 2000
    assert resized("1", "2", "1") == 2000
    assert resized("1", "1", "3") == 3000


def test_an_infeasible_resize_counts_what_the_pod_has() -> None:
    infeasible = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    deferred = infeasible | {"reason": "Deferred"}
    assert resized("8", "1", "1", infeasible) == 1000
    assert resized("8", "1", "1", deferred) == 8000


def test_a_status_without_resources_changes_nothing() -> None:
    thing = (
        pod("p").asks(cpu="1").on("n1").status(containerStatuses=[{"name": "c0", "allocatedResources": {"cpu": "9"}}])
    )
    assert counted(thing)["cpu"] == 1000


@pytest.mark.parametrize("where", ["containers", "initContainers"])
def test_a_negative_request_names_object_and_field(where: str) -> None:
    thing = pod("broken", "team").spec(**{where: [{"name": "c", "resources": {"requests": {"memory": "-1Gi"}}}]})
    with pytest.raises(DumpError) as caught:
        read_pod(thing)
    assert caught.value.object == "Pod team/broken"
    assert caught.value.field == f"spec.{where}[0].resources.requests[memory]"
    assert "negative" in caught.value.message


def test_an_absurd_sum_is_an_error_not_an_overflow() -> None:
    with pytest.raises(DumpError, match="2\\^53"):
        read_pod(pod("p").asks(memory="8Ei"))


cpus = st.integers(0, 4000)


@given(
    containers=st.lists(cpus, min_size=1, max_size=4),
    inits=st.lists(st.tuples(st.booleans(), cpus), max_size=5),
    overhead=cpus,
)
def test_no_moment_in_a_pods_life_needs_more_than_what_is_counted(
    containers: list[int], inits: list[tuple[bool, int]], overhead: int
) -> None:
    thing = with_init(
        pod("p").containers(*(container(cpu=f"{c}m") for c in containers)),
        *(container(sidecar=sidecar, cpu=f"{c}m") for sidecar, c in inits),
    ).spec(overhead={"cpu": f"{overhead}m"})
    beside, moments = 0, []
    for sidecar, cpu in inits:
        moments.append(beside + cpu)
        beside += cpu if sidecar else 0
    moments.append(beside + sum(containers))
    assert counted(thing).get("cpu", 0) == max(moments) + overhead
