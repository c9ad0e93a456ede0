"""Single objects of a live cluster, read and written through kubectl, so that a person's own login and rights apply."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from berth_cli.exits import CommandError, Exit
from berth_cli.kubectl import KUBECTL, REQUEST_SECONDS

Json = dict[str, Any]

DEFAULT_NAMESPACE = "default"
API = "/apis/berth.dev/v1alpha1"


@dataclass(frozen=True)
class LiveObjects:
    """The cluster of one kubeconfig context."""

    context: str | None
    kubeconfig: Path | None

    def get(self, path: str) -> Json | None:
        """The object, or list, at an API path; None when there is no such thing. Raises CommandError."""
        ended = self._run("get", "--raw", path)
        if ended.returncode == 0:
            found: Json = json.loads(ended.stdout)
            return found
        said = _last_line(ended.stderr)
        if "NotFound" in said or "could not find the requested resource" in said:
            return None
        raise self._failed(f"cannot read {path}", said)

    def items(self, path: str) -> list[Json]:
        """Objects of a list; none when the cluster does not know the kind."""
        found = self.get(path)
        items: list[Json] = found.get("items") or [] if found else []
        return items

    def create(self, body: Json) -> Json:
        """The object as the API server stored it. Raises CommandError with the server's own words."""
        ended = self._run("create", "-f", "-", "-o", "json", given=json.dumps(body))
        if ended.returncode:
            raise self._failed(f"the cluster does not take the {body['kind']}", _last_line(ended.stderr))
        stored: Json = json.loads(ended.stdout)
        return stored

    def patch(self, kind: str, name: str, patch: Json, *, namespace: str | None = None) -> None:
        where = ["--namespace", namespace] if namespace else []
        ended = self._run("patch", kind, name, *where, "--type=merge", "--patch", json.dumps(patch))
        if ended.returncode:
            raise self._failed(f"cannot change {kind} {name}", _last_line(ended.stderr))

    def namespace(self) -> str:
        """The one of the context."""
        ended = self._run("config", "view", "--minify", "-o", "jsonpath={..namespace}")
        return ended.stdout.strip() or DEFAULT_NAMESPACE

    def has_resources(self) -> bool:
        """Whether the custom resources are installed."""
        return self.get(API) is not None

    def _run(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [KUBECTL]
        if self.context:
            command.append(f"--context={self.context}")
        if self.kubeconfig:
            command.append(f"--kubeconfig={self.kubeconfig}")
        try:
            return subprocess.run(  # noqa: S603 (the person's own kubectl)
                [*command, f"--request-timeout={REQUEST_SECONDS}s", *arguments],
                input=given,
                stdin=None if given is not None else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=REQUEST_SECONDS + 5,
                check=False,
            )
        except FileNotFoundError:
            raise CommandError(
                "KubectlFailed: kubectl is not on the PATH", hint="Install kubectl.", code=Exit.UNREACHABLE
            ) from None
        except subprocess.TimeoutExpired:
            raise self._failed("kubectl", f"no answer within {REQUEST_SECONDS} s") from None

    def _failed(self, doing: str, said: str) -> CommandError:
        refused = "is invalid" in said or "AlreadyExists" in said
        hint = "" if refused else "Check with `kubectl get nodes`; another cluster: --context, --kubeconfig."
        if "orbidden" in said:
            hint = "Your user may not do that: ask for the rights, or check with `kubectl auth can-i`."
        code = Exit.BAD_INPUT if refused else Exit.UNREACHABLE
        return CommandError(f"KubectlFailed: {doing}: {said or 'kubectl said nothing'}", hint=hint, code=code)


def not_installed() -> CommandError:
    return CommandError(
        "NotInstalled: this cluster has no PackingPlan resource: Berth is not installed in it",
        hint="Install it (kubectl apply -f manifests/crds brings the resources), or name another cluster: --context, "
        "--kubeconfig.",
    )


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1].removeprefix("error: ") if lines else ""
