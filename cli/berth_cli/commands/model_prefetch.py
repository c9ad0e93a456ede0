"""`berth model prefetch`: the objects that bring a model to nodes before anybody serves it, as YAML."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from berth_cli.exits import CommandError

EXAMPLES = """
Examples:
  berth model prefetch s3://models/mixtral --digest sha256:01e4... --claim-in chat | kubectl apply -f -
  berth model prefetch s3://models/mixtral --digest sha256:01e4... --nodes pool=h100 --secret s3-credentials

For the cluster's owner: the DaemonSet writes to a folder of each node, in a namespace that Pod Security lets do so. Services
of a namespace with the claim read it by spec.model.cache.claimName: berth-models, with the same digest.
"""
GPU_NODES = "nvidia.com/gpu.present=true"
NAMESPACE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def prefetch(
    uri: Annotated[str, typer.Argument(metavar="URI", help="s3://bucket/prefix, https://... or hf://org/name")],
    digest: Annotated[str, typer.Option(metavar="sha256:...", help="Of the model, as `berth model push` says it.")],
    nodes: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help=f"Which nodes, by label. Default: {GPU_NODES}.")
    ] = None,
    claim_in: Annotated[
        list[str] | None, typer.Option(metavar="NAMESPACE", help="Add the claim by which services there read it.")
    ] = None,
    secret: Annotated[str | None, typer.Option(metavar="NAME", help="With credentials, in --namespace.")] = None,
    service_account: Annotated[str | None, typer.Option(metavar="NAME", help="With a role, in --namespace.")] = None,
    namespace: Annotated[str | None, typer.Option(metavar="NAME", help="Default: berth-prefetch.")] = None,
    folder: Annotated[str | None, typer.Option(metavar="PATH", help="Default: /var/lib/berth/models.")] = None,
    image: Annotated[str | None, typer.Option(metavar="IMAGE", help="Of berth-fetch. Default: this release's.")] = None,
) -> None:
    """Print a DaemonSet that keeps a model on nodes, so that pods which come there download nothing."""
    import yaml

    from berth_operator.residency import prefetch as build
    from berth_operator.serving.pod_template import Images
    from berth_operator.weights.manifest import is_digest
    from berth_operator.weights.refused import Refused
    from berth_operator.weights.uri import parse_uri

    try:
        scheme = parse_uri(uri).scheme
    except Refused as refused:
        raise CommandError(refused.message) from refused
    if scheme in ("path", "pvc"):
        raise CommandError(f"{uri} is not fetched", hint="Name an s3://, https:// or hf:// source.")
    if not is_digest(digest):
        raise CommandError(
            f"{digest} is no digest", hint="It is sha256: and 64 digits, as `berth model push` prints it."
        )
    place = folder or build.FOLDER
    if not place.startswith("/") or ".." in place.split("/"):
        raise CommandError(
            f"{place} is no folder of a node", hint="Name it from the root, such as /var/lib/berth/models."
        )
    for name in (namespace or build.NAMESPACE, *(claim_in or ())):
        if not NAMESPACE_NAME.fullmatch(name):
            raise CommandError(f"{name} is no namespace", hint="Lower-case letters, digits and -, at most 63.")
    asked = build.Prefetch(
        uri,
        digest,
        image or Images().fetch,
        namespace or build.NAMESPACE,
        place,
        dict(_label(label) for label in nodes or [GPU_NODES]),
        secret,
        service_account,
    )
    made = build.build_prefetch(asked)
    for name in claim_in or []:
        made += build.build_claim(name, place)
    written_out = json.loads(json.dumps(made))  # what objects share would become YAML's anchors
    print(yaml.safe_dump_all(written_out, sort_keys=False), end="")


def _label(text: str) -> tuple[str, str]:
    key, is_pair, value = text.partition("=")
    if not key or not is_pair:
        raise CommandError(f"{text} is no label", hint="Write it KEY=VALUE.")
    return key, value
