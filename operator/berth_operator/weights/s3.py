"""S3 and what speaks like it: a manifest and ranges of objects, each pinned to one version by its ETag.

Credentials come from boto3's own chain: environment, IRSA and pod identity, instance profile; or none when anonymous. boto3's
retries are off: the download retries by itself, and goes on where the bytes ended.

Importing boto3 costs 0.4 s and 37 MB; so this module does it only when a client is made.
"""

from __future__ import annotations

from typing import Any

from berth_api.reasons import Reason
from berth_operator.weights.manifest import LARGEST_MANIFEST, MANIFEST, File, Manifest, parse
from berth_operator.weights.refused import Hiccup, Refused
from berth_operator.weights.source import CONNECT_SECONDS, READ_SECONDS, Stream

PASSING = frozenset((408, 425, 429))
"""HTTP statuses below 500 that may pass."""
PASSING_CODES = frozenset(("RequestTimeout", "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded"))


def make_client(
    endpoint_url: str | None = None, ca_bundle: str | None = None, anonymous: bool = False, connections: int = 8
) -> Any:
    """A boto3 client, safe to share between threads. Raises Refused."""
    try:
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise Refused(Reason.SOURCE_UNSUPPORTED, "s3:// needs boto3: install berth-scheduler[weights]") from error
    config = Config(
        max_pool_connections=connections + 2,
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": 1, "mode": "standard"},
        response_checksum_validation="when_required",  # a range has none; the manifest's SHA-256 covers every byte
        request_checksum_calculation="when_required",
        signature_version=UNSIGNED if anonymous else None,
        s3={"addressing_style": "path"} if endpoint_url else None,
        user_agent_extra="berth-fetch",
        tcp_keepalive=True,
    )
    try:
        session = boto3.session.Session()
        # A region is needed to sign, and told by few: buckets elsewhere redirect, which botocore follows.
        region = session.region_name or "us-east-1"
        return session.client("s3", endpoint_url=endpoint_url, verify=ca_bundle, config=config, region_name=region)
    except (ValueError, BotoCoreError) as error:
        raise Refused(Reason.SOURCE_UNSUPPORTED, f"no S3 client can be made: {error}") from error


def judged(error: Exception, what: str) -> Refused | Hiccup:
    """What botocore raised, as something to tell or to try again."""
    from botocore import exceptions as boto

    if isinstance(error, boto.ClientError):
        told = error.response.get("Error", {})
        code, status = (
            str(told.get("Code", "")),
            int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)),
        )
        return judged_status(status, code, what)
    if isinstance(error, boto.NoCredentialsError | boto.PartialCredentialsError | boto.CredentialRetrievalError):
        return Refused(
            Reason.CREDENTIALS_REFUSED,
            f"no credentials for {what} ({type(error).__name__}): give the pod a role (IRSA, pod identity) or a "
            "credentialsSecretRef with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; for a public bucket use --anonymous",
        )
    if isinstance(error, boto.SSLError):
        return Refused(
            Reason.SOURCE_UNREACHABLE, f"the certificate of {what} is not trusted: name its authority with --ca-bundle"
        )
    if isinstance(error, boto.ParamValidationError):
        return Refused(Reason.MODEL_NOT_FOUND, f"{what} cannot exist: {' '.join(str(error).split())[:200]}")
    return Hiccup(f"{what}: {type(error).__name__}")


def judged_status(status: int, code: str, what: str) -> Refused | Hiccup:
    """An HTTP status that is no success; `code` is S3's own word for it."""
    said = f"{status} {code}".strip()
    if status >= 500 or status in PASSING or code in PASSING_CODES:
        return Hiccup(f"{what} answered {said}")
    if status in (401, 403):
        return Refused(
            Reason.CREDENTIALS_REFUSED,
            f"{what} is refused ({said}): allow s3:GetObject on it to these credentials, or renew them; "
            "without s3:ListBucket a missing object is refused too",
        )
    if status == 404:
        return Refused(
            Reason.MODEL_NOT_FOUND, f"{what} does not exist ({said}): check the URI, or push the model again"
        )
    if status in (412, 416):
        return Refused(Reason.SOURCE_CHANGED, f"{what} was written to ({said}): push it complete, then fetch again")
    return Refused(Reason.SOURCE_UNREACHABLE, f"{what} answered {said}: check the URI and the endpoint")


class S3Source:
    """Cost: one request for the manifest, one for each piece."""

    def __init__(self, bucket: str, prefix: str, client: Any) -> None:
        self.bucket, self.client = bucket, client
        self.prefix = f"{prefix}/" if prefix else ""

    def manifest(self) -> Manifest:
        what = f"s3://{self.bucket}/{self.prefix}{MANIFEST}"
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + MANIFEST)
            text: bytes = answer["Body"].read(LARGEST_MANIFEST + 1)
            answer["Body"].close()
        except Exception as error:
            told = judged(error, what)
            if isinstance(told, Refused) and told.reason is Reason.MODEL_NOT_FOUND and "NoSuchKey" in told.message:
                raise Refused(
                    Reason.MANIFEST_MISSING,
                    f"{what} does not exist: write it with `berth model push DIR s3://{self.bucket}/{self.prefix}`",
                ) from error
            raise told from error
        return parse(text, what)

    def open(self, file: File, start: int, stop: int, version: str | None) -> Stream:
        what = f"s3://{self.bucket}/{self.prefix}{file.path}"
        pinned = {"IfMatch": version} if version else {}
        try:
            answer = self.client.get_object(
                Bucket=self.bucket, Key=self.prefix + file.path, Range=f"bytes={start}-{stop - 1}", **pinned
            )
        except Exception as error:
            raise judged(error, what) from error
        stream = _S3Stream(answer, what)
        try:
            check_range(str(answer.get("ContentRange", "")), file, start, stop, what)
        except (Hiccup, Refused):
            stream.close()
            raise
        return stream


def check_range(said: str, file: File, start: int, stop: int, what: str) -> None:
    """Is the Content-Range what was asked for, of a file of the size that the manifest says? Raises Refused."""
    place, _, total = said.removeprefix("bytes ").partition("/")
    if total.isdigit() and int(total) != file.size:
        raise Refused(
            Reason.SOURCE_CHANGED, f"{what} has {total} bytes, the manifest says {file.size}: push the model again"
        )
    if place != f"{start}-{stop - 1}":
        raise Refused(Reason.SOURCE_UNREACHABLE, f"{what}: the server does not answer ranges, which fetching needs")


class _S3Stream:
    def __init__(self, answer: dict[str, Any], what: str) -> None:
        self._body, self._what = answer["Body"], what
        self.version = str(answer.get("ETag", ""))

    def read(self, most: int) -> bytes:
        try:
            data: bytes = self._body.read(most)
        except Exception as error:  # botocore's own, and urllib3's and ssl's below them
            raise Hiccup(f"{self._what}: {type(error).__name__} in the middle") from error
        return data

    def close(self) -> None:
        self._body.close()
