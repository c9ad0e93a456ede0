"""The manifests of a service: what Pod Security, schedulers and rollouts need of them, and that equal services give equal bytes."""

from __future__ import annotations

from typing import Any

import pytest
from scenes import DIGEST, IMAGES, service

from berth_api.llm_service import LLMService
from berth_operator.serving.children import Room, build_children
from berth_operator.serving.drift import missing
from berth_operator.serving.pod_template import build_pod_template, merged


def children(of: LLMService, replicas: int | None = 2, room: Room = Room()) -> dict[str, Any]:  # noqa: B008
    made = build_children(of, replicas, build_pod_template(of, IMAGES), room)
    return {f"{child['kind']}/{child['metadata']['name']}": child for child in made}


def template(of: LLMService) -> dict[str, Any]:
    return children(of)["Deployment/llama"]["spec"]["template"]


def engine(of: LLMService) -> dict[str, Any]:
    return template(of)["spec"]["containers"][0]


def test_a_service_owns_what_it_needs_and_everything_says_whose_it_is() -> None:
    made = children(service())
    assert set(made) == {
        "ServiceAccount/llama",
        "NetworkPolicy/llama",
        "Deployment/llama",
        "Service/llama",
        "Service/llama-pods",
        "PodDisruptionBudget/llama",
    }
    for child in made.values():
        owner = child["metadata"]["ownerReferences"][0]
        assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("LLMService", "llama", "u-1", True)
        assert child["metadata"]["namespace"] == "chat"
        assert child["metadata"]["labels"]["berth.dev/llm-service"] == "llama"
    assert "PodMonitor/llama" in children(service(), room=Room(pod_monitors=True))


def test_pods_are_what_restricted_pod_security_allows() -> None:
    of = service(model={"digest": DIGEST})
    pod = template(of)["spec"]
    for container in (*pod["containers"], *pod["initContainers"]):
        security = container["securityContext"]
        assert security["runAsNonRoot"]
        assert security["readOnlyRootFilesystem"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["allowPrivilegeEscalation"] is False
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not any("hostPath" in volume for volume in pod["volumes"])


def test_fields_reach_the_pod() -> None:
    of = service(
        priority="interactive",
        resources={"gpus": 2, "gpuModel": "NVIDIA-A100-SXM4-80GB", "memory": "64Gi", "cpu": "4"},
        placement={"hint": "spread over zones", "nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}]},
        requestPriority={"default": 2, "max": 5},
        engine={"maxBatch": 8, "args": ["--handicap-ms", "0"], "env": [{"name": "A", "value": "1"}]},
        drainSeconds=90,
        model={"digest": DIGEST, "name": "llama-3", "credentialsSecretRef": {"name": "s3"}},
    )
    whole = template(of)
    pod, container = whole["spec"], engine(of)
    assert whole["metadata"]["annotations"] == {"berth.dev/allocation-hint": "spread over zones"}
    assert pod["priorityClassName"] == "interactive"
    assert pod["schedulerName"] == "berth"
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "a": "b"}
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["terminationGracePeriodSeconds"] > 90
    assert container["resources"] == {
        "requests": {"cpu": "4", "memory": "64Gi", "nvidia.com/gpu": "2"},
        "limits": {"nvidia.com/gpu": "2", "memory": "64Gi"},
    }
    words = " ".join(container["args"])
    for part in ("--served-model-name llama-3", f"--digest {DIGEST}", "--max-batch 8", "--device cuda", "--default-priority 2", "--max-priority 5", "--drain-seconds 90"):  # fmt: skip
        assert part in words
    assert words.endswith("--handicap-ms 0")
    assert {"name": "A", "value": "1"} in container["env"]
    fetch = pod["initContainers"][0]
    assert fetch["args"][0] == "s3://models/llama"
    assert fetch["envFrom"] == [{"secretRef": {"name": "s3"}}]


@pytest.mark.parametrize(
    ("uri", "model", "path", "fetches"),
    [
        ("s3://bucket/m", {}, "/model/weights", True),
        ("hf://org/name@main", {}, "/model/weights", True),
        ("pvc://claim/sub/folder", {}, "/source/sub/folder", False),
        ("pvc://claim", {"digest": DIGEST}, "/source", True),
        ("path:///opt/model", {}, "/opt/model", False),
        ("path://tiny-mixtral", {}, "tiny-mixtral", False),
    ],
)
def test_weights_come_from_where_the_uri_says(uri: str, model: dict[str, str], path: str, fetches: bool) -> None:
    of = service(uri, model=model)
    assert engine(of)["args"][0] == path
    assert {"name": "BERTH_MODEL_PATH", "value": path} in engine(of)["env"]
    assert ("initContainers" in template(of)["spec"]) is fetches
    mounted = {mount["name"] for mount in engine(of)["volumeMounts"]}
    assert mounted <= {volume["name"] for volume in template(of)["spec"]["volumes"]}


def test_each_kind_of_engine_is_asked_in_its_own_way() -> None:
    berth, vllm = engine(service()), engine(service(engine={"kind": "vllm", "kvCacheShare": 0.8}))
    custom = engine(service(engine={"kind": "custom", "image": "mine:2", "port": 9000, "readyPath": "/up", "drainPath": "/leave"}))  # fmt: skip
    assert berth["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert "startupProbe" not in berth
    assert vllm["command"] == ["vllm", "serve"]
    assert "--gpu-memory-utilization 0.8" in " ".join(vllm["args"])
    assert vllm["startupProbe"]["failureThreshold"] * vllm["startupProbe"]["periodSeconds"] >= 3600
    assert (custom["image"], custom["ports"][0]["containerPort"]) == ("mine:2", 9000)
    assert custom["lifecycle"]["preStop"]["httpGet"]["path"] == "/leave"
    assert custom["readinessProbe"]["httpGet"]["path"] == "/up"


def test_a_rollout_surges_where_there_is_room_or_it_is_asked_to() -> None:
    def rolling(rollout: str, room: bool) -> tuple[int, int]:
        spec = children(service(rollout=rollout), room=Room(for_surge=room))["Deployment/llama"]["spec"]
        found = spec["strategy"]["rollingUpdate"]
        return found["maxSurge"], found["maxUnavailable"]

    assert rolling("Auto", True) == (1, 0)
    assert rolling("Auto", False) == (0, 1)
    assert rolling("Surge", False) == (1, 0)
    assert rolling("InPlace", True) == (0, 1)


def test_replicas_are_left_out_where_an_autoscaler_decides() -> None:
    assert children(service())["Deployment/llama"]["spec"]["replicas"] == 2
    assert "replicas" not in children(service(), None)["Deployment/llama"]["spec"]


def test_equal_services_give_equal_manifests_and_another_template_another_revision() -> None:
    assert children(service()) == children(service())
    label = "berth.dev/revision"
    one, other = template(service()), template(service(engine={"maxBatch": 4}))
    assert one["metadata"]["labels"][label] != other["metadata"]["labels"][label]
    scaled = template(service(replicas=7, drainSeconds=60))
    assert scaled["metadata"]["labels"][label] == one["metadata"]["labels"][label], "scaling replaces no pod"


def test_a_pod_template_is_laid_over() -> None:
    over = {
        "metadata": {"labels": {"team": "a"}},
        "spec": {
            "containers": [
                {"name": "engine", "env": [{"name": "HOME", "value": "/home"}]},
                {"name": "side", "image": "x"},
            ],
            "hostname": "h",
        },
    }
    found = template(service(podTemplate=over))
    assert found["metadata"]["labels"]["team"] == "a"
    assert [container["name"] for container in found["spec"]["containers"]] == ["engine", "side"]
    env = {variable["name"]: variable["value"] for variable in found["spec"]["containers"][0]["env"]}
    assert env["HOME"] == "/home"
    assert "BERTH_MODEL_PATH" in env
    assert missing(over, found) is None


def test_laying_over() -> None:
    assert merged({"a": 1, "b": {"c": 2}}, {"b": {"c": None, "d": 3}}) == {"a": 1, "b": {"d": 3}}
    assert merged([1, 2], [3]) == [3]
    assert merged([{"name": "x", "v": 1}], [{"name": "y"}, {"name": "x", "v": 2}]) == [
        {"name": "x", "v": 2},
        {"name": "y"},
    ]
