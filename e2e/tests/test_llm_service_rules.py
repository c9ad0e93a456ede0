"""Each rule of an LLMService, said by a real API server: what it takes, what it refuses and in which words.

Most objects are only tried (dry run): rules and defaults hold as they would, and nothing is left to clear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from berth_api.crds import DEFINITIONS
from berth_api.llm_service_rules import LLM_SERVICE_RULES, MAX_NAME
from berth_e2e.api_client import RequestError
from berth_e2e.cluster import Cluster

SERVICES = "/apis/berth.dev/v1alpha1/namespaces/default/llmservices"
PATCH = "application/merge-patch+json"
ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "manifests" / "samples" / "llmservice.yaml"
PAGE = ROOT / "docs" / "llmservice.md"
DIGEST = f"sha256:{'0a' * 32}"
URI = "s3://models/llama-3-8b"
AUTO: dict[str, Any] = {"max": 4}

Json = dict[str, Any]


def service(name: str = "chat", **spec: object) -> Json:
    spec = {"model": {"uri": URI}, **spec}
    return {"apiVersion": "berth.dev/v1alpha1", "kind": "LLMService", "metadata": {"name": name}, "spec": spec}


def of_uri(uri: str, **model: object) -> Json:
    return service(model={"uri": uri, **model})


def in_pod(**spec: object) -> Json:
    return service(podTemplate={"spec": spec})


def with_engine(**engine: object) -> Json:
    return service(engine={"kind": "custom", "image": "tgi:3", **engine})


REFUSED: list[tuple[str, Json, str]] = [
    ("no model", {**service(), "spec": {}}, "spec.model: Required value"),
    ("name too long", service("a" * (MAX_NAME + 1)), f"at most {MAX_NAME} lower-case letters"),
    ("name with dots", service("llama.3"), "at most 40 lower-case letters, digits and dashes"),
    ("name begins with a digit", service("3llama"), "a letter first"),
    ("replicas and autoscaling", service(replicas=1, autoscaling=AUTO), "give one of them"),
    ("too many replicas", service(replicas=1_001), "less than or equal to 1000"),
    ("replicas below none", service(replicas=-1), "greater than or equal to 0"),
    ("min above max", service(autoscaling={"min": 5, "max": 4}), "spec.autoscaling.min is above max"),
    ("no max", service(autoscaling={"min": 1}), "spec.autoscaling.max: Required value"),
    ("unknown metric", service(autoscaling=AUTO | {"metric": "GPU"}), '"QueueDepth", "TimeToFirstToken", "KVCacheUse"'),
    ("more than full", service(autoscaling=AUTO | {"metric": "KVCacheUse", "target": 101}), "at most 100"),
    (
        "urgent by default",
        service(requestPriority={"default": 5, "max": 4}),
        "spec.requestPriority.default is above max",
    ),
    ("priority out of range", service(requestPriority={"max": 1_001}), "less than or equal to 1000"),
    (
        "tensor without GPUs",
        service(engine={"kind": "vllm"}, parallelism={"tensor": 2}),
        "GPUs that the replica does not have",
    ),
    (
        "tensor on the CPU",
        service(engine={"kind": "vllm"}, resources={"gpus": 0}, parallelism={"tensor": 2}),
        "does not have",
    ),
    ("berth on two GPUs", service(resources={"gpus": 2}), "the engine berth serves on one GPU"),
    (
        "model of no GPU",
        service(resources={"gpus": 0, "gpuModel": "NVIDIA-H100"}),
        "leave the model out, or ask for GPUs",
    ),
    ("no quantity", service(resources={"memory": "lots"}), "spec.resources.memory"),
    ("less than nothing", service(resources={"cpu": "-1"}), "spec.resources.cpu"),
    ("no scheme", of_uri("models/llama"), "begins with s3://, hf://, pvc:// or path://"),
    ("other scheme", of_uri("gs://models/llama"), "begins with s3://, hf://, pvc:// or path://"),
    ("credentials in the uri", of_uri("s3://AKIA1:secret@models/llama"), "put them into a Secret"),
    ("token in the uri", of_uri("hf://me:hf_token@org/name"), "put them into a Secret"),
    ("signature in the uri", of_uri("s3://models/llama?X-Amz-Signature=1"), "must not hold credentials or a signature"),
    ("blank in the uri", of_uri("s3://models/my llama"), "must not hold blanks"),
    ("way out of the folder", of_uri("pvc://models/../../etc"), ".. as a folder"),
    ("no bucket", of_uri("s3:///llama"), "followed by a bucket and a prefix"),
    ("no repository", of_uri("hf://"), "followed by a repository"),
    ("too deep a repository", of_uri("hf://a/b/c"), "followed by a repository"),
    ("no claim", of_uri("pvc:///llama"), "followed by the name of a PersistentVolumeClaim"),
    ("no folder", of_uri("path://"), "followed by a folder of the engine's image"),
    ("short digest", of_uri(URI, digest="sha256:abc"), "64 lower-case hex digits"),
    ("digest in capitals", of_uri(URI, digest=DIGEST.replace("a", "A")), "64 lower-case hex digits"),
    ("cache of a claim", of_uri("pvc://models/llama", cache={"claimName": "cache"}), "served from where they are"),
    ("two caches", of_uri(URI, cache={"claimName": "cache", "sizeLimit": "1Gi"}), "leave one of them out"),
    ("unknown engine", service(engine={"kind": "tgi"}), '"berth", "vllm", "custom"'),
    ("custom without image", service(engine={"kind": "custom"}), "spec.engine.image is missing"),
    ("path of a known engine", service(engine={"readyPath": "/up"}), "are for kind custom"),
    ("port of a known engine", service(engine={"kind": "vllm", "port": 9_000}), "are for kind custom"),
    ("drain path of a known engine", service(engine={"drainPath": "/bye"}), "are for kind custom"),
    ("metrics of a known engine", service(engine={"metricsPath": "/m"}), "are for kind custom"),
    ("batch of a custom engine", with_engine(maxBatch=8), "in its args"),
    ("context of a custom engine", with_engine(maxContextTokens=8), "in its args"),
    ("cache of a custom engine", with_engine(kvCacheShare=0.5), "in its args"),
    ("path that is none", with_engine(readyPath="up"), "spec.engine.readyPath"),
    ("variable twice", service(engine={"env": [{"name": "A", "value": "1"}] * 2}), "Duplicate value"),
    ("variable without value", service(engine={"env": [{"name": "A"}]}), "either value or valueFrom"),
    (
        "variable with two",
        service(engine={"env": [{"name": "A", "value": "", "valueFrom": {}}]}),
        "either value or valueFrom",
    ),
    ("hint without end", service(placement={"hint": "x" * 2_001}), "may not be more than 2000"),
    ("drain without end", service(drainSeconds=3_601), "less than or equal to 3600"),
    ("unknown rollout", service(rollout="Recreate"), '"Auto", "InPlace", "Surge"'),
    ("network of the host", in_pod(hostNetwork=True), "hostNetwork is not for serving pods"),
    ("processes of the host", in_pod(hostPID=True), "hostPID is not for serving pods"),
    ("memory of the host", in_pod(hostIPC=True), "hostIPC is not for serving pods"),
    ("past the scheduler", in_pod(nodeName="n1"), "use spec.placement"),
    ("another priority", in_pod(priorityClassName="high"), "the pods' PriorityClass is spec.priority"),
    ("another scheduler", in_pod(schedulerName="default-scheduler"), "spec.placement.schedulerName"),
    ("another grace", in_pod(terminationGracePeriodSeconds=5), "spec.drainSeconds"),
    ("misspelt container", in_pod(containers=[{"name": "engin", "env": []}]), "is its name misspelt?"),
    ("misspelt fetch", in_pod(initContainers=[{"name": "fetch", "env": []}]), "not berth-fetch"),
    (
        "fetch of something else",
        in_pod(initContainers=[{"name": "berth-fetch", "args": ["x"]}]),
        "is said in spec.model",
    ),
    (
        "nothing to fetch",
        in_pod(initContainers=[{"name": "berth-fetch", "command": ["true"]}]),
        "is said in spec.model",
    ),
    ("image in the pod", in_pod(containers=[{"name": "engine", "image": "x"}]), "are spec.engine.image"),
    ("args in the pod", in_pod(containers=[{"name": "engine", "args": ["x"]}]), "are spec.engine.image"),
    ("command in the pod", in_pod(containers=[{"name": "engine", "command": ["x"]}]), "are spec.engine.image"),
    (
        "readiness in the pod",
        in_pod(containers=[{"name": "engine", "readinessProbe": {}}]),
        "decides who gets requests",
    ),
    (
        "our label",
        service(podTemplate={"metadata": {"labels": {"berth.dev/model": "x"}}}),
        "labels of berth.dev are Berth's own",
    ),
    (
        "hint in the pod",
        service(podTemplate={"metadata": {"annotations": {"berth.dev/allocation-hint": "x"}}}),
        "the hint is spec.placement.hint",
    ),
]

TAKEN: list[tuple[str, Json]] = [
    ("model alone", service()),
    ("longest name", service("a" * MAX_NAME)),
    ("no replicas", service(replicas=0)),
    ("down to none", service(autoscaling={"min": 0, "max": 1})),
    ("as many as at most", service(autoscaling={"min": 3, "max": 3})),
    ("full", service(autoscaling=AUTO | {"metric": "KVCacheUse", "target": 100})),
    ("slow first token", service(autoscaling=AUTO | {"metric": "TimeToFirstToken", "target": 1_500})),
    ("one priority", service(requestPriority={"default": -1_000, "max": -1_000})),
    (
        "eight GPUs",
        service(engine={"kind": "vllm"}, resources={"gpus": 8, "gpuModel": "NVIDIA-H100"}, parallelism={"tensor": 8}),
    ),
    ("on the CPU", service(resources={"gpus": 0, "cpu": 4, "memory": "1.5Gi"})),
    ("whole bucket", of_uri("s3://models")),
    ("repository", of_uri("hf://mistralai/Mixtral-8x7B-Instruct-v0.1")),
    ("repository of old", of_uri("hf://gpt2@refs/pr/3")),
    ("claim", of_uri("pvc://models/llama", digest=DIGEST)),
    ("in the image", of_uri("path:///opt/model")),
    ("built in", of_uri("path://tiny-mixtral")),
    ("dots that lead nowhere", of_uri("s3://models/v1..2/llama...x")),
    ("pinned", of_uri(URI, digest=DIGEST, credentialsSecretRef={"name": "s3"}, cache={"claimName": "models"})),
    ("bounded cache", of_uri("hf://gpt2", cache={"sizeLimit": "200Gi"})),
    ("another engine", with_engine(port=9_000, readyPath="/up", drainPath="/bye", metricsPath="/m", args=["--x"])),
    ("vllm", service(engine={"kind": "vllm", "maxContextTokens": 8_192, "maxBatch": 64, "kvCacheShare": 0.9})),
    (
        "variables",
        service(
            engine={
                "env": [
                    {"name": "A", "value": ""},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                ]
            }
        ),
    ),
    ("longest hint", service(placement={"hint": "x" * 2_000})),
    ("host's network said no", in_pod(hostNetwork=False)),
    (
        "sidecar",
        in_pod(containers=[{"name": "logs", "image": "fluent-bit:4", "readinessProbe": {"exec": {"command": ["x"]}}}]),
    ),
    ("more of the engine", in_pod(containers=[{"name": "engine", "volumeMounts": [{"name": "x", "mountPath": "/x"}]}])),
    (
        "more of the fetch",
        in_pod(initContainers=[{"name": "berth-fetch", "image": "mirror/fetch", "resources": {"limits": {"cpu": 1}}}]),
    ),
    ("labels", service(podTemplate={"metadata": {"labels": {"team": "a"}, "annotations": {"note": "x"}}})),
]


def tried(cluster: Cluster, body: Json) -> Json:
    made: Json = cluster.api.request("POST", f"{SERVICES}?dryRun=All&fieldValidation=Strict", body)
    return made


def refusal(cluster: Cluster, method: str, path: str, body: Json, content_type: str = "application/json") -> str:
    with pytest.raises(RequestError) as refused:
        cluster.api.request(method, path, body, content_type)
    assert refused.value.status == 422
    return str(refused.value)


@pytest.fixture
def stored(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster; services are deleted afterwards."""
    yield cluster
    cluster.api.request("DELETE", SERVICES)


@pytest.mark.parametrize(("body", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_makes_no_sense_is_refused_in_words(cluster: Cluster, body: Json, words: str) -> None:
    assert words in refusal(cluster, "POST", f"{SERVICES}?dryRun=All", body)


@pytest.mark.parametrize("body", [case[1] for case in TAKEN], ids=[case[0] for case in TAKEN])
def test_what_makes_sense_is_taken(cluster: Cluster, body: Json) -> None:
    made = tried(cluster, body)["spec"]
    for name, value in body["spec"].items():
        assert_kept(value, made[name], name)


def assert_kept(given: Any, kept: Any, path: str) -> None:
    """Nothing that was given is pruned; defaults may stand beside it."""
    if isinstance(given, dict):
        for key, value in given.items():
            assert key in kept, f"{path}.{key} is pruned"
            assert_kept(value, kept[key], f"{path}.{key}")
    elif isinstance(given, list):
        assert len(given) == len(kept), path
        for i, (one, other) in enumerate(zip(given, kept, strict=True)):
            assert_kept(one, other, f"{path}[{i}]")
    else:
        assert given == kept, path


def test_no_rule_is_without_a_refusal() -> None:
    """Broken rules say their sentence; `oldSelf` is tried below."""
    said = [words for _, _, words in REFUSED]
    for path, rules in LLM_SERVICE_RULES.items():
        for rule in rules:
            if "oldSelf" not in rule.cel:
                assert any(words in rule.message for words in said), f"{path}: {rule.message}"


def test_the_server_fills_in_what_was_left_out(cluster: Cluster) -> None:
    made = tried(cluster, service(autoscaling=AUTO))["spec"]
    assert "replicas" not in made
    assert made["autoscaling"] == {
        "min": 1,
        "max": 4,
        "metric": "QueueDepth",
        "stabilizationSeconds": {"up": 0, "down": 300},
    }
    assert made["requestPriority"] == {"default": 0, "max": 1_000}
    assert made["engine"]["kind"] == "berth"
    assert made["engine"]["gpuResource"] == "nvidia.com/gpu"
    assert made["placement"]["schedulerName"] == "berth"
    assert (made["resources"]["gpus"], made["drainSeconds"], made["rollout"], made["suspend"]) == (1, 60, "Auto", False)


@pytest.mark.parametrize("word", ["typo", "podTemplate.typo", "engine.typo", "placement.typo"])
def test_a_misspelt_field_is_named(cluster: Cluster, word: str) -> None:
    *way, last = word.split(".")
    given: Json = {last: {}}
    for part in reversed(way):
        given = {part: given}
    with pytest.raises(RequestError, match=f'unknown field "spec.{word}"'):
        tried(cluster, service(**given))


@pytest.mark.parametrize("before", [{}, {"name": "gpt-4"}])
def test_the_served_name_stays(stored: Cluster, before: Json) -> None:
    stored.api.request("POST", SERVICES, service(model={"uri": URI, **before}))
    said = refusal(stored, "PATCH", f"{SERVICES}/chat", {"spec": {"model": {"name": "other"}}}, PATCH)
    assert "spec.model.name cannot change" in said
    same = {"spec": {"model": {"name": before.get("name", "chat"), "uri": "s3://models/llama-4"}}}
    assert stored.api.request("PATCH", f"{SERVICES}/chat", same, PATCH)["spec"]["model"]["uri"] == "s3://models/llama-4"


@pytest.mark.parametrize("replicas", [{}, {"replicas": 3}], ids=["no number before", "a number before"])
def test_it_can_be_scaled(stored: Cluster, replicas: Json) -> None:
    stored.api.request("POST", SERVICES, service(**replicas))
    stored.kubectl("scale", "llmservice/chat", "--replicas=5")
    assert stored.api.get(f"{SERVICES}/chat")["spec"]["replicas"] == 5
    status = {"status": {"replicas": 2, "selector": "berth.dev/llm-service=chat"}}
    stored.api.request("PATCH", f"{SERVICES}/chat/status", status, PATCH)
    scale = stored.api.get(f"{SERVICES}/chat/scale")
    assert (scale["spec"]["replicas"], scale["status"]) == (
        5,
        {"replicas": 2, "selector": "berth.dev/llm-service=chat"},
    )


def test_what_load_scales_a_person_does_not(stored: Cluster) -> None:
    stored.api.request("POST", SERVICES, service(autoscaling=AUTO))
    said = refusal(stored, "PATCH", f"{SERVICES}/chat/scale", {"spec": {"replicas": 2}}, PATCH)
    assert "spec.replicas and spec.autoscaling contradict each other" in said


def test_the_example_is_applied_and_listed(stored: Cluster) -> None:
    assert len(SAMPLE.read_text().splitlines()) <= 12
    stored.kubectl("apply", "--server-side", "--validate=strict", "-f", str(SAMPLE))
    now = "2026-01-01T00:00:00Z"
    status = {
        "conditions": [{"type": "Ready", "status": "True", "reason": "Answering", "lastTransitionTime": now}],
        "readyReplicas": 2,
        "nodes": [{"name": "gpu-1"}, {"name": "gpu-2"}],
    }
    stored.api.request("PATCH", f"{SERVICES}/chat/status", {"status": status}, PATCH)
    head, row = stored.kubectl("get", "llmsvc").splitlines()
    assert head.split() == ["NAME", "MODEL", "READY", "REPLICAS", "DESIRED", "PRIORITY", "NODES", "REASON", "AGE"]
    assert row.split()[:4] == ["chat", "s3://models/mixtral-8x7b-instruct", "True", "2"]
    assert "interactive" in row
    assert "Answering" in row
    assert "gpu-1" in row


def test_every_example_of_the_page_is_taken(cluster: Cluster) -> None:
    examples = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.S | re.M)]
    assert len(examples) >= 10
    for example in examples:
        tried(cluster, example)


def test_of_two_conditions_of_one_type_the_server_takes_one(stored: Cluster) -> None:
    stored.api.request("POST", SERVICES, service())
    one = {"type": "Ready", "status": "True", "reason": "Answering", "lastTransitionTime": "2026-01-01T00:00:00Z"}
    said = refusal(stored, "PATCH", f"{SERVICES}/chat/status", {"status": {"conditions": [one, one]}}, PATCH)
    assert "Duplicate value" in said


def test_every_field_is_explained(cluster: Cluster) -> None:
    told = cluster.kubectl("explain", "llmservice.spec.requestPriority.max")
    assert "who asks for more gets this" in told
    of = next(of for of in DEFINITIONS if of.kind == "LLMService")
    crd = cluster.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{of.plural}.berth.dev")
    assert {c["type"]: c["status"] for c in crd["status"]["conditions"]}["Established"] == "True"
    assert crd["spec"]["scope"] == "Namespaced"
