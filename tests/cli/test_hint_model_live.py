"""`berth hint --pod` shows what a language model read where it counts, and says so when that may not be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from berth_intent.improvements import entry_key, entry_text
from berth_intent.intents import Intent
from berth_intent.mentioned import Mentioned
from berth_intent.understood import Preference, Understood
from berth_intent.vocabulary import Vocabulary

from .command import Here
from .live_cluster import API, LiveCluster, needs_kubectl, policy
from .test_hint_pod import hinted, zoned

pytestmark = needs_kubectl

HINT = "please bunk where thrifty folk would"
ANSWERS = "/api/v1/namespaces/berth-system/configmaps/berth-hints"


def answer(vocabulary: Vocabulary) -> dict[str, str]:
    read = Preference(Intent.PREFER_SPOT, text="bunk where thrifty folk would", start=7)
    key = entry_key(HINT, Mentioned(vocabulary).of(HINT))
    return {key: entry_text(1, "small", Understood((read,)))}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    live = LiveCluster(tmp_path)
    items = [zoned("n1", "a")]
    live.answers["/api/v1/nodes"] = {"kind": "NodeList", "apiVersion": "v1", "items": items}
    pods = [hinted("web-1", HINT, on="n1")]
    live.answers["/api/v1/pods"] = {"kind": "PodList", "apiVersion": "v1", "items": pods}
    names = Vocabulary(("us-east-1",), ("us-east-1a",), zone_regions={"us-east-1a": "us-east-1"})
    live.answers[ANSWERS] = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "berth-hints"},
        "data": answer(names) | {"spent": "{}"},
    }
    with live.serving():
        yield live


def wishes(here: Here, cluster: LiveCluster) -> list[str]:
    ended = here("hint", "--pod", "web-1", "--live", "--kubeconfig", cluster.kubeconfig, "-o", "json")
    assert ended.code == 0, ended.err
    (pod,) = json.loads(ended.out)["pods"]
    return [wish["intent"] for node in pod["nodes"] for wish in node["wishes"]]


def test_it_counts_where_a_policy_says_so(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"languageModel": {"namespaces": ["llm"]}})]
    assert wishes(here, cluster) == ["prefer_spot"]
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"languageModel": {"namespaces": ["other"]}})]
    assert wishes(here, cluster) == []


def test_what_cannot_be_looked_at_is_said(here: Here, cluster: LiveCluster) -> None:
    cluster.answers[f"{API}/packingpolicies"] = [policy("p", hints={"languageModel": {"namespaces": ["llm"]}})]
    cluster.forbidden.add(ANSWERS)
    ended = here("hint", "--pod", "web-1", "--live", "--kubeconfig", cluster.kubeconfig)
    assert ended.code == 0
    assert "what a language model made of hints is not known" in ended.err
