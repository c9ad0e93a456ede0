"""charts/berth as Helm renders it: roles as the page has them, configuration as the code builds it, hardened pods, strict values."""

from __future__ import annotations

import copy
import itertools
import re
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import lint
from helm_python.errors import HelmError

from berth_api.annotations import SERVICE_LABEL
from berth_extender.kube_scheduler import configuration
from charts import render as charts

Json = dict[str, Any]

PAGE = charts.ROOT / "docs" / "rbac.md"
MINORS = [f"1.{minor}" for minor in range(30, 38)]
MOST_BYTES = 200 * 1024
MONITORING = "monitoring.coreos.com/v1"
MUTATING = (
    "admissionregistration.k8s.io/v1beta1/MutatingAdmissionPolicy",
    "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy",
)
MUTATE = ("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding")
GATEWAY: Json = {"gateway": {"enabled": True, "namespace": "chat"}}
EVERYTHING: Json = {
    **GATEWAY,
    "samplePriorityClasses": {"enabled": True},
    "scheduler": {"metrics": {"enabled": True}, "tolerations": [{"operator": "Exists"}], "nodeSelector": {"a": "b"}},
    "operator": {
        "prometheusUrl": "http://prometheus:9090",
        "images": {"engine": "e:1", "vllm": "v:1", "fetch": "f:1"},
        "hintModel": {"backend": "bedrock", "model": "m", "region": "eu-west-1"},
    },
    "image": {"digest": "sha256:" + "ab" * 32},
    "imagePullSecrets": [{"name": "registry"}],
    "networkPolicies": {"metricsFrom": [{"namespaceSelector": {}}]},
    "monitoring": {
        "labels": {"release": "prometheus"},
        "dashboards": {"enabled": True, "annotations": {"folder": "b"}},
    },
    "admission": {"pods": {"enabled": True}, "operator": {"enabled": True}, "approval": {"enabled": True}},
}
LEAST: Json = {
    "crds": {"enabled": False},
    "networkPolicies": {"enabled": False},
    "priorityClass": {"create": False, "name": ""},
    "monitoring": {"podMonitors": {"enabled": False}, "prometheusRule": {"enabled": False}},
}
MATRIX: dict[str, Json] = {"defaults": {}, "gateway": GATEWAY, "everything": EVERYTHING, "least": LEAST}


def rendered(values: Json | None = None, **how: Any) -> list[Json]:
    return charts.objects(charts.render(values, **how))


def named(made: list[Json], kind: str, name: str) -> Json:
    (found,) = [body for body in made if body["kind"] == kind and body["metadata"]["name"] == name]
    return found


def of_kind(made: list[Json], *kinds: str) -> list[Json]:
    return [body for body in made if body["kind"] in kinds]


def page_roles() -> list[Json]:
    blocks = [block.split("```", 1)[0] for block in PAGE.read_text().split("```yaml\n")[1:]]
    return [role for block in blocks for role in yaml.safe_load_all(block) if isinstance(role, dict)]


def containers(made: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Pod and container of each Deployment."""
    for body in of_kind(made, "Deployment"):
        pod = body["spec"]["template"]["spec"]
        for container in pod.get("initContainers", []) + pod["containers"]:
            yield pod, container


# --- what Helm and Kubernetes say


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX)
def test_helm_lint_has_nothing_to_say(values: Json) -> None:
    report = lint(charts.CHART, values, strict=True, namespace=charts.NAMESPACE, kube_version="v1.37.2")
    assert report["errors"] == []
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@pytest.mark.parametrize("minor", MINORS)
def test_kubernetes_own_schemas_accept_every_object(minor: str) -> None:
    """The defaults are held against them as install files."""
    opt_in = {"admission": {**EVERYTHING["admission"], "optIn": {"enabled": minor >= "1.34"}}}
    for body in rendered(EVERYTHING | opt_in, kube_version=f"v{minor}.1", apis=[MUTATING[minor >= "1.36"]]):
        if body["kind"] != "CustomResourceDefinition":  # the API server checks those, in e2e
            kubernetes_validate.validate(body, minor, strict=True)


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX)
def test_no_object_comes_twice_and_ours_bear_their_labels(values: Json) -> None:
    made = rendered(values, apis=[MONITORING])
    keys = [(b["apiVersion"], b["kind"], b["metadata"].get("namespace"), b["metadata"]["name"]) for b in made]
    assert len(keys) == len(set(keys))
    for body in made:
        if body["kind"] != "CustomResourceDefinition":
            assert body["metadata"]["labels"]["app.kubernetes.io/name"] == "berth"
    assert {body["apiVersion"] for body in made}.isdisjoint({"berth.dev/v1alpha1"})  # no objects of our own kinds


# --- kinds


def test_definitions_are_those_of_the_code_and_stay() -> None:
    made = of_kind(rendered(), "CustomResourceDefinition")
    for body in made:
        assert body["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    source = [yaml.safe_load(path.read_text()) for path in sorted((charts.ROOT / "manifests" / "crds").glob("*.yaml"))]
    assert made == source, "run: make manifests"
    assert all(path.stat().st_size < MOST_BYTES for path in charts.CRDS.glob("*.yaml"))
    assert of_kind(rendered({"crds": {"enabled": False}}), "CustomResourceDefinition") == []


# --- rights


def test_roles_are_exactly_those_of_the_page() -> None:
    here = [*rendered(GATEWAY)]
    made = {(body["kind"], body["metadata"]["name"]): body for body in of_kind(here, "Role", "ClusterRole")}
    page = {(role["kind"], role["metadata"]["name"]): role for role in page_roles()}
    assert made.keys() == page.keys()
    for key, role in page.items():
        assert made[key]["rules"] == role["rules"], key
        assert made[key]["metadata"].get("namespace") == role["metadata"].get("namespace")


def test_rights_to_write_for_services_can_be_bound_by_namespace() -> None:
    def role(made: list[Json], name: str) -> set[tuple[str, str, str]]:
        rules = named(made, "ClusterRole", name)["rules"]
        return {
            (g, r, v) for rule in rules for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]
        }

    plain, narrow = rendered(), rendered({"operator": {"serviceNamespaces": ["a", "b"]}})
    everywhere, listed = role(narrow, "berth-operator"), role(narrow, "berth-operator-services")
    assert everywhere | listed == role(plain, "berth-operator")
    assert everywhere & listed == set()
    assert {verb for _, _, verb in listed} == {"get", "create", "patch", "delete", "update"}
    assert ("apps", "deployments", "create") in listed
    assert {
        ("", "pods", "patch"),
        ("", "pods/eviction", "create"),
        ("berth.dev", "llmservices/status", "patch"),
    } <= everywhere
    bound = [b for b in of_kind(narrow, "RoleBinding") if b["roleRef"]["name"] == "berth-operator-services"]
    assert [b["metadata"]["namespace"] for b in bound] == ["a", "b"]
    assert all(b["subjects"][0]["name"] == "berth-operator" for b in bound)
    assert "berth-operator-services" not in str(plain)


def test_asking_a_language_model_adds_the_page_s_further_rules_and_flags() -> None:
    model = {
        "backend": "openai",
        "model": "m",
        "baseUrl": "https://models/v1",
        "apiKeySecret": {"name": "s", "key": "k"},
    }
    open_to = [{"ports": [{"port": 8000}]}]
    made = rendered({"operator": {"hintModel": model}, "networkPolicies": {"operatorEgress": open_to}})
    further = [block.split("```", 1)[0] for block in PAGE.read_text().split("```yaml\n")[1:]][-1]
    plain = named(of_kind(rendered(), "Role"), "Role", "berth-operator")["rules"]
    assert named(made, "Role", "berth-operator")["rules"] == plain + yaml.safe_load(further)
    pod = named(made, "Deployment", "berth-operator")["spec"]["template"]["spec"]
    flags = {flag for flag in pod["containers"][0]["args"] if flag.startswith("--hint")}
    assert flags == {
        "--hint-backend=openai",
        "--hint-model=m",
        "--hint-base-url=https://models/v1",
        "--hint-api-key-file=/var/run/berth/hint-model/key",
        "--hint-daily-calls=500",
        "--hint-daily-tokens=1000000",
        "--hint-timeout=20",
    }
    (secret,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secret == {"secretName": "s", "items": [{"key": "k", "path": "key"}]}
    (mount,) = [mount for mount in pod["containers"][0]["volumeMounts"] if mount.get("readOnly")]
    assert mount["mountPath"] == "/var/run/berth/hint-model"
    assert named(made, "NetworkPolicy", "berth-operator")["spec"]["egress"][2:] == open_to
    assert "--hint" not in str(rendered())


def test_the_dashboard_adds_the_page_s_further_rules_a_flag_and_a_service() -> None:
    made = rendered({"operator": {"ui": {"enabled": True}}})
    blocks = [block.split("```", 1)[0] for block in PAGE.read_text().split("```yaml\n")[1:]]
    (further,) = [block for block in blocks if "tokenreviews" in block]
    plain = named(of_kind(rendered(), "ClusterRole"), "ClusterRole", "berth-operator")["rules"]
    rules = named(made, "ClusterRole", "berth-operator")["rules"]
    assert [rule for rule in rules if rule not in plain] == yaml.safe_load(further)
    assert [rule for rule in rules if rule in plain] == plain
    pod = named(made, "Deployment", "berth-operator")["spec"]["template"]["spec"]
    assert "--ui" in pod["containers"][0]["args"]
    service = named(made, "Service", "berth-ui")["spec"]
    labels = named(made, "Deployment", "berth-operator")["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert [port["targetPort"] for port in service["ports"]] == [pod["containers"][0]["ports"][0]["name"]]
    assert not {"--ui", "tokenreviews", "berth-ui"} & set(str(rendered()).replace("'", " ").replace('"', " ").split())


def test_each_account_has_its_roles_and_no_others() -> None:
    made = rendered({**GATEWAY, "scheduler": {"metrics": {"enabled": True}}})
    bound: dict[str, set[tuple[str, str, str | None]]] = {}
    for body in of_kind(made, "RoleBinding", "ClusterRoleBinding"):
        (subject,) = body["subjects"]
        role = (body["roleRef"]["kind"], body["roleRef"]["name"], body["metadata"].get("namespace"))
        bound.setdefault(f"{subject['namespace']}/{subject['name']}", set()).add(role)
    # a pod is one account: the scheduler's has what the extender beside it needs, too
    assert bound == {
        "berth-system/berth-scheduler": {
            ("ClusterRole", "berth-extender", None),
            ("Role", "berth-extender", "berth-system"),
            ("Role", "berth-scheduler", "berth-system"),
            ("ClusterRole", "system:kube-scheduler", None),
            ("ClusterRole", "system:volume-scheduler", None),
            ("Role", "extension-apiserver-authentication-reader", "kube-system"),
            ("ClusterRole", "system:auth-delegator", None),
        },
        "berth-system/berth-operator": {
            ("ClusterRole", "berth-operator", None),
            ("Role", "berth-operator", "berth-system"),
        },
        "chat/berth-gateway": {("Role", "berth-gateway", "chat")},
    }
    accounts = {f"{b['metadata']['namespace']}/{b['metadata']['name']}" for b in of_kind(made, "ServiceAccount")}
    assert accounts == bound.keys()
    plain = rendered()
    assert not [b for b in of_kind(plain, "ClusterRoleBinding") if b["roleRef"]["name"] == "system:auth-delegator"]


# --- the scheduler


def test_the_scheduler_is_configured_as_the_code_says() -> None:
    for namespace in ("berth-system", "elsewhere"):
        text = named(rendered(namespace=namespace), "ConfigMap", "berth-scheduler")["data"]["scheduler.yaml"]
        expected = configuration(extender_url="http://127.0.0.1:9555", lease_namespace=namespace)
        assert yaml.safe_load(text) == expected


def scheduler_image(version: str = "", cluster: str = "v1.37.2") -> str:
    made = rendered({"scheduler": {"version": version}}, kube_version=cluster)
    pod = named(made, "Deployment", "berth-scheduler")["spec"]["template"]["spec"]
    return str(pod["containers"][0]["image"])


@pytest.mark.parametrize(
    ("cluster", "tag"),
    [
        ("v1.37.2", "v1.37.2"),
        ("v1.33.5-gke.1080000", "v1.33.5"),
        ("v1.32.9-eks-113cf36", "v1.32.9"),
        ("v1.31.4+k3s1", "v1.31.4"),
        ("v1.34.1+rke2r1", "v1.34.1"),
        ("v1.30.0", "v1.30.0"),
    ],
)
def test_kube_scheduler_follows_the_cluster(cluster: str, tag: str) -> None:
    assert scheduler_image(cluster=cluster) == f"registry.k8s.io/kube-scheduler:{tag}"


@pytest.mark.parametrize("version", ["1.36.9", "v1.36.9", "1.35.0"])
def test_another_version_within_the_skew_is_taken(version: str) -> None:
    assert scheduler_image(version, "v1.36.3-gke.1") == f"registry.k8s.io/kube-scheduler:v{version.removeprefix('v')}"


@pytest.mark.parametrize(("version", "word"), [("1.37.0", "is newer than"), ("1.34.9", "more than one minor older")])
def test_a_larger_skew_is_refused_in_words(version: str, word: str) -> None:
    with pytest.raises(HelmError, match=word) as told:
        scheduler_image(version, "v1.36.3")
    assert "Leave scheduler.version empty" in str(told.value)


def test_pods_are_replaced_when_the_configuration_changes() -> None:
    def checksum(namespace: str) -> str:
        template = named(rendered(namespace=namespace), "Deployment", "berth-scheduler")["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/configuration"])

    assert checksum("a") == checksum("a") != checksum("b")


def test_the_extender_answers_on_loopback_alone() -> None:
    pod = named(rendered(), "Deployment", "berth-scheduler")["spec"]["template"]["spec"]
    extender = pod["containers"][1]
    assert {"--host=127.0.0.1", "--port=9555", "--metrics-host=0.0.0.0", "--metrics-port=9556"} <= set(extender["args"])
    assert [port["containerPort"] for port in extender["ports"]] == [9556]


# --- admission


def test_policies_come_only_when_asked_for_and_each_is_bound() -> None:
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy")
    assert of_kind(rendered(apis=MUTATING), *kinds) == []
    made = rendered(EVERYTHING)
    policies = {body["metadata"]["name"] for body in of_kind(made, "ValidatingAdmissionPolicy")}
    bindings = of_kind(made, "ValidatingAdmissionPolicyBinding")
    assert policies == {"berth-pods", "berth-operator-patches", "berth-approval"}
    assert {body["spec"]["policyName"] for body in bindings} == policies
    assert all(body["spec"]["validationActions"] == ["Deny"] for body in bindings)


@pytest.mark.parametrize(("served", "version"), [(MUTATING, "v1"), (MUTATING[:1], "v1beta1")])
def test_the_opt_in_uses_the_api_that_is_served(served: list[str], version: str) -> None:
    made = of_kind(rendered({"admission": {"optIn": {"enabled": True}}}, kube_version="v1.35.0", apis=served), *MUTATE)
    assert [body["apiVersion"] for body in made] == [f"admissionregistration.k8s.io/{version}"] * 2


def test_the_opt_in_is_refused_in_words_where_its_api_is_not_served() -> None:
    with pytest.raises(HelmError, match=r"needs MutatingAdmissionPolicy: Kubernetes 1\.36 serves it"):
        rendered({"admission": {"optIn": {"enabled": True}}}, kube_version="v1.33.0")


# --- pods


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX)
def test_every_container_is_hardened(values: Json) -> None:
    seen = 0
    for pod, container in containers(rendered(values)):
        seen += 1
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert {"livenessProbe", "readinessProbe", "startupProbe"} <= container.keys()
        ports = {port["name"] for port in container["ports"]}
        assert {container[probe]["httpGet"]["port"] for probe in ("livenessProbe", "readinessProbe")} <= ports
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        given = {env["name"]: env.get("value") for env in container.get("env", [])}
        assert "HOME" not in given or given["HOME"] in mounts  # what the processes write to is mounted
        assert "NUMBA_CACHE_DIR" not in given  # or the image's own kernels are not found
    assert seen == 3 + ("gateway" in values)


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX)
def test_budgets_spread_and_policies_select_the_pods(values: Json) -> None:
    made = rendered(values)
    for deployment in of_kind(made, "Deployment"):
        template, name = deployment["spec"]["template"], deployment["metadata"]["name"]
        labels = template["metadata"]["labels"].items()
        assert deployment["spec"]["replicas"] == 2
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
        budget = named(made, "PodDisruptionBudget", name)
        assert budget["metadata"]["namespace"] == deployment["metadata"]["namespace"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels
        # kube-scheduler scores no node that lacks the label of any of them: with zones here, nothing is spread where there are none
        (spread,) = template["spec"]["topologySpreadConstraints"]
        assert spread["topologyKey"] == "kubernetes.io/hostname"
        assert spread["labelSelector"]["matchLabels"].items() <= labels
        apart = template["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        assert apart[0]["podAffinityTerm"]["labelSelector"]["matchLabels"].items() <= labels
        others = [o["spec"]["template"]["metadata"]["labels"].items() for o in of_kind(made, "Deployment")]
        assert sum(budget["spec"]["selector"]["matchLabels"].items() <= other for other in others) == 1


def test_traffic_is_denied_but_for_exact_ports() -> None:
    made = rendered(GATEWAY)
    deny = named(made, "NetworkPolicy", "berth-default-deny")
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert deny["metadata"]["namespace"] == "berth-system"
    for deployment in of_kind(made, "Deployment"):
        policy = named(made, "NetworkPolicy", deployment["metadata"]["name"])
        assert policy["metadata"]["namespace"] == deployment["metadata"]["namespace"]
        assert policy["spec"]["podSelector"] == deployment["spec"]["selector"]
        opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        pod = deployment["spec"]["template"]["spec"]
        assert opened == {port["containerPort"] for container in pod["containers"] for port in container["ports"]}
        names, api_server, *engines = policy["spec"]["egress"]
        assert [port["port"] for rule in (names, api_server) for port in rule["ports"]] == [53, 53, 443, 6443]
        to_models = {"matchExpressions": [{"key": SERVICE_LABEL, "operator": "Exists"}]}
        asks_models = deployment["metadata"]["name"] == "berth-gateway"
        assert engines == ([{"to": [{"podSelector": to_models}]}] if asks_models else [])


def test_priority_classes_stay_below_the_system_critical_ones() -> None:
    made = of_kind(rendered(EVERYTHING), "PriorityClass")
    assert {body["metadata"]["name"] for body in made} == {
        *("berth-system", "llm-interactive", "llm-standard", "llm-batch"),
    }
    assert all(0 < body["value"] <= 1_000_000_000 for body in made)
    assert not any(body.get("globalDefault") for body in made)


def test_monitors_come_where_the_cluster_knows_them() -> None:
    kinds = ("PodMonitor", "PrometheusRule")
    assert of_kind(rendered(GATEWAY), *kinds) == []
    made = rendered(EVERYTHING, apis=[MONITORING])
    assert len(of_kind(made, *kinds)) == 4
    for monitor in of_kind(made, "PodMonitor"):
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        deployment = named(made, "Deployment", monitor["metadata"]["name"])
        assert monitor["spec"]["selector"] == deployment["spec"]["selector"]
        ports = {p["name"] for c in deployment["spec"]["template"]["spec"]["containers"] for p in c["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= ports
    assert of_kind(rendered(LEAST, apis=[MONITORING]), *kinds) == []


# --- values


def test_every_value_is_in_the_schema_and_documented() -> None:
    text = (charts.CHART / "values.yaml").read_text()
    values = yaml.safe_load(text)
    with charts.Chart.load(charts.CHART) as chart:
        schema = chart.schema
    assert schema is not None

    def leaves(given: Json, known: Json) -> Iterator[str]:
        for key, value in given.items():
            assert key in known["properties"], key
            of = known["properties"][key]
            if (
                isinstance(value, dict)
                and value
                and "properties" in of
                and key not in ("resources", "images", "apiKeySecret")
            ):
                assert of["additionalProperties"] is False
                yield from leaves(value, of)
            else:
                yield key
        assert known["properties"].keys() - {"global"} <= given.keys()

    for key in leaves(values, schema):
        assert re.search(rf"# -- [^\n]*\n(?: *#[^\n]*\n)* *{key}:", text), key


def test_the_page_of_values_is_up_to_date_and_has_each_of_them() -> None:
    told = charts.VALUES_PAGE.read_text()
    assert told == charts.page(charts.CHART / "values.yaml"), "run: make manifests"
    values = yaml.safe_load((charts.CHART / "values.yaml").read_text())
    paths = set(re.findall(r"^\| `([\w.]+)` \|", told, re.MULTILINE))

    def leaves(given: Json, above: str = "") -> Iterator[str]:
        for key, value in given.items():
            path = f"{above}{key}"
            if path not in paths and isinstance(value, dict) and value:
                yield from leaves(value, f"{path}.")
            else:
                yield path

    assert set(leaves(values)) == paths
    assert "| `networkPolicies.apiServerPorts` | `[443, 6443]` | Ports of the API server" in told


@pytest.mark.parametrize(
    "values",
    [
        {"unknown": 1},
        {"operator": {"replica": 3}},
        {"operator": {"replicas": "two"}},
        {"operator": {"logLevel": "loud"}},
        {"scheduler": {"version": "latest"}},
        {"image": {"digest": "sha256:12"}},
        {"image": {"pullPolicy": "Sometimes"}},
        {"priorityClass": {"value": 2_000_000_000}},
        {"networkPolicies": {"apiServerPorts": []}},
        {"networkPolicies": {"apiServerPorts": [70_000]}},
        {"gateway": {"enabled": True, "namespace": "Not A Name"}},
        {"gateway": {"service": {"type": "Magic"}}},
        {"extender": {"resources": {"limits": {"gpus": 1}}}},
    ],
    ids=str,
)
def test_wrong_values_are_refused(values: Json) -> None:
    with pytest.raises(HelmError):
        charts.render(values)


def test_a_gateway_without_a_namespace_is_refused_in_words() -> None:
    with pytest.raises(HelmError, match=r"gateway\.enabled needs gateway\.namespace"):
        charts.render({"gateway": {"enabled": True}})


FLAGS = ({"enabled": True}, {"enabled": False})


@pytest.mark.slow  # test_any_values.py is quicker; this one leaves no combination out
@pytest.mark.parametrize("gateway", [False, True])
def test_all_switches_go_together(gateway: bool) -> None:
    base = copy.deepcopy(GATEWAY) if gateway else {}
    for crds, network, samples, metrics in itertools.product(FLAGS, repeat=4):
        values = {**base, "crds": crds, "networkPolicies": network, "samplePriorityClasses": samples}
        made = rendered({**values, "scheduler": {"metrics": metrics}}, apis=[MONITORING])
        kinds = {body["kind"] for body in made}
        assert ("CustomResourceDefinition" in kinds) == crds["enabled"]
        assert ("NetworkPolicy" in kinds) == network["enabled"]
        assert ("Service" in kinds) == gateway


def test_the_notes_tell_the_next_command() -> None:
    (notes,) = [text for name, text in charts.render(GATEWAY).items() if name.endswith(charts.NOTES)]
    assert "kubectl -n berth-system rollout status" in notes
    assert "kube-scheduler v1.37.2" in notes
    assert "http://berth-gateway.chat.svc:80/v1" in notes


# --- what is made from the chart


@pytest.mark.parametrize("name", charts.INSTALLS)
def test_install_files_are_the_rendered_chart(name: str) -> None:
    version = charts.INSTALLS[name]
    text = (charts.ROOT / "manifests" / name).read_text()
    assert text == charts.install_file(version), "run: make manifests"
    namespace, *rest = yaml.load_all(text, Loader=charts.LOADER)
    assert namespace["metadata"]["name"] == charts.NAMESPACE

    def key(body: Json) -> tuple[str, str]:
        return body["kind"], body["metadata"]["name"]

    assert sorted(rest, key=key) == sorted(rendered(kube_version=version), key=key)
    for body in rest:
        if body["kind"] != "CustomResourceDefinition":
            kubernetes_validate.validate(body, ".".join(version[1:].split(".")[:2]), strict=True)


def test_there_is_an_install_file_for_each_minor_and_no_other() -> None:
    files = {path.name for path in (charts.ROOT / "manifests").glob("install*.yaml")}
    assert files == set(charts.INSTALLS)
    assert {version[1:].rsplit(".", 1)[0] for version in charts.INSTALLS.values()} == set(MINORS)
    for name, version in charts.INSTALLS.items():
        text = (charts.ROOT / "manifests" / name).read_text()
        assert f"registry.k8s.io/kube-scheduler:{version}" in text
        assert name == "install.yaml" or f"install-{version[1:].rsplit('.', 1)[0]}.yaml" == name


def test_copies_of_definitions_are_up_to_date() -> None:
    source = charts.ROOT / "manifests" / "crds"
    assert {p.name: p.read_text() for p in source.glob("*.yaml")} == {
        p.name: p.read_text() for p in charts.CRDS.glob("*.yaml")
    }, "run: make manifests"
