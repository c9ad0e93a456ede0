"""`python -m berth_e2e up|down|demo`: what `make cluster`, `make cluster-down` and `make demo-cluster` run."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from berth_e2e import demo, kind, tools
from berth_e2e.cluster import Cluster, KubectlError, take_down
from berth_e2e.control_plane import ControlPlaneError
from berth_e2e.ports import NoFreePortError
from berth_e2e.process import ProcessEndedError
from berth_e2e.real_node.packages import RealNodesError
from berth_e2e.state import NAME, ForeignClusterError, state_folder
from berth_e2e.waiting import WaitedTooLongError

EXPECTED = (
    tools.ToolsError,
    ControlPlaneError,
    ProcessEndedError,
    WaitedTooLongError,
    ForeignClusterError,
    KubectlError,
    kind.KindError,
    NoFreePortError,
    RealNodesError,
)

TO_TRY = """
Cluster {name} is up: Kubernetes {version}, {nodes} nodes of {gpus} GPUs, Berth beside it. In a shell:

  export KUBECONFIG={kubeconfig} PATH={binaries}:$PATH

Three things to try:

  1. Twelve pods of two GPUs, placed by Berth:
       kubectl apply -f {samples}/llama.yaml && kubectl rollout status deploy/llama && kubectl get pods -o wide
  2. A pod that no node can hold says why, a few seconds later:
       kubectl apply -f {samples}/too-wide.yaml && sleep 5 && kubectl get pod too-wide -o yaml | grep -A1 berth.dev/why
  3. One extender dies by SIGKILL, and pods are scheduled as before:
       kill -9 $(cat {pids}/extender-0) && kubectl scale deploy/llama --replicas=16 && kubectl rollout status deploy/llama
     A kubelet would start it again; here nobody does, and plans end NoExtender until `make cluster NAME={name}` begins anew.

A plan at work, from Pending to Running: make demo-cluster. Logs are in {folder}/logs. Take it down with: make cluster-down NAME={name}
"""


def main() -> int:
    arguments = _parser().parse_args()
    run: Callable[[argparse.Namespace], None] = arguments.run
    try:
        run(arguments)
    except EXPECTED as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything that was started has been ended", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m berth_e2e", description=__doc__)
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="start a cluster with Berth")
    up.add_argument("--name", type=_name, default="berth")
    up.add_argument("--nodes", type=_count, default=100, help="fake nodes")
    up.add_argument("--gpus", type=_count, default=8, help="of each fake node")
    up.add_argument("--real", type=_count, default=0, help="nodes with a real kubelet and containerd beside them")
    up.add_argument("--version", choices=tools.VERSIONS, default=tools.DEFAULT_VERSION, help="of Kubernetes")
    up.add_argument("--driver", choices=("kwok", "kind"), default="kwok")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="take a cluster down, whatever is left of it")
    down.add_argument("--name", type=_name, default="berth")
    down.set_defaults(run=_down)
    shown = commands.add_parser("demo", help="a fragmented cluster, a pod that waits, the plan, the moves")
    shown.add_argument("--keep", action="store_true", help="leave the cluster standing")
    shown.set_defaults(run=lambda told: demo.show(keep=told.keep))
    return parser


def _name(text: str) -> str:
    if NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"{text!r}: lower-case letters, digits and dashes, 40 at most")
    return text


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def _up(told: argparse.Namespace) -> None:
    started = time.monotonic()
    if told.driver == "kind":
        kind.up(told.name, nodes=told.nodes, gpus=told.gpus, version=told.version)
        return
    folder = state_folder(told.name)
    if folder.exists():
        print(f"cluster {told.name} stands already: it is replaced")
    cluster = Cluster.start(
        told.name, nodes=told.nodes, gpus=told.gpus, real=told.real, version=told.version, berth=True
    )
    print(f"ready after {time.monotonic() - started:.1f} s")
    print(
        TO_TRY.format(
            name=told.name,
            version=told.version,
            nodes=told.nodes,
            gpus=told.gpus,
            kubeconfig=_short(cluster.kubeconfig),
            binaries=cluster.binaries,
            samples=_short(Path(__file__).parents[1] / "samples"),
            pids=_short(folder / "pids"),
            folder=_short(folder),
        )
    )


def _down(told: argparse.Namespace) -> None:
    if kind.made(told.name):
        kind.down(told.name)
        return
    if not state_folder(told.name).exists():
        print(f"no cluster {told.name} stands")
        return
    ended = take_down(told.name)
    print(f"cluster {told.name} is gone: {len(ended)} processes ended")


def _short(path: Path) -> str:
    """As seen from the current folder, so that it can be copied and read."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
