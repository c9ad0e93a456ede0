"""Single calls to a live cluster through kubectl: read one path, create, patch. Whatever logs a person in works here too.

Reading whole clusters, with spooled answers, is `kubectl`'s business; here answers are small. What the API server says when it
refuses is passed on; that Berth's kinds are not there is told apart from everything else (`NotInstalledError`), and so is one
object that is not there (`NoSuchObjectError`). Cost: one kubectl process a call, about 0.1 s.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from berth_cli.exits import CommandError, Exit
from berth_cli.kubectl import KUBECTL

CALL_SECONDS = 60
MAX_SHOWN = 1_000
"""Letters of what kubectl said."""


class NotInstalledError(CommandError):
    """The cluster does not know PackingPlan and PackingPolicy."""

    def __init__(self) -> None:
        super().__init__(
            "NotInstalled: this cluster has no PackingPlan and PackingPolicy: Berth is not installed in it",
            hint="Install the definitions with: kubectl apply -f manifests/crds",
        )


class NoSuchObjectError(CommandError):
    """The one object that was asked for is not there."""


@dataclass(frozen=True)
class Kubectl:
    """Calls with one context and one kubeconfig; each raises CommandError saying what was tried and what came back."""

    context: str | None = None
    kubeconfig: Path | None = None

    def read(self, path: str, what: str) -> bytes:
        """The API server's JSON at a path."""
        return self._call(["get", "--raw", path], f"cannot read {what}")

    def get(self, kind: str, name: str, namespace: str | None) -> bytes:
        """One object by its kubectl name; without a namespace that of the context."""
        return self._call(["get", kind, name, *_within(namespace), "-o", "json"], f"cannot read {kind}/{name}")

    def create(self, body: Mapping[str, object], what: str) -> bytes:
        """The object as it stands after that."""
        # read through a pipe: a plan of a thousand moves is longer than a command line may be
        text = json.dumps(body).encode()
        return self._call(["create", "-f", "-", "-o", "json"], f"cannot create {what}", given=text)

    def patch(
        self, kind: str, name: str, patch: Mapping[str, object], *, namespace: str | None = None, dry_run: bool = False
    ) -> bytes:
        """A JSON merge patch. dry_run: the API server says what it would say, and changes nothing."""
        return self._call(
            [
                *("patch", kind, name),
                *_within(namespace),
                *("--type=merge", "-p", json.dumps(patch), "-o", "json"),
                *(["--dry-run=server"] if dry_run else []),
            ],
            f"cannot change {kind}/{name}",
        )

    def command(self, *words: str) -> str:
        """A command for people to type, with the same context."""
        return " ".join((*words, *self._where()))

    def _where(self) -> list[str]:
        found = [f"--context={self.context}"] if self.context else []
        return found + ([f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else [])

    def _call(self, words: list[str], failing: str, *, given: bytes | None = None) -> bytes:
        command = [KUBECTL, *self._where(), f"--request-timeout={CALL_SECONDS}s", *words]
        try:
            run = subprocess.run(  # noqa: S603
                command,
                input=given if given is not None else b"",
                capture_output=True,
                timeout=CALL_SECONDS + 5,
                check=False,
            )
        except FileNotFoundError:
            raise CommandError(
                "KubectlFailed: kubectl is not on the PATH", hint="Install kubectl.", code=Exit.UNREACHABLE
            ) from None
        except subprocess.TimeoutExpired:
            raise CommandError(
                f"KubectlFailed: {failing}: no answer within {CALL_SECONDS} s",
                hint="Check with `kubectl get nodes`.",
                code=Exit.UNREACHABLE,
            ) from None
        if run.returncode == 0:
            return run.stdout
        raise _refusal(failing, run.stderr.decode(errors="replace").strip())


def _refusal(failing: str, said: str) -> CommandError:
    sentence = said.removeprefix("error: ")[:MAX_SHOWN] or "kubectl said nothing"
    if (
        "could not find the requested resource" in said
        or "doesn't have a resource type" in said
        or "no matches for kind" in said
    ):
        return NotInstalledError()
    if "(NotFound)" in said:
        return NoSuchObjectError(f"{failing}: {sentence.removeprefix('Error from server (NotFound): ')}")
    if "(Forbidden)" in said:
        hint = "What you may do: kubectl auth can-i --list"
    elif "is invalid" in said:
        hint = "The cluster's rules for this kind refuse it, for the reason above."
    else:
        hint = "Check with `kubectl get nodes`; --context and --kubeconfig choose another cluster."
    return CommandError(f"KubectlFailed: {failing}: {sentence}", hint=hint, code=Exit.UNREACHABLE)


def _within(namespace: str | None) -> list[str]:
    return ["-n", namespace] if namespace else []
