"""What the page is told of the demo's cluster."""

from __future__ import annotations

from berth_ui.server import MAX_BODY

from .demo import asking


def test_the_cluster_in_numbers() -> None:
    with asking() as ask:
        _, overview = ask("get", "/api/v1/overview")
        assert (overview["nodes"], overview["gpus"], overview["gpusUsed"], overview["waiting"]) == (12, 96, 72, 6)
        assert [tier["priorityClass"] for tier in overview["tiers"]] == ["llm-urgent", "llm-standard", "best-effort"]


def test_pages_of_the_harbour_hold_everything_once() -> None:
    with asking() as ask:
        _, whole = ask("get", "/api/v1/harbour")
        nodes, pods, after = [], [], ""
        while True:
            _, page = ask("get", f"/api/v1/harbour?limit=5&after={after}")
            nodes += page["nodes"]
            pods += page["pods"]
            after = page["next"]
            if not after:
                break
        assert nodes == whole["nodes"]
        assert sorted(pod["uid"] for pod in pods) == sorted(pod["uid"] for pod in whole["pods"])


def test_what_has_not_changed_is_not_sent_again() -> None:
    with asking() as ask:
        tag = ask.client.get("/api/v1/harbour").headers["etag"]
        assert ask.client.get("/api/v1/harbour", headers={"If-None-Match": tag}).status_code == 304
        assert ask.client.get("/api/v1/harbour", headers={"If-None-Match": '"other"'}).status_code == 200


def test_who_waits_is_told_what_would_help() -> None:
    with asking() as ask:
        _, waiting = ask("get", "/api/v1/waiting")
        assert [(item["workload"], item["pods"], item["reason"]) for item in waiting["items"]] == [
            ("llm/Deployment/agent-70b", 2, "FitsAfterMoves"),
            ("llm/Deployment/vision-34b", 2, "FitsAfterMoves"),
            ("llm/Deployment/embed", 2, "HigherPriorityFirst"),
        ]
        assert waiting["items"][2]["remedies"]


def test_a_preview_is_proven_and_writes_nothing() -> None:
    with asking() as ask:
        _, preview = ask("post", "/api/v1/plans/preview")
        assert (preview["moves"], preview["evictions"], len(preview["placed"])) == (10, 0, 4)
        assert all(tier["proven"] for tier in preview["tiers"])
        assert ask("get", "/api/v1/plans")[1]["items"] == []


def test_what_one_more_node_is_worth() -> None:
    with asking() as ask:
        _, found = ask("post", "/api/v1/what-if", {"add": [{"like": "a100-01", "count": 1}]})
        assert found["placed"] == ["llm/embed-7d4b9-w0", "llm/embed-7d4b9-w1"]


def test_fragments_say_what_does_not_fit_though_the_room_is_there() -> None:
    with asking() as ask:
        _, found = ask("get", "/api/v1/fragments")
        wide = found["shapes"][0]
        assert (wide["gpus"], wide["waiting"], wide["fitsNow"], wide["fitsAtMost"]) == (8, 2, 0, 3)


def test_what_is_wrong_is_said_in_a_sentence() -> None:
    with asking() as ask:
        for method, path, body, status, reason in (
            ("get", "/api/v1/pods/llm/nobody", None, 404, "NotFound"),
            ("get", "/api/v1/nodes/nobody", None, 404, "NotFound"),
            ("get", "/api/v1/plans/nobody", None, 404, "NotFound"),
            ("get", "/api/v1/nowhere", None, 404, "NotFound"),
            ("get", "/api/v1/harbour?limit=many", None, 422, "BadField"),
            ("post", "/api/v1/what-if", {"add": [{"like": "nobody", "count": 1}]}, 422, "BadChange"),
            ("post", "/api/v1/what-if", {"add": [{"like": 3}]}, 422, "BadField"),
            ("post", "/api/v1/what-if", {"cordon": ["x" * MAX_BODY]}, 413, "TooLarge"),
        ):
            assert ask(method, path, body)[0] == status, path
            assert ask(method, path, body)[1]["reason"] == reason, path


def test_a_question_of_many_levels_is_refused_in_a_sentence() -> None:
    with asking() as ask:
        answer = ask.client.post("/api/v1/what-if", content=b'{"x":' + b"[" * 60_000)
        assert (answer.status_code, answer.json()["reason"]) == (422, "BadField")


def test_a_pod_is_told_which_nodes_suit_it_best() -> None:
    with asking() as ask:
        _, harbour = ask("get", "/api/v1/harbour")
        small = next(pod for pod in harbour["pods"] if pod["workload"].endswith("embed") and not pod["node"])
        _, detail = ask("get", f"/api/v1/pods/llm/{small['name']}")
        free = {node["name"]: node["gpus"] - node["gpusUsed"] for node in harbour["nodes"]}
        assert detail["scores"], detail
        assert all(free[score["node"]] > 0 for score in detail["scores"])
        assert detail["scores"][0]["score"] == 1.0
        assert free[detail["scores"][0]["node"]] == 2  # the fullest that has room, rather than one with a larger hole
        _, running = ask("get", f"/api/v1/pods/llm/{next(p['name'] for p in harbour['pods'] if p['node'])}")
        assert any("it is here" in score["because"] for score in running["scores"])
