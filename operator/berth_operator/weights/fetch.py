"""One fetch from its URI to a verified folder: chooses the source, asks the cache first, downloads under its lock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from berth_api.reasons import Reason
from berth_operator.weights.access import Access
from berth_operator.weights.cache import Cache, Use
from berth_operator.weights.download import Download
from berth_operator.weights.local_folder import same_digest, verified_folder
from berth_operator.weights.manifest import Manifest, hash_file, is_digest
from berth_operator.weights.progress import Progress, in_words
from berth_operator.weights.refused import Refused
from berth_operator.weights.source import Source
from berth_operator.weights.uri import Uri


@dataclass(frozen=True)
class Fetched:
    """`use` is None where the model lies outside the cache."""

    folder: Path
    manifest: Manifest
    use: Use | None = None


def fetch(
    uri: Uri,
    digest: str | None,
    cache_folder: Path,
    access: Access,
    progress: Progress,
    *,
    limit: int | None = None,
    keep: float | None = None,
    mount: Path = Path("/source"),
    check_cached: bool = False,
) -> Fetched:
    """`mount`: where a pvc:// claim is mounted. `check_cached`: hash a copy in the cache too. Raises Refused."""
    if digest is not None and not is_digest(digest):
        raise Refused(
            Reason.DIGEST_MISMATCH, "a digest is sha256: and 64 hexadecimal digits: `berth model digest DIR` says it"
        )
    if uri.scheme in ("path", "pvc"):
        folder = Path("/", uri.rest) if uri.scheme == "path" else mount / uri.rest
        return Fetched(folder, verified_folder(folder, digest, progress))
    cache = Cache(cache_folder, limit=limit) if keep is None else Cache(cache_folder, limit=limit, keep=keep)
    if digest is not None and (use := _kept(cache, digest, progress, check_cached)):
        return Fetched(use.folder, use.manifest, use)
    if uri.scheme == "hf":
        from berth_operator.weights.hub import fetch_from_hub

        use = fetch_from_hub(uri, digest, cache, access, progress)
    else:
        source = _source(uri, access)
        manifest = access.patience.ask(source.manifest)
        same_digest(manifest, digest, str(uri))
        use = _kept(cache, manifest.digest, progress, check_cached and digest is None) or _download(
            source, manifest, cache, access, progress
        )
    return Fetched(use.folder, use.manifest, use)


def _source(uri: Uri, access: Access) -> Source:
    if uri.scheme == "https":
        from berth_operator.weights.https import HttpsSource

        return HttpsSource(uri.place, access.ca_bundle, access.concurrency)
    from berth_operator.weights.s3 import S3Source, make_client

    client = make_client(access.endpoint_url, access.ca_bundle, access.anonymous, access.concurrency)
    return S3Source(uri.place, uri.rest, client)


def _kept(cache: Cache, digest: str, progress: Progress, check: bool) -> Use | None:
    use = cache.use(digest)
    if use is None:
        return None
    if check:
        progress.begin(use.manifest.size)
        for file in use.manifest.files:
            if hash_file(use.folder / file.path, progress.add) != file.sha256:
                progress.say("damaged", f"{file.path} in the cache is damaged: the model is fetched again")
                use.release()
                cache.disown(digest)
                return None
            progress.tick()
    progress.say("cached", f"{digest} is in the cache")
    return use


def _download(source: Source, manifest: Manifest, cache: Cache, access: Access, progress: Progress) -> Use:
    def waiting() -> None:
        progress.say("waiting", "another process fetches the same model into this cache: waiting for it")

    with cache.fetching(manifest.digest, waiting) as incoming:
        if use := cache.use(manifest.digest):
            progress.say("cached", f"{manifest.digest} was fetched by another process")
            return use
        for name in cache.make_room(manifest.size, incoming):
            progress.say("evicted", f"evicted {name}, the least recently used")
        files = incoming / "files"
        files.mkdir(exist_ok=True)
        progress.say("fetching", f"fetching {len(manifest.files)} files, {in_words(manifest.size)}")
        Download(
            source, manifest, incoming, files, progress, concurrency=access.concurrency, patience=access.patience
        ).run()
        cache.publish(incoming, files, manifest)
        use = cache.use(manifest.digest)
    if use is None:
        raise Refused(
            Reason.CACHE_UNUSABLE, f"{cache.root} does not keep what is written to it: is it shared with others?"
        )
    return use
