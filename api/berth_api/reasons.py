"""The one list of reason codes: every rejection, wait, warning and error that a person or a program sees has one.

A code is CamelCase, stable, and comes with a sentence that says what to do. Grouped by who says it.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Machine-readable reasons. The comment gives the meaning; messages are written where the facts are known."""

    # Why a pod is not placed: counted per node, as kube-scheduler counts them
    INSUFFICIENT_RESOURCE = "InsufficientResource"  # the node has too little of a resource left
    TOO_MANY_PODS = "TooManyPods"  # the node's pod count is reached
    UNSCHEDULABLE = "Unschedulable"  # the node is cordoned
    UNTOLERATED_TAINT = "UntoleratedTaint"
    NODE_SELECTOR_MISMATCH = "NodeSelectorMismatch"  # nodeSelector or required node affinity
    PORT_CONFLICT = "PortConflict"
    VOLUME_ZONE_CONFLICT = "VolumeZoneConflict"  # a bound volume lives elsewhere
    ANTI_AFFINITY = "AntiAffinity"
    AFFINITY_UNSATISFIED = "AffinityUnsatisfied"
    TOPOLOGY_SPREAD = "TopologySpread"
    NODE_NOT_READY = "NodeNotReady"
    NODE_OVERLOADED = "NodeOverloaded"

    # What the proof says about a waiting pod
    FITS_NOW = "FitsNow"  # a node has room as things stand
    FITS_AFTER_MOVES = "FitsAfterMoves"
    NO_PLACEMENT_EXISTS = "NoPlacementExists"  # not even if everything movable moved
    NOT_PROVEN = "NotProven"  # neither a placement nor a proof within the time
    HIGHER_PRIORITY_FIRST = "HigherPriorityFirst"  # a placement exists, but it costs a pod of higher or equal priority
    GANG_INCOMPLETE = "GangIncomplete"
    GATED = "Gated"
    NOMINATED = "Nominated"  # kube-scheduler has preempted for it and waits until the victims are gone
    OTHER_SCHEDULER = "OtherScheduler"
    UNKNOWN_FEATURE = "UnknownFeature"  # the pod asks for something Berth does not model

    # What the extender says of nodes that it leaves out
    KEPT_FOR_PLAN = "KeptForPlan"  # what is free there is kept for pods on their way
    WAITING_FOR_GANG = "WaitingForGang"  # too few of the pod's gang have room yet
    HINT_ENFORCED = "HintEnforced"  # a strong wish of the pod's hint rules the node out, and the policy enforces it

    # Why a pod must not move
    NO_CONTROLLER = "NoController"
    DAEMON_SET = "DaemonSet"
    MIRROR_POD = "MirrorPod"
    JOB_WITHOUT_POLICY = "JobWithoutPolicy"
    DO_NOT_MOVE = "DoNotMove"
    RESOURCE_CLAIMS = "ResourceClaims"
    TERMINATING = "Terminating"
    LOCAL_STORAGE = "LocalStorage"
    MANY_BUDGETS = "ManyBudgets"  # the Eviction API refuses a pod that two disruption budgets select

    # Why the planning loop leaves a pod where it is, or does not plan for it now
    OUT_OF_SCOPE = "OutOfScope"  # no policy, or another one, covers it or its node
    RESTING = "Resting"  # it was moved a short while ago
    MOVE_BUDGET_SPENT = "MoveBudgetSpent"  # the policy's limit on moves is reached for now
    QUIET_HOURS = "QuietHours"
    NOTHING_BETTER = "NothingBetter"  # event: with proof or bound, the present placement is the best
    NEEDS_CAPACITY = "NeedsCapacity"  # event: how many nodes of which shape would help
    HINT_IGNORED = "HintIgnored"  # event: the pod carries our annotations and uses another scheduler

    # What the owner of a pod with an allocation hint is told: events
    HINT_UNDERSTOOD = "HintUnderstood"
    HINT_PARTLY_UNDERSTOOD = "HintPartlyUnderstood"  # words, names or wishes of it that do not count
    HINT_CONFLICT = "HintConflict"  # two of its wishes contradict each other; one counts
    HINT_UNSATISFIABLE = "HintUnsatisfiable"  # no node can satisfy a wish of it

    # Bad input
    NOT_JSON = "NotJSON"
    WRONG_KIND = "WrongKind"
    BAD_FIELD = "BadField"
    DUPLICATE_NAME = "DuplicateName"
    UNKNOWN_NODE = "UnknownNode"
    UNKNOWN_POD = "UnknownPod"
    TOO_LARGE = "TooLarge"
    UNREADABLE = "Unreadable"
    EMPTY_CLUSTER = "EmptyCluster"
    KUBECTL_FAILED = "KubectlFailed"

    # What a command that acts on a cluster says
    NOT_INSTALLED = "NotInstalled"  # the cluster has no PackingPlan
    UNKNOWN_PLAN = "UnknownPlan"
    UNKNOWN_POLICY = "UnknownPolicy"
    UNKNOWN_WORKLOAD = "UnknownWorkload"
    PLAN_FINISHED = "PlanFinished"
    PLAN_CANCELLED = "PlanCancelled"
    DRY_RUN = "DryRun"  # the plan's policy carries nothing out
    NO_LEADER = "NoLeader"  # nobody takes the plan up
    NO_SCHEDULER = "NoScheduler"  # no scheduler `berth` is alive: pods that use it would stay Pending
    KINDS_NOT_SERVED = "KindsNotServed"  # the API server does not serve one of our kinds
    DEPLOYMENT_UNAVAILABLE = "DeploymentUnavailable"  # too few pods of it are ready
    POD_NOT_READY = "PodNotReady"  # a pod of ours, asked by HTTP, is not ready or does not answer
    NO_WORD_YET = "NoWordYet"  # the planning loop has not looked at the pod

    # What the chart's admission policies refuse, in the API server's answer
    PINNING_REFUSED = "PinningRefused"  # the namespace may not keep pods from being moved, or make moves dear
    ANNOTATION_REFUSED = "AnnotationRefused"  # an annotation that the operator alone writes
    PATCH_REFUSED = "PatchRefused"  # the operator wrote more than annotations
    APPROVAL_REFUSED = "ApprovalRefused"  # approving a plan needs a verb of its own

    # Why an HTTP request is refused
    MALFORMED_REQUEST = "MalformedRequest"  # the body is not what this path takes
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    UNSUPPORTED_MEDIA_TYPE = "UnsupportedMediaType"
    NO_SUCH_PATH = "NoSuchPath"
    BODY_TIMEOUT = "BodyTimeout"  # the body did not come in time

    # What fetching a model's weights says, in the last word of `berth-fetch` and of `berth model`
    FETCHED = "Fetched"  # every byte is verified and in place
    DIGEST_MISMATCH = "DigestMismatch"  # the manifest is another one than the digest names
    FILE_CORRUPT = "FileCorrupt"  # a file's bytes, fetched twice, are not what the manifest says
    SOURCE_CHANGED = "SourceChanged"  # the source was written to while it was being fetched
    SOURCE_UNREACHABLE = "SourceUnreachable"  # no answer, or only errors, for as long as we try
    SOURCE_UNSUPPORTED = "SourceUnsupported"  # the URI is of no kind that we fetch from
    CREDENTIALS_REFUSED = "CredentialsRefused"  # none were found, or the source refuses them
    MODEL_NOT_FOUND = "ModelNotFound"  # no such bucket, repository, folder or file
    MANIFEST_MISSING = "ManifestMissing"  # the files have no berth-model.json beside them
    MANIFEST_INVALID = "ManifestInvalid"
    DISK_FULL = "DiskFull"  # the disk or the cache's limit, after all that may be evicted is gone
    CACHE_UNUSABLE = "CacheUnusable"  # the cache folder cannot be written

    # What an LLMService says when all is well, or under way
    ANSWERING = "Answering"  # as many replicas as asked for, of this generation, answer and get traffic
    FETCHING = "Fetching"  # weights are on their way to a node
    LOADING = "Loading"  # the engine reads the weights
    NOT_ANSWERING = "NotAnswering"  # a replica was ready and does not answer its probe any more
    NOT_VERIFIED = "NotVerified"  # weights on a claim, without a digest that they are held against
    NOT_ROUTED = "NotRouted"  # a replica is ready and not yet among the endpoints
    ROLLING_OUT = "RollingOut"  # replicas are being replaced or added
    MOVING = "Moving"  # a plan moves a replica; its replacement loads first
    DONE = "Done"
    PLACED = "Placed"  # every replica has a node
    VERIFIED = "Verified"  # the weights are those of the digest
    IN_IMAGE = "InImage"  # the weights are in the engine's image: nothing to fetch
    DRAINING = "Draining"  # replicas finish what they have begun
    SCALED_TO_ZERO = "ScaledToZero"  # nobody asks; the gateway wakes it
    SUSPENDED = "Suspended"  # spec.suspend
    NOT_ASKED_YET = "NotAskedYet"  # the scheduler has not looked at the pod
    NO_HINT = "NoHint"
    NOT_CONFIGURED = "NotConfigured"  # spec.autoscaling is not set
    SCALING_BY_LOAD = "ScalingByLoad"
    AUTOSCALER_MISSING = "AutoscalerMissing"  # the cluster has nothing that scales on the metric
    AUTOSCALER_PENDING = "AutoscalerPending"  # nobody has looked at the autoscaler yet
    AUTOSCALER_FAILING = "AutoscalerFailing"  # it cannot change the number of replicas
    METRIC_UNAVAILABLE = "MetricUnavailable"  # the autoscaler does not get the metric
    METRIC_NEEDS_PROMETHEUS = "MetricNeedsPrometheus"  # a quantile, and there are only gauges of pods
    NOTHING_TO_SCALE = "NothingToScale"  # min and max leave no choice

    # What an LLMService says of its InferencePool
    POOL_ACCEPTED = "PoolAccepted"
    POOL_PENDING = "PoolPending"  # no gateway has taken it up
    POOL_REFUSED = "PoolRefused"  # a gateway does not take it, or does not find the endpoint picker
    INFERENCE_POOL_MISSING = "InferencePoolMissing"  # the cluster does not have the kind

    # What keeps an LLMService from answering: in the pods
    IMAGE_PULL_FAILED = "ImagePullFailed"
    CONTAINER_NOT_CREATED = "ContainerNotCreated"  # a Secret, ConfigMap or command that is not there
    CRASH_LOOPING = "CrashLooping"  # the engine ends again and again, and left no better word
    OUT_OF_MEMORY = "OutOfMemory"  # more than the limit of the host's memory
    GPU_OUT_OF_MEMORY = "GPUOutOfMemory"  # weights and cache do not fit the GPU
    GPU_DRIVER_MISSING = "GPUDriverMissing"  # the node has GPUs and no driver that the engine can use
    DEVICE_UNAVAILABLE = (
        "DeviceUnavailable"  # no such GPU in the pod; the engine does not fall back to the CPU in silence
    )
    MODEL_INCOMPLETE = "ModelIncomplete"  # files of the model are missing in the folder
    UNSUPPORTED_MODEL = "UnsupportedModel"  # the engine cannot serve this kind of model
    ENGINE_FAILED = "EngineFailed"  # the engine stopped on an error of its own
    POD_FAILED = "PodFailed"
    EVICTED = "Evicted"  # the kubelet needed the room
    NODE_LOST = "NodeLost"  # the node stopped answering

    # What keeps an LLMService from answering: in the cluster
    QUOTA_EXCEEDED = "QuotaExceeded"  # a ResourceQuota of the namespace
    ADMISSION_REFUSED = "AdmissionRefused"  # a policy of the cluster refuses what the service needs
    NAME_TAKEN = "NameTaken"  # an object of the service's name belongs to somebody else
    CHILD_CONTENDED = "ChildContended"  # somebody else keeps changing what the operator applies
    NAMESPACE_GOES = "NamespaceGoes"  # the namespace is gone, or about to be
    API_ERROR = "APIError"  # the API server refused for another reason
    PAUSED = "Paused"  # somebody has paused the Deployment of a service
    STALLED = "Stalled"  # a rollout cannot go on until a failure is repaired

    # The dashboard's API
    UNAUTHENTICATED = "Unauthenticated"  # no token, or one that the API server does not know
    FORBIDDEN = "Forbidden"  # the caller's own rights in the cluster do not reach so far
    REVIEWS_FORBIDDEN = "ReviewsForbidden"  # the operator may not ask who its callers are
    NO_KEY = "NoKey"  # standing alone: without the word of the address that was printed
    WRONG_HOST = "WrongHost"  # asked by another name than loopback's
    WRONG_ORIGIN = "WrongOrigin"  # another site asked for it
    NOT_FOUND = "NotFound"  # there is none, or it may not be seen
    BUSY = "Busy"  # too many questions at once
    BAD_CHANGE = "BadChange"  # a what-if that this cluster has no answer to
    NOT_LIVE = "NotLive"  # a dump or the demo: there is nothing to act on
    NOT_SYNCED = "NotSynced"  # the cluster is still being listed
    API_SERVER_AWAY = "ApiServerAway"  # it has said nothing for long: the picture is old
    NO_WAY_BACK = "NoWayBack"  # a plan that cannot be reversed any more
    HISTORY_FAILS = "HistoryFails"  # what is seen cannot be written down
