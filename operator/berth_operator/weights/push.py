"""Sends a model's folder to S3, so that `berth-fetch` can hold every byte of it against one digest.

The manifest goes last: until it is there nobody fetches the new files, and who has the old digest is told SourceChanged or
DigestMismatch instead of getting a mixture. Files that are there already with the same size and SHA-256 are not sent again:
each object carries its SHA-256 as metadata.

Cost: one pass of hashing, then multipart uploads, eight parts of 16 MiB at once: some 200 MB of memory at most.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from berth_operator.weights.local_folder import verified_folder
from berth_operator.weights.manifest import MANIFEST, File, Manifest
from berth_operator.weights.progress import Progress
from berth_operator.weights.refused import Hiccup, Refused
from berth_operator.weights.s3 import judged
from berth_operator.weights.source import Patience

PART = 16 << 20
THREADS = 8
SHA256 = "sha256"
"""The metadata that says an object's SHA-256."""


@dataclass(frozen=True)
class Pushed:
    manifest: Manifest
    sent: int
    """Files; the others were there."""


def push(
    folder: Path, bucket: str, prefix: str, client: Any, progress: Progress, patience: Patience | None = None
) -> Pushed:
    """Raises Refused. A manifest in the folder must agree with its files."""
    from boto3.s3.transfer import TransferConfig

    patience = patience or Patience()
    manifest = verified_folder(folder, None, progress)
    config = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=THREADS)
    below = f"{prefix}/" if prefix else ""
    progress.begin(manifest.size)
    sent = 0
    for file in manifest.files:
        key = below + file.path
        what = f"s3://{bucket}/{key}"
        if patience.ask(partial(_is_there, client, bucket, key, file, what)):
            progress.add(file.size, at_hand=True)
            continue

        upload = partial(
            client.upload_file,
            str(folder / file.path),
            bucket,
            key,
            ExtraArgs={"Metadata": {SHA256: file.sha256}},
            Config=config,
            Callback=_counting(progress),
        )
        patience.ask(partial(_do, upload, what))
        sent += 1
    what = f"s3://{bucket}/{below}{MANIFEST}"
    last = partial(
        client.put_object, Bucket=bucket, Key=below + MANIFEST, Body=manifest.text, ContentType="application/json"
    )
    patience.ask(partial(_do, last, what))
    return Pushed(manifest, sent)


def presigned(bucket: str, prefix: str, client: Any, seconds: int) -> bytes:
    """An index with a signed URL for each file, for https:// sources; whoever has it may read the model until then."""
    from berth_operator.weights.s3 import S3Source

    manifest = Patience().ask(S3Source(bucket, prefix, client).manifest)
    below = f"{prefix}/" if prefix else ""

    def url(path: str) -> str:
        signed: str = client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": below + path}, ExpiresIn=seconds
        )
        return signed

    files = [
        {"path": file.path, "size": file.size, "sha256": file.sha256, "url": url(file.path)} for file in manifest.files
    ]
    return json.dumps({"files": files}, indent=1).encode()


def _is_there(client: Any, bucket: str, key: str, file: File, what: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        head = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in (403, 404):
            return False  # who may write need not be allowed to read
        raise judged(error, what) from error
    except Exception as error:
        raise judged(error, what) from error
    return bool(head["ContentLength"] == file.size and head.get("Metadata", {}).get(SHA256) == file.sha256)


def _do(action: Callable[[], object], what: str) -> None:
    from boto3.exceptions import S3UploadFailedError
    from botocore.exceptions import ClientError

    try:
        action()
    except S3UploadFailedError as error:  # wraps what botocore raised, as text alone
        cause = error.__context__
        if not isinstance(cause, ClientError):
            raise Hiccup(f"{what}: the upload failed") from error
        raise judged(cause, what) from error
    except (Refused, Hiccup):
        raise
    except Exception as error:
        raise judged(error, what) from error


def _counting(progress: Progress) -> Callable[[int], None]:
    def count(size: int) -> None:
        progress.add(size)
        progress.tick()

    return count
