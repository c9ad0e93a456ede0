"""hf://org/name[@revision]: a snapshot from the Hugging Face Hub, in the same cache and under the same locks.

huggingface_hub downloads and resumes; what arrived is then held against what the Hub says of the commit: the SHA-256 of large
files, git's own hash of small ones. The manifest is made from the files, so its digest pins a revision for good: copy it into
the service. A commit that is in the cache is remembered by name, and not fetched again.

Cost: the import 0.6 s and 40 MB; one pass of hashing after the download. The Hub's xet transfer is off: it takes memory freely.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
from pathlib import Path
from threading import Thread
from typing import Any

from berth_api.reasons import Reason
from berth_operator.weights.access import Access
from berth_operator.weights.cache import Cache, Use
from berth_operator.weights.local_folder import same_digest
from berth_operator.weights.manifest import BLOCK, Manifest, is_digest, manifest_of_folder
from berth_operator.weights.progress import Progress, in_words
from berth_operator.weights.refused import Hiccup, Refused
from berth_operator.weights.s3 import judged_status
from berth_operator.weights.uri import Uri

SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_XET": "1",
}


def fetch_from_hub(uri: Uri, digest: str | None, cache: Cache, access: Access, progress: Progress) -> Use:
    """Raises Refused."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    if access.ca_bundle:
        os.environ["SSL_CERT_FILE"] = access.ca_bundle
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise Refused(
            Reason.SOURCE_UNSUPPORTED, "hf:// needs huggingface_hub: install berth-scheduler[weights]"
        ) from error
    api = HfApi(endpoint=access.endpoint_url, token=False if access.anonymous else None)
    commit = access.patience.ask(lambda: _asked(lambda: _commit(api, uri), uri))
    name = "hf-" + hashlib.sha256(f"{uri.place}@{commit.sha}".encode()).hexdigest()

    def kept() -> Use | None:
        known = cache.named(name)
        use = cache.use(known) if known is not None and is_digest(known) else None
        if use is not None:
            same_digest(use.manifest, digest, str(uri))
            progress.say("cached", f"{known} is in the cache")
        return use

    def waiting() -> None:
        progress.say("waiting", "another process fetches the same model into this cache: waiting for it")

    if use := kept():
        return use
    with cache.fetching(name, waiting) as incoming:
        if use := kept():
            return use
        size = sum(sibling.size or 0 for sibling in commit.siblings)
        for gone in cache.make_room(size, incoming):
            progress.say("evicted", f"evicted {gone}, the least recently used")
        files = incoming / "files"
        progress.say(
            "fetching", f"fetching {len(commit.siblings)} files, {in_words(size)}, of {uri.place} at {commit.sha}"
        )
        progress.begin(size)
        access.patience.ask(lambda: _asked(lambda: _snapshot(api, uri, commit.sha, files, access, progress), uri))
        shutil.rmtree(files / ".cache", ignore_errors=True)
        manifest = _verified(files, commit, uri)
        same_digest(manifest, digest, f"{uri} at {commit.sha}")
        cache.publish(incoming, files, manifest)
        cache.name(name, manifest.digest)
        use = cache.use(manifest.digest)
    if use is None:
        raise Refused(
            Reason.CACHE_UNUSABLE, f"{cache.root} does not keep what is written to it: is it shared with others?"
        )
    return use


def _commit(api: Any, uri: Uri) -> Any:
    found = api.model_info(uri.place, revision=uri.rest or None, files_metadata=True)
    if not found.sha or not found.siblings:
        raise Refused(Reason.MODEL_NOT_FOUND, f"{uri} has no files: check the name and the revision")
    return found


def _snapshot(api: Any, uri: Uri, commit: str, files: Path, access: Access, progress: Progress) -> None:
    ended: list[Exception] = []

    def work() -> None:
        try:
            api.snapshot_download(uri.place, revision=commit, local_dir=files, max_workers=access.concurrency)
        except Exception as error:
            ended.append(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.5)
        there = sum(
            Path(parent, name).stat().st_size for parent, _, names in os.walk(files) for name in names if name[0] != "."
        )
        progress.add(min(there, progress.total) - progress.done)
        progress.tick()
    if ended:
        raise ended[0]


def _verified(files: Path, commit: Any, uri: Uri) -> Manifest:
    """The manifest of what arrived, if that is what the Hub says of the commit."""
    manifest = manifest_of_folder(files)
    found = {file.path: file for file in manifest.files}
    for sibling in commit.siblings:
        file = found.pop(sibling.rfilename, None)
        if file is None or (sibling.size is not None and file.size != sibling.size):
            right = False
        elif sibling.lfs is not None:
            right = file.sha256 == sibling.lfs.sha256
        else:
            right = sibling.blob_id is None or _git_hash(files / file.path) == sibling.blob_id
        if not right:
            (files / sibling.rfilename).unlink(missing_ok=True)  # fetched anew next time
            raise Refused(
                Reason.FILE_CORRUPT, f"{sibling.rfilename} of {uri} is not what the Hub says it is: fetch it again"
            )
    if found:
        raise Refused(Reason.FILE_CORRUPT, f"{min(found)} is not of {uri}: clear the cache's .incoming folder")
    return manifest


def _git_hash(path: Path) -> str:
    hashed = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb", buffering=0) as opened:
        while piece := opened.read(BLOCK):
            hashed.update(piece)
    return hashed.hexdigest()


def _asked(question: Any, uri: Uri) -> Any:
    """The Hub's answer, its errors in our words."""
    import httpx2
    from huggingface_hub import errors

    try:
        return question()
    except errors.GatedRepoError as error:
        raise Refused(
            Reason.CREDENTIALS_REFUSED,
            f"{uri} is gated: accept its terms on the Hub, and give the pod an HF_TOKEN that may read it",
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.EntryNotFoundError) as error:
        raise Refused(
            Reason.MODEL_NOT_FOUND,
            f"{uri} does not exist, or is private: check name and revision, or give the pod an HF_TOKEN",
        ) from error
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        told = judged_status(status, "", str(uri))
        if isinstance(told, Refused) and told.reason is Reason.CREDENTIALS_REFUSED:
            told = Refused(told.reason, f"{uri} is refused ({status}): give the pod an HF_TOKEN that may read it")
        raise told from error
    except errors.HFValidationError as error:
        raise Refused(Reason.MODEL_NOT_FOUND, f"{uri} cannot exist: check the name") from error
    except (httpx2.HTTPError, ConnectionError, errors.LocalEntryNotFoundError, errors.FileMetadataError) as error:
        if _is_about_tls(error):
            raise Refused(
                Reason.SOURCE_UNREACHABLE,
                f"the certificate of the Hub that has {uri} is not trusted: name its authority with --ca-bundle",
            ) from error
        raise Hiccup(f"{uri}: {type(error).__name__}") from error


def _is_about_tls(error: BaseException | None) -> bool:
    """Something below it says so; the Hub's client calls it a connection that failed."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
