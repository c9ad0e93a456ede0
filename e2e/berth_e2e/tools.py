"""The binaries of a control plane, built from source once: what `make tools` runs.

Each tool is a Go module in e2e/tools whose go.mod and go.sum fix its version and the hash of everything that it needs; the Go
module proxy is the only place that anything comes from. A set of tools lies in

    ${XDG_CACHE_HOME:-~/.cache}/berth/tools/kubernetes-1.37.2_etcd-3.7.3_kwok-0.8.0_<digest>/bin

where the digest covers all that the binaries depend on, so a changed go.sum is a new folder. A folder is there whole or not
at all: built beside it, then renamed. Two runs at once wait for each other.

Cost: 8 to 11 minutes on 2 cores for the first set, 7 for a second Kubernetes version, 10 ms when all is there; 580 MB a set.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parents[1] / "tools"
DEFAULT_VERSION = "1.37.2"
VERSIONS = ("1.37.2", "1.36.3")
"""Versions of Kubernetes that have a module in e2e/tools."""

LDFLAGS = "-s -w"
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
"""Without these a server calls itself v0.0.0-master, and clients misjudge what it can do."""

KUBERNETES_COMMANDS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl")


GO_PLACES = (Path("/usr/local/go/bin/go"), Path.home() / "go" / "bin" / "go")
"""Where installers put it without putting it on the PATH."""


class ToolsError(Exception):
    """The tools cannot be built; the message says what to do."""


class GoMissingError(ToolsError):
    """There is no Go, or one that is too old."""


@dataclass(frozen=True)
class Module:
    """One Go module of e2e/tools and the binaries that come out of it. `packages`: binary to Go package."""

    folder: str
    requirement: str
    packages: tuple[tuple[str, str], ...]

    @property
    def path(self) -> Path:
        return MODULES / self.folder

    @property
    def version(self) -> str:
        """Of the tool, as its go.mod fixes it: `3.7.3`."""
        found = re.search(rf"^require {re.escape(self.requirement)} v(\S+)$", (self.path / "go.mod").read_text(), re.M)
        if found is None:
            raise ToolsError(f"{self.path / 'go.mod'} requires no version of {self.requirement}")
        return found.group(1)

    @property
    def ldflags(self) -> str:
        if self.requirement != "k8s.io/kubernetes":
            return LDFLAGS
        major, minor, _ = self.version.split(".", 2)
        facts = {"gitVersion": f"v{self.version}", "gitMajor": major, "gitMinor": minor}
        return " ".join([LDFLAGS, *(f"-X {p}.{k}={v}" for p in VERSION_PACKAGES for k, v in facts.items())])

    @property
    def digest(self) -> str:
        """Of all that decides what is built, the Go version apart: a newer compiler need not build anew."""
        seen = hashlib.sha256(repr((self.packages, self.ldflags)).encode())
        for name in ("go.mod", "go.sum"):
            seen.update((self.path / name).read_bytes())
        for own in sorted(self.path.glob("main*.go")):  # tools.go names packages alone
            seen.update(own.read_bytes())
        return seen.hexdigest()[:10]

    @property
    def label(self) -> str:
        return f"{self.folder.partition('-')[0]}-{self.version}"


ETCD = Module("etcd", "go.etcd.io/etcd/server/v3", (("etcd", "go.etcd.io/etcd/server/v3"),))
KWOK = Module(
    "kwok",
    "sigs.k8s.io/kwok",
    (("kwok", "sigs.k8s.io/kwok/cmd/kwok"), ("kwokctl", "sigs.k8s.io/kwok/cmd/kwokctl")),
)

VERSITYGW = Module(
    "versitygw", "github.com/versity/versitygw", (("versitygw", "github.com/versity/versitygw/cmd/versitygw"),)
)
"""An S3 server over a folder, for benchmarks/weights.py; of no control plane's set."""

KUBE_PROXY = Module("kubeproxy", "k8s.io/kubernetes", (("kube-proxy", "k8s.io/kubernetes/cmd/kube-proxy"),))
"""Services on real nodes; of no control plane's set either."""

FAKE_GPUS = Module("fakegpus", "k8s.io/kubelet", (("fakegpus", "berth.dev/e2e/tools/fakegpus"),))
"""A device plugin of ours."""


def kubernetes(version: str) -> Module:
    if version not in VERSIONS:
        raise ToolsError(f"no Kubernetes {version} in e2e/tools: choose one of {', '.join(VERSIONS)}")
    commands = tuple((name, f"k8s.io/kubernetes/cmd/{name}") for name in KUBERNETES_COMMANDS)
    return Module(f"kubernetes-{version}", "k8s.io/kubernetes", commands)


def module_set(version: str) -> tuple[Module, ...]:
    return (kubernetes(version), ETCD, KWOK)


def cache_folder() -> Path:
    """Of everything that is built or downloaded once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "berth" / "tools"


def bin_folder(version: str = DEFAULT_VERSION) -> Path:
    """Where the set of that Kubernetes version lies, or will lie."""
    modules = module_set(version)
    digest = hashlib.sha256("".join(m.digest for m in modules).encode()).hexdigest()[:10]
    return cache_folder() / f"{'_'.join(m.label for m in modules)}_{digest}" / "bin"


def built(version: str = DEFAULT_VERSION, say: Callable[[str], None] | None = None) -> Path:
    """The folder of the binaries, built if it is not there. Raises ToolsError."""
    folder = bin_folder(version)
    if folder.is_dir():
        return folder
    say = say or (lambda line: print(line, file=sys.stderr, flush=True))
    cache_folder().mkdir(parents=True, exist_ok=True)
    with _alone(cache_folder() / "lock", say):
        if not folder.is_dir():
            _build_set(folder, module_set(version), say)
    return folder


def built_alone(module: Module, say: Callable[[str], None] | None = None) -> Path:
    """The folder of one module's binaries, of no set, built if it is not there. Raises ToolsError."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    say = say or (lambda line: print(line, file=sys.stderr, flush=True))
    with _alone(cache_folder() / "lock", say):
        if not _part(module).is_dir():
            _build_module(go_binary(), module, 0, len(module.packages), say)
    return _part(module)


def go_binary() -> str:
    """Path of a Go that can build the modules. Raises GoMissingError with the way to get one."""
    wanted = re.search(r"^go (\d+)\.(\d+)", (KWOK.path / "go.mod").read_text(), re.M)
    assert wanted is not None
    need = f"Go {wanted[1]}.{wanted[2]} or later is needed to build the control plane: https://go.dev/dl"
    go = shutil.which("go") or next((str(p) for p in GO_PLACES if p.exists()), None)
    if go is None:
        raise GoMissingError(f"go is not on the PATH. {need}")
    # Asked inside a module: a Go with GOTOOLCHAIN=auto answers with the one that it would fetch and use.
    asked = subprocess.run([go, "env", "GOVERSION"], cwd=KWOK.path, capture_output=True, text=True, check=False)
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout.strip())
    if found is None or (int(found[1]), int(found[2])) < (int(wanted[1]), int(wanted[2])):
        raise GoMissingError(f"{go} is {asked.stdout.strip() or asked.stderr.strip()}. {need}")
    return go


def _build_set(folder: Path, modules: tuple[Module, ...], say: Callable[[str], None]) -> None:
    go = go_binary()
    for left in (*cache_folder().glob("*.part"), *cache_folder().glob("parts/*.part")):
        shutil.rmtree(left)  # of a run that was killed: this one holds the lock
    todo = [m for m in modules if not _part(m).is_dir()]
    count = sum(len(m.packages) for m in todo)
    if count:
        say(f"building {count} tools for {folder.parent.name} (once; 8 to 11 minutes on 2 cores with nothing cached)")
    done = 0
    for module in todo:
        done = _build_module(go, module, done, count, say)
    unfinished = folder.parent.with_name(f"{folder.parent.name}.{os.getpid()}.part")
    (unfinished / "bin").mkdir(parents=True)
    for module in modules:
        for binary, _ in module.packages:
            os.link(_part(module) / binary, unfinished / "bin" / binary)
    unfinished.rename(folder.parent)


def _build_module(go: str, module: Module, done: int, count: int, say: Callable[[str], None]) -> int:
    """Builds all binaries of a module, or leaves nothing. Returns how many tools are done now."""
    part = _part(module)
    unfinished = part.with_name(f"{part.name}.{os.getpid()}.part")
    unfinished.mkdir(parents=True)
    try:
        for binary, package in module.packages:
            started = time.monotonic()
            say(f"  [{done + 1}/{count}] {binary} {module.version} ...")
            run = subprocess.run(
                [go, "build", "-trimpath", "-ldflags", module.ldflags, "-o", str(unfinished / binary), package],
                cwd=module.path,
                env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"},
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            if run.returncode:
                raise ToolsError(f"go build {package} in {module.path} failed:\n{run.stderr[-2_000:]}")
            done += 1
            say(f"  [{done}/{count}] {binary} {module.version} built in {time.monotonic() - started:.0f} s")
        unfinished.rename(part)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return done


def _part(module: Module) -> Path:
    """Where a module's binaries lie; sets of several Kubernetes versions share them by hard links."""
    return cache_folder() / "parts" / f"{module.label}_{module.digest}"


@contextmanager
def _alone(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is building the tools: waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the control plane's binaries and print their folder.")
    parser.add_argument("versions", nargs="*", default=[DEFAULT_VERSION], help=f"of Kubernetes: {', '.join(VERSIONS)}")
    parser.add_argument("--skip-without-go", action="store_true", help="say so and go on: tests then skip")
    told = parser.parse_args()
    try:
        for version in told.versions:
            print(built(version))
    except GoMissingError as error:
        print(f"{'tests on a control plane will skip' if told.skip_without_go else 'error'}: {error}", file=sys.stderr)
        return 0 if told.skip_without_go else 1
    except ToolsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
