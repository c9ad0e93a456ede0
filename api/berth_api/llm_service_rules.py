"""What an LLMService may not be, beyond what its schema says. Each rule's sentence says what to do instead.

The API server bounds what rules may cost by the lengths that the schema allows, so that every list and string that a rule walks
through has an end. A rule that compares fields of the spec stands at `spec`, so that `kubectl` names a path that a person finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from berth_api.rule import Rule

MAX_NAME = 40
"""Characters of a service's name. Its children's names add a suffix, and those of its pods the ReplicaSet's 17 within 63."""

_NAME = "self.metadata.name"
_DNS_LABEL = "'^[a-z]([-a-z0-9]*[a-z0-9])?$'"


def _served(self: str) -> str:
    return f"(has({self}.spec.model.name) ? {self}.spec.model.name : {self}.metadata.name)"


def _refused_in_pod(field: str, message: str) -> Rule:
    return Rule(f"!has(self.{field})", message)


def _unset_or_false(field: str, why: str) -> Rule:
    return Rule(f"!has(self.{field}) || !self.{field}", f"podTemplate: {field} is not for serving pods: {why}")


def _containers(own: str) -> tuple[Rule, ...]:
    return (
        Rule(
            f"self.name == '{own}' || has(self.image)",
            f"podTemplate: a container that is not {own} is added to the pod and needs an image; is its name misspelt?",
        ),
    )


OBJECT: Sequence[Rule] = (
    Rule(
        f"{_NAME}.size() <= {MAX_NAME} && {_NAME}.matches({_DNS_LABEL})",
        f"metadata.name becomes the name of a Service: at most {MAX_NAME} lower-case letters, digits and dashes, "
        "a letter first, no dash last",
    ),
    Rule(
        f"{_served('self')} == {_served('oldSelf')}",
        "spec.model.name cannot change: while replicas are replaced, half of the requests would be answered with 404; "
        "make another LLMService and move the clients over",
    ),
)

SPEC: Sequence[Rule] = (
    Rule(
        "!(has(self.replicas) && has(self.autoscaling))",
        "spec.replicas and spec.autoscaling contradict each other: give one of them; with neither there is 1 replica",
    ),
    Rule(
        "self.parallelism.tensor <= 1 || self.parallelism.tensor <= self.resources.gpus",
        "spec.parallelism.tensor is more than spec.resources.gpus: a layer cannot be shared by GPUs that the replica does not have",
    ),
    Rule(
        "self.engine.kind != 'berth' || (self.parallelism.tensor <= 1 && self.resources.gpus <= 1)",
        "the engine berth serves on one GPU: with more set spec.engine.kind to vllm or custom, or add replicas",
    ),
    Rule(
        "!has(self.resources.gpuModel) || self.resources.gpus > 0",
        "spec.resources.gpuModel is set and spec.resources.gpus is 0: leave the model out, or ask for GPUs",
    ),
)

MODEL: Sequence[Rule] = (
    Rule(
        "['s3://', 'hf://', 'pvc://', 'path://'].exists(scheme, self.uri.startsWith(scheme))",
        "spec.model.uri begins with s3://, hf://, pvc:// or path://",
    ),
    Rule(
        "!self.uri.matches('^(s3|pvc|path)://[^/]*@|^hf://[^/@]*:') && !self.uri.contains('?')",
        "spec.model.uri must not hold credentials or a signature: everybody who may read the service would read them; "
        "put them into a Secret and name it in spec.model.credentialsSecretRef",
    ),
    Rule(
        "!self.uri.matches('[[:space:][:cntrl:]]') && !self.uri.matches('(^|/)[.][.](/|$)')",
        "spec.model.uri must not hold blanks or .. as a folder",
    ),
    Rule(
        "!self.uri.startsWith('s3://') || self.uri.matches('^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/|$)')",
        "spec.model.uri: s3:// is followed by a bucket and a prefix, as in s3://models/llama-3-8b",
    ),
    Rule(
        "!self.uri.startsWith('hf://') || self.uri.matches('^hf://[A-Za-z0-9][A-Za-z0-9_.-]*"
        "(/[A-Za-z0-9][A-Za-z0-9_.-]*)?(@[A-Za-z0-9_./-]+)?$')",
        "spec.model.uri: hf:// is followed by a repository and perhaps a revision, as in hf://org/name@main",
    ),
    Rule(
        "!self.uri.startsWith('pvc://') || self.uri.matches('^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(/|$)')",
        "spec.model.uri: pvc:// is followed by the name of a PersistentVolumeClaim and a folder, as in pvc://models/llama-3-8b",
    ),
    Rule(
        "!self.uri.startsWith('path://') || self.uri.matches('^path://(/|[a-z0-9]).*')",
        "spec.model.uri: path:// is followed by a folder of the engine's image, as in path:///opt/model",
    ),
    Rule(
        "!has(self.digest) || self.digest.matches('^sha256:[0-9a-f]{64}$')",
        "spec.model.digest is sha256: and 64 lower-case hex digits, as `berth model push` and `berth model digest` print it",
    ),
    Rule(
        "!(has(self.cache.claimName) || has(self.cache.sizeLimit)) || self.uri.startsWith('s3://') || self.uri.startsWith('hf://')",
        "spec.model.cache is for s3:// and hf://: weights of pvc:// and path:// are served from where they are",
    ),
    Rule(
        "!(has(self.cache.claimName) && has(self.cache.sizeLimit))",
        "spec.model.cache.sizeLimit bounds the emptyDir of a pod; a claim has a size of its own: leave one of them out",
    ),
)

AUTOSCALING: Sequence[Rule] = (
    Rule("self.min <= self.max", "spec.autoscaling.min is above max"),
    Rule(
        "self.metric != 'KVCacheUse' || !has(self.target) || self.target <= 100",
        "spec.autoscaling.target is a percentage with metric KVCacheUse: at most 100",
    ),
)

REQUEST_PRIORITY: Sequence[Rule] = (
    Rule(
        "self.default <= self.max",
        "spec.requestPriority.default is above max: no request could have the priority that those without one get",
    ),
)

ENGINE: Sequence[Rule] = (
    Rule("self.kind != 'custom' || has(self.image)", "spec.engine.image is missing: kind custom has none of its own"),
    Rule(
        "self.kind == 'custom' || !(has(self.port) || has(self.readyPath) || has(self.drainPath) || has(self.metricsPath))",
        "spec.engine: port, readyPath, drainPath and metricsPath are for kind custom; those of berth and vllm are known",
    ),
    Rule(
        "self.kind != 'custom' || !(has(self.maxContextTokens) || has(self.maxBatch) || has(self.kvCacheShare))",
        "spec.engine: maxContextTokens, maxBatch and kvCacheShare are for berth and vllm; say the same to a custom engine in its args",
    ),
)

POD: Sequence[Rule] = (
    _unset_or_false("hostNetwork", "replicas of one node would fight over the port"),
    _unset_or_false("hostPID", "they need nothing of the node's processes"),
    _unset_or_false("hostIPC", "shared memory is there already, in /dev/shm"),
    _refused_in_pod("nodeName", "podTemplate: nodeName goes past the scheduler; use spec.placement"),
    _refused_in_pod("priorityClassName", "podTemplate: the pods' PriorityClass is spec.priority"),
    _refused_in_pod("schedulerName", "podTemplate: the pods' scheduler is spec.placement.schedulerName"),
    _refused_in_pod(
        "terminationGracePeriodSeconds", "podTemplate: how long a pod may take to leave is spec.drainSeconds"
    ),
)

ENGINE_CONTAINER: Sequence[Rule] = (
    *_containers("engine"),
    Rule(
        "self.name != 'engine' || !(has(self.image) || has(self.command) || has(self.args))",
        "podTemplate: image, command and args of the container engine are spec.engine.image, .command and .args",
    ),
    Rule(
        "self.name != 'engine' || !has(self.readinessProbe)",
        "podTemplate: the readiness probe of the container engine decides who gets requests, and stays Berth's; "
        "with spec.engine.kind custom set spec.engine.readyPath",
    ),
)

LLM_SERVICE_RULES: Mapping[str, Sequence[Rule]] = {
    "": OBJECT,
    "spec": SPEC,
    "spec.model": MODEL,
    "spec.autoscaling": AUTOSCALING,
    "spec.requestPriority": REQUEST_PRIORITY,
    "spec.engine": ENGINE,
    "spec.engine.env[]": (
        Rule(
            "has(self.value) != has(self.valueFrom)",
            "spec.engine.env: a variable has either value or valueFrom",
        ),
    ),
    "spec.podTemplate.metadata.labels": (
        Rule("!self.exists(key, key.startsWith('berth.dev/'))", "podTemplate: labels of berth.dev are Berth's own"),
    ),
    "spec.podTemplate.metadata.annotations": (
        Rule(
            "!('berth.dev/allocation-hint' in self || 'allocation-hint' in self || 'allocation_hint' in self)",
            "podTemplate: the hint is spec.placement.hint",
        ),
    ),
    "spec.podTemplate.spec": POD,
    "spec.podTemplate.spec.containers[]": ENGINE_CONTAINER,
    "spec.podTemplate.spec.initContainers[]": (
        *_containers("berth-fetch"),
        Rule(
            "self.name != 'berth-fetch' || !(has(self.command) || has(self.args))",
            "podTemplate: what the container berth-fetch fetches and verifies is said in spec.model",
        ),
    ),
}
