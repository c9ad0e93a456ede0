"""What plans are told of the cost of moving a replica: what would have to be fetched again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scenes import DIGEST, pod, service

from berth_api.annotations import MOVE_COST
from berth_operator.serving.fetched import fetched_by, untold_move_costs

GB = 10**9


def fetched(size: int, exit_code: int = 0) -> dict[str, Any]:
    message = "a line before\n" + json.dumps({"code": "Fetched", "digest": DIGEST, "bytes": size})
    return {"state": {"terminated": {"exitCode": exit_code, "message": message}}}


@pytest.mark.parametrize(("size", "cost"), [(9 * GB, None), (10 * GB, "2"), (93 * GB, "10")])
def test_a_replica_costs_what_its_weights_take_to_fetch_again(size: int, cost: str | None) -> None:
    told = [cost for _, cost in untold_move_costs(service(), [pod("a", revision="r", fetch=fetched(size))])]
    assert told == ([] if cost is None else [cost])


def test_only_what_a_move_certainly_fetches_again_counts() -> None:
    here = pod("a", revision="r", fetch=fetched(93 * GB))
    shared = service(model={"cache": {"claimName": "models"}})
    assert not list(untold_move_costs(shared, [here]))
    assert not list(untold_move_costs(service("pvc://models/llama"), [here]))
    assert not list(untold_move_costs(service(), [pod("a", revision="r", fetch=fetched(93 * GB, exit_code=1))]))
    assert not list(untold_move_costs(service(), [pod("a", revision="r", fetch=fetched(93 * GB), leaves=True)]))
    assert not list(untold_move_costs(service(), [pod("a", revision="r", fetch={"state": {"running": {}}})]))


def test_what_somebody_else_said_of_the_cost_stays() -> None:
    said = pod("a", revision="r", fetch=fetched(93 * GB), annotations={MOVE_COST: "0"})
    assert not list(untold_move_costs(service(), [said]))


def test_words_that_are_none_say_nothing() -> None:
    for message in ("", "not json", "{}", '{"digest": 5}'):
        broken = {"state": {"terminated": {"exitCode": 0, "message": message}}}
        assert fetched_by(pod("a", revision="r", fetch=broken)) is None
