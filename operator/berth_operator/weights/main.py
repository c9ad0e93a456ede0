"""`berth-fetch`: puts a model's verified files on this machine, as an init container or by hand.

Prints where they lie and their digest, and leaves its last word where Kubernetes looks for it. Exit codes: 0 all is there,
1 it is not (with a reason code), 2 wrong usage, 143 told to stop; what came is kept, and the next run goes on from there.

It imports no Kubernetes, no solver and no web server: 0.1 s and 15 MB to start, 40 MB more with boto3.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from berth_api.reasons import Reason
from berth_operator.weights import last_word
from berth_operator.weights.access import MOST_CONNECTIONS, Access
from berth_operator.weights.cache import KEEP_SECONDS
from berth_operator.weights.fetch import Fetched, fetch
from berth_operator.weights.progress import EVERY_SECONDS, Progress, in_words
from berth_operator.weights.refused import Refused
from berth_operator.weights.source import Patience
from berth_operator.weights.uri import FORMS, parse_uri

TERMINATED = 143
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="berth-fetch", description="Fetch a model's weights, verify every byte, and keep them in a shared cache."
    )
    parser.add_argument("uri", metavar="URI", help=FORMS)
    parser.add_argument(
        "--cache", type=Path, default=Path("/var/cache/berth"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--digest", metavar="sha256:...", help="fetch this and nothing else; without it the digest is told"
    )
    parser.add_argument("--link", type=Path, metavar="PATH", help="make this a symbolic link to the verified folder")
    parser.add_argument("--hold", action="store_true", help="stay and keep the model from eviction until told to stop")
    parser.add_argument("--check-cached", action="store_true", help="hash a copy in the cache too")
    reach = parser.add_argument_group("reaching the source")
    reach.add_argument(
        "--concurrency", type=_connections, default=8, metavar="N", help="connections (default %(default)s)"
    )
    reach.add_argument("--endpoint-url", metavar="URL", help="another S3 or Hub than the public one")
    reach.add_argument("--ca-bundle", metavar="FILE", help="authorities that may sign its certificate")
    reach.add_argument(
        "--anonymous", action="store_true", default=bool(os.environ.get("BERTH_ANONYMOUS")), help="use no credentials"
    )
    reach.add_argument(
        "--tries", type=_positive, default=Patience.tries, metavar="N", help="in a row that get nothing (%(default)s)"
    )
    reach.add_argument(
        "--mount", type=Path, default=Path("/source"), metavar="DIR", help="where pvc:// is mounted (%(default)s)"
    )
    room = parser.add_argument_group("the cache")
    room.add_argument("--max-cache-bytes", type=_size, metavar="SIZE", help="such as 500Gi; else the whole disk")
    room.add_argument(
        "--keep",
        type=float,
        default=KEEP_SECONDS,
        metavar="SECONDS",
        help="nothing used since then is evicted (%(default)g)",
    )
    tell = parser.add_argument_group("telling")
    tell.add_argument(
        "-o", "--output", choices=("text", "json"), default="text", help="sentences, or a JSON object a line"
    )
    tell.add_argument("--progress", type=Path, metavar="FILE", help="keep how far it is in this file, as JSON")
    tell.add_argument("--progress-every", type=float, default=EVERY_SECONDS, metavar="SECONDS", help="(%(default)g)")
    tell.add_argument(
        "--termination-message", type=Path, metavar="FILE", help=f"default: {last_word.DEFAULT}, if it is there"
    )
    return parser


def main(args: Sequence[str] | None = None) -> int:
    """Runs one fetch; returns the exit code."""
    options = arguments().parse_args(args)
    signal.signal(signal.SIGTERM, _stop)
    as_json = options.output == "json"
    progress = Progress(sys.stderr, as_json=as_json, file=options.progress, every=options.progress_every)
    try:
        fetched = _fetched(options, progress)
        if options.link is not None:
            _link(options.link, fetched.folder)
    except Refused as refused:
        last_word.leave(options.termination_message, refused.reason, refused.message)
        _end(as_json, f"error: {refused}", code=str(refused.reason), message=refused.message)
        return 1
    except KeyboardInterrupt:
        return 130
    manifest = fetched.manifest
    sentence = f"{len(manifest.files)} files, {in_words(manifest.size)}, verified in {fetched.folder}"
    folder = str(fetched.folder)
    last_word.leave(
        options.termination_message,
        Reason.FETCHED,
        sentence,
        digest=manifest.digest,
        bytes=manifest.size,
        folder=folder,
    )
    _end(
        as_json,
        f"{manifest.digest}\n{folder}",
        code=str(Reason.FETCHED),
        message=sentence,
        digest=manifest.digest,
        bytes=manifest.size,
        folder=folder,
    )
    if options.hold:
        signal.pause()
    return 0


def _fetched(options: argparse.Namespace, progress: Progress) -> Fetched:
    return fetch(
        parse_uri(options.uri),
        options.digest,
        options.cache,
        Access(
            endpoint_url=options.endpoint_url,
            ca_bundle=options.ca_bundle,
            anonymous=options.anonymous,
            concurrency=options.concurrency,
            patience=Patience(tries=options.tries),
        ),
        progress,
        limit=options.max_cache_bytes,
        keep=options.keep,
        mount=options.mount,
        check_cached=options.check_cached,
    )


def _end(as_json: bool, text: str, **facts: str | int) -> None:
    """The outcome, on standard output; sentences about errors on the other."""
    if as_json:
        print(json.dumps({"event": "end", **facts}), flush=True)
    else:
        print(text, file=sys.stderr if text.startswith("error") else sys.stdout, flush=True)


def _link(link: Path, folder: Path) -> None:
    unfinished = link.with_name(f"{link.name}.{os.getpid()}")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.symlink_to(folder.resolve())
        unfinished.replace(link)
    except OSError as error:
        raise Refused(
            Reason.CACHE_UNUSABLE, f"{link} cannot be made a link ({error.strerror}): choose another path"
        ) from error


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    # Threads may be deep in a read; nothing that they hold needs them to end well.
    os._exit(TERMINATED)


def _connections(text: str) -> int:
    if not 1 <= (found := _positive(text)) <= MOST_CONNECTIONS:
        raise argparse.ArgumentTypeError(f"from 1 to {MOST_CONNECTIONS}")
    return found


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10**6:
        raise argparse.ArgumentTypeError("a number from 1")
    return int(text)


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,15})([kMGT]|[KMGT]i)?", text)
    if found is None:
        raise argparse.ArgumentTypeError("bytes, such as 500Gi")
    return int(found[1]) * UNITS[found[2] or ""]


if __name__ == "__main__":
    sys.exit(main())
