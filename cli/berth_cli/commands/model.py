"""`berth model`: a model's folder, its digest, and its way to S3. boto3 is imported when a command needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from berth_cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from berth_operator.weights.manifest import Manifest
    from berth_operator.weights.refused import Refused

GROUP_HELP = "Send a model's files to S3 with a digest that stands for every byte of them."

GROUP_EXAMPLES = """
Examples:
  berth model push ./mixtral s3://models/mixtral-8x7b      upload, and print the digest
  berth model digest ./mixtral                             the digest alone

Exit codes: 0 done, 2 bad input or refused, 3 the source did not answer.
"""
PUSH_EXAMPLES = """
Examples:
  berth model push ./mixtral s3://models/mixtral-8x7b
  berth model push ./tiny s3://models/tiny --endpoint-url http://127.0.0.1:7070

Credentials come from the environment, a profile or a role, as for every AWS tool. Files that are there already are not
sent again. The manifest, berth-model.json, goes last.
"""
DIGEST_EXAMPLES = """
Examples:
  berth model digest ./mixtral
  berth model digest /mnt/claim/mixtral --write      so that pods can check a volume's files where they lie
"""
PRESIGN_EXAMPLES = """
Examples:
  berth model presign s3://models/tiny --hours 12 > index.json
  berth-fetch https://host/index.json --cache /var/cache/berth

The index holds a signed URL for each file: whoever has it may read the model until then. Keep it like a password.
"""
MOST_HOURS = 168
"""S3's own limit on signed URLs."""

EndpointUrl = Annotated[str | None, typer.Option(metavar="URL", help="Another S3 than Amazon's.")]
CaBundle = Annotated[str | None, typer.Option(metavar="FILE", help="Authorities that may sign its certificate.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds the model's files.")]
Bucket = Annotated[str, typer.Argument(metavar="S3-URI", help="s3://bucket/prefix")]


def push(folder: Folder, uri: Bucket, endpoint_url: EndpointUrl = None, ca_bundle: CaBundle = None) -> None:
    """Upload a folder to S3 with its manifest, and print the digest and what to put into an LLMService."""
    from berth_operator.weights.progress import Progress
    from berth_operator.weights.push import push as send
    from berth_operator.weights.refused import Refused

    try:
        bucket, prefix, client = _bucket(uri, endpoint_url, ca_bundle)
        pushed = send(folder, bucket, prefix, client, Progress(sys.stderr))
    except Refused as refused:
        raise _error(refused) from refused
    manifest = pushed.manifest
    there = len(manifest.files) - pushed.sent
    print(f"{len(manifest.files)} files, {_in_words(manifest)}; {pushed.sent} sent, {there} were there already")
    print(manifest.digest)
    print(f"\nIn an LLMService:\n\nspec:\n  model:\n    uri: {uri.rstrip('/')}\n    digest: {manifest.digest}")


def digest(
    folder: Folder,
    write: Annotated[
        bool, typer.Option("--write", help="Write berth-model.json, and the mark of a complete copy, into the folder.")
    ] = False,
) -> None:
    """Print the digest of a folder: it stands for every byte of every file."""
    from berth_operator.weights.local_folder import verified_folder
    from berth_operator.weights.manifest import COMPLETE, MANIFEST
    from berth_operator.weights.progress import Progress
    from berth_operator.weights.refused import Refused

    try:
        manifest = verified_folder(folder, None, Progress(sys.stderr))
        if write:
            unfinished = folder / f"{MANIFEST}.{os.getpid()}"
            unfinished.write_bytes(manifest.text)
            unfinished.replace(folder / MANIFEST)
            (folder / COMPLETE).touch()
    except Refused as refused:
        raise _error(refused) from refused
    except OSError as error:
        raise CommandError(
            f"{folder} cannot be written ({error.strerror})", hint="Run it where the folder is yours."
        ) from error
    print(manifest.digest)


def presign(
    uri: Bucket,
    hours: Annotated[int, typer.Option(min=1, max=MOST_HOURS, help="How long the URLs work.")] = 24,
    endpoint_url: EndpointUrl = None,
    ca_bundle: CaBundle = None,
) -> None:
    """Print an index of signed URLs of a pushed model, for fetches that must not hold credentials."""
    from berth_operator.weights.push import presigned
    from berth_operator.weights.refused import Refused

    try:
        print(presigned(*_bucket(uri, endpoint_url, ca_bundle), hours * 3600).decode())
    except Refused as refused:
        raise _error(refused) from refused


def _bucket(uri: str, endpoint_url: str | None, ca_bundle: str | None) -> tuple[str, str, Any]:
    from berth_operator.weights.s3 import make_client
    from berth_operator.weights.uri import parse_uri

    found = parse_uri(uri)
    if found.scheme != "s3":
        raise CommandError(f"{found} is not in S3", hint="Name it s3://bucket/prefix.")
    return found.place, found.rest, make_client(endpoint_url, ca_bundle)


def _in_words(manifest: Manifest) -> str:
    from berth_operator.weights.progress import in_words

    return in_words(manifest.size)


def _error(refused: Refused) -> CommandError:
    code = Exit.UNREACHABLE if refused.reason == "SourceUnreachable" else Exit.BAD_INPUT
    return CommandError(str(refused), code=code)
