"""Where a pod's model lies: it decides between equals, and a wish for it decides first."""

from __future__ import annotations

from msgspec.structs import replace

from berth_cluster.snapshot import Node, Pod, PodSpec
from berth_scheduling.hints import MODEL_LABEL

from .builders import Stage, amounts, node, pod

MODEL = "ab" * 20


def holding(name: str, **shape: int) -> Node:
    return replace(node(name, **shape), models=((MODEL, 10**11),))


def serving(name: str = "p", *, gpu: int = 4, hint: str = "", model: str = MODEL) -> Pod:
    asked = pod(name, gpu=gpu, spec=PodSpec(amounts(gpu, 1), labels=((MODEL_LABEL, model),)))
    return replace(asked, hint=hint)


def best(stage: Stage, asked: Pod) -> str:
    (first,) = [name for name, rank in stage.scheduler.prioritize(asked, list(stage.nodes)) if rank == 10]
    return first


def test_of_equal_nodes_the_one_that_holds_the_model_is_best() -> None:
    def best_for(asked: Pod) -> str:
        return best(Stage(node("a"), node("b"), holding("c"), node("d")), asked)

    assert best_for(serving()) == "c"
    assert best_for(serving(model="cd" * 20)) == "a"
    assert best_for(pod("none", gpu=4)) == "a"


def test_it_is_no_reason_to_spoil_room() -> None:
    stage = Stage(holding("empty"), node("fits"), pod("a", gpu=4, on="fits"))
    assert best(stage, serving()) == "fits"


def test_a_hint_for_it_counts_before_packing() -> None:
    stage = Stage(holding("empty"), node("fits"), pod("a", gpu=4, on="fits"))
    assert best(stage, serving(hint="prefer a node where the model is cached")) == "empty"


def test_a_hint_for_something_else_counts_before_it() -> None:
    stage = Stage(node("a", labels={"topology.kubernetes.io/zone": "z1"}), holding("b"))
    assert best(stage, serving(hint="in zone z1")) == "a"


def test_what_a_node_says_anew_is_believed() -> None:
    stage = Stage(holding("a"), node("b"))
    hint = "prefer a node where the model is cached"
    assert best(stage, serving(hint=hint)) == "a"
    for old, new in ((holding("a"), node("a")), (node("b"), holding("b"))):
        stage.scheduler.node_changed(old, new)
    assert best(stage, serving("q", hint=hint)) == "b"
    assert best(stage, serving("r")) == "b"


def test_filter_keeps_the_holder_among_those_it_offers() -> None:
    stage = Stage(*(node(f"n{i}") for i in range(5)), holding("n5"))
    rows = stage.scheduler._room.rows_of(list(stage.nodes))
    assert 5 in stage.scheduler._ranking.best(serving(), rows, 1).tolist()


def test_filter_keeps_what_packs_best_rather_than_the_holder() -> None:
    stage = Stage(holding("empty"), node("fits"), pod("a", gpu=4, on="fits"))
    rows = stage.scheduler._room.rows_of(["empty", "fits"])
    assert stage.scheduler._ranking.best(serving(), rows, 1).tolist() == [1]
