"""What a hint's writer is told beside the wishes: typos, names that do not exist, wishes that lead nowhere."""

from __future__ import annotations

import pytest

from berth_intent.parser import parse
from berth_intent.understood import Code
from berth_intent.vocabulary import NOTHING_KNOWN, Vocabulary

VOCABULARY = Vocabulary(
    regions=("us-east-1", "eu-west-1"),
    zones=("us-east-1a", "us-east-1b", "eu-west-1a"),
    racks=("rack-1",),
    nodes=("worker-1",),
    deployments=("postgres",),
    gpu_models=("H100", "A100-80GB", "A100-40GB"),
)


def codes(text: str, vocabulary: Vocabulary = VOCABULARY) -> list[Code]:
    return [warning.code for warning in parse(text, vocabulary).warnings]


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("near postgress", Code.SPELLING, "postgres"),
        ("sprad over zones", Code.SPELLING, "spread"),
        ("near grafana-agent", Code.UNKNOWN_NAME, "grafana-agent"),
        ("avoid rack-9", Code.UNKNOWN_NAME, "rack-9"),
        ("run in ap-south-1", Code.UNKNOWN_NAME, "ap-south-1"),
        ("on V100s", Code.UNKNOWN_NAME, "V100"),
        ("run in zone 1a", Code.AMBIGUOUS_NAME, "us-east-1a"),
        ("avoid us-east-1a, us-east-1b and eu-west-1a", Code.UNSATISFIABLE, "zone"),
        ("Either us-east-1a with SSD or us-east-1b on H100", Code.ALTERNATIVES, "us-east-1b"),
        ("keep away from the others", Code.NO_TARGET, "away"),
    ],
)
def test_what_is_odd_is_told(text: str, code: Code, named: str) -> None:
    (warning,) = [w for w in parse(text, VOCABULARY).warnings if w.code == code]
    assert named in warning.message


@pytest.mark.parametrize(
    "text", ["spread over zones", "on A100s", "near postgres in us-east-1", "pod image: nginx", ""]
)
def test_nothing_is_told_where_nothing_is_odd(text: str) -> None:
    assert codes(text) == []


def test_without_a_vocabulary_no_name_is_unknown() -> None:
    assert codes("near grafana-agent in ap-south-1a on rack-9", NOTHING_KNOWN) == []
