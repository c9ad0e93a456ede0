"""What is written on nodes, request by request: what differs, once, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from berth_api.node_models import MODELS, read
from berth_cluster.connection import Connection
from berth_cluster.snapshot import Node
from berth_operator.residency.node_annotations import REPEAT_SECONDS, NodeAnnotations

from .test_model_copies import DIGEST, HOST_PATH, NAME, pod
from .writing_server import WritingServer, with_server

PATCH = ("PATCH", "/api/v1/nodes/n1")


class Watched:
    """Nodes as the watch shows them: only when `catch_up` is called."""

    synced = True

    def __init__(self, server: WritingServer, *names: str) -> None:
        self._server = server
        self._seen = {name: Node(name, ()) for name in names}
        for name in names:
            server.put(f"/api/v1/nodes/{name}", {"metadata": {"name": name}})

    def nodes(self) -> Iterable[Node]:
        return self._seen.values()

    def lies_on_node(self, namespace: str, claim: str) -> bool:
        return True

    def told(self, name: str) -> str | None:
        text: str | None = self._server.objects[f"/api/v1/nodes/{name}"]["metadata"].get("annotations", {}).get(MODELS)
        return text

    def catch_up(self) -> None:
        self._seen = {name: Node(name, (), models=read(self.told(name))) for name in self._seen}


def test_what_differs_is_written_once(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        now = 0.0
        cluster = Watched(server, "n1", "n2")
        made = NodeAnnotations(connection, connection, cluster, clock=lambda: now)
        await made.write_what_differs()
        assert server.writes == []
        made._copies.put(pod(HOST_PATH))
        for _ in range(3):
            await made.write_what_differs()  # the watch lags
        assert server.writes == [PATCH]
        assert json.loads(cluster.told("n1") or "") == {NAME: 7}
        cluster.catch_up()
        now = 2 * REPEAT_SECONDS
        await made.write_what_differs()
        made._copies.put(pod(HOST_PATH, said=json.dumps({"digest": DIGEST, "bytes": 7})))
        await made.write_what_differs()
        assert server.writes == [PATCH]
        made._copies.remove(("chat", "p"))
        await made.write_what_differs()
        assert server.writes == [PATCH, PATCH]
        assert cluster.told("n1") is None

    with_server(tmp_path, scenario)


def test_a_change_is_written_even_when_the_watch_has_not_shown_the_one_before(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        cluster = Watched(server, "n1")
        made = NodeAnnotations(connection, connection, cluster, clock=lambda: 0.0)
        made._copies.put(pod(HOST_PATH))
        await made.write_what_differs()
        made._copies.remove(("chat", "p"))
        await made.write_what_differs()
        assert cluster.told("n1") is None, "taken away again, though the node never seemed to have it"

    with_server(tmp_path, scenario)


def test_a_node_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    async def scenario(server: WritingServer, connection: Connection) -> None:
        cluster = Watched(server, "gone", "n1")
        del server.objects["/api/v1/nodes/gone"]
        made = NodeAnnotations(connection, connection, cluster, clock=lambda: 0.0)
        made._copies.put(pod(HOST_PATH, node="gone"))
        made._copies.by_pod["chat", "q"] = made._copies.by_pod["chat", "p"]
        made._copies.put(pod(HOST_PATH))
        await made.write_what_differs()
        assert cluster.told("n1") is not None

    with_server(tmp_path, scenario)
