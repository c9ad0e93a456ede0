"""Keeps a store equal to one collection of the API server: list it, then watch it from there, for ever.

- The list is consistent (no resourceVersion) and comes in pages; a page that fails is asked for again, a list that has
  become too old (410) begins anew with larger pages. What the store holds and the list does not is removed at its end, so
  nothing is ever emptied in between, and a deletion that nobody told us about is found.
- The watch resumes from the last version seen (bookmarks count). It ends by its timeout, an error, a cut or silence; only
  410 or a version that the server has not reached yet (restored from a backup) means listing again.
- 429 and 503 with Retry-After wait as told, all else with a doubling, jittered backoff, which ends early when the server was
  away and answers others again (`outage`). A server that comes back forgets versions: the first 410 after an outage does not
  wait as long as the outage lasted. Other than that nothing here gives up, and no error leaves it.
- An optional kind that is not there (404) or not allowed (403) counts as empty, and is looked for again now and then; so does one
  that has been there and went.

Objects are applied on the event loop, in slices of `SLICE`, so that others get their turn within milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from berth_cluster.connection import ApiError, Connection, refusal_of
from berth_cluster.decoding import MALFORMED, field_error
from berth_cluster.depth import CUT, cut_deep
from berth_cluster.errors import FieldError
from berth_cluster.objects import Named
from berth_cluster.outage import Outage
from berth_cluster.watching import Backoff, Event, Pace, Page, RawEvent, RawPage, StatusEvent

_LOG = logging.getLogger(__name__)

SLICE = 64
"""Objects applied before others get a turn: about 2 ms of pods."""
MAX_PAGE = 100_000
GROW = 4
"""Pages become this many times larger when a list expires before its end, and smaller when one is too large."""

JSON = "application/json"
METADATA_OF_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA_OF_EVENTS = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
"""Not interchangeable: a watch that asks for the other gets events of empty lists."""

FORBIDDEN_TRIES = 4
"""A list is refused so often, over some 2 s, before its kind counts as forbidden: an API server that has just begun refuses all until
it has read the roles, and policies taken for absent would be the defaults in force."""
MAX_SAID = 100
"""Different complaints of one reflector that reach the log."""

EXPIRED = "Expired"
UNREADABLE = "Unreadable"
ABSENT = "Absent"
ENDED = "Ended"
UNREACHABLE = "Unreachable"
_ORDINARY = ("Silent", "Cut")
"""Ends of a watch that are no trouble yet: if the next request fails, that is."""
_GONE = 410
_NOT_FOUND = 404
_FORBIDDEN = 403
_MISSING = (_FORBIDDEN, _NOT_FOUND)
_TOO_NEW = "Too large resource version"


class _Metadata(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def namespace(self) -> str | None: ...
    @property
    def resource_version(self) -> str | None: ...


class _Object(Protocol):
    @property
    def metadata(self) -> _Metadata: ...


T = TypeVar("T", bound=_Object)
T_contra = TypeVar("T_contra", bound=_Object, contravariant=True)
Place = tuple[str, str]
"""Namespace (empty for cluster-wide kinds) and name."""


class Store(Protocol[T_contra]):
    """Where the objects of a collection go. Each call leaves it whole."""

    def put(self, wire: T_contra) -> None:
        """Added or changed. Raises FieldError when the object cannot be what the cluster meant."""

    def remove(self, place: Place) -> None:
        """Gone, or no longer readable. Unknown places are no error."""

    def places(self) -> Sequence[Place]:
        """All that is held."""


class Collection(msgspec.Struct, Generic[T], frozen=True):
    """What to list and watch."""

    path: str
    wire: type[T]
    optional: bool = False
    metadata_only: bool = False
    older_paths: tuple[str, ...] = ()
    """Where older API servers have it, tried in turn when it is not there. Only for optional ones."""
    only: str = ""
    """The one name that is listed and watched; empty: all. So the right to read may be limited to it."""
    labels: str = ""
    """A label selector; empty: all."""

    @property
    def selection(self) -> dict[str, str]:
        """Part of a query."""
        named = {"fieldSelector": f"metadata.name={self.only}"} if self.only else {}
        return named | ({"labelSelector": self.labels} if self.labels else {})


class _Listing(msgspec.Struct):
    """A list under way."""

    found: set[Place]
    token: str = ""


class Reflector(Generic[T]):
    def __init__(
        self,
        connection: Connection,
        collection: Collection[T],
        store: Store[T],
        restarts: Counter[str],
        pace: Pace = Pace(),  # noqa: B008 (a frozen value)
        clock: Callable[[], float] = time.monotonic,
        rand: Callable[[], float] = random.random,
        outage: Outage | None = None,
    ) -> None:
        self.collection = collection
        self.version = ""
        """Of the last list or event; empty before the first list."""
        self.heard = clock()
        """When the server last said anything about this collection."""
        self.synced = asyncio.Event()
        self._connection = connection
        self._store = store
        self._restarts = restarts
        self._pace = pace
        self._clock = clock
        self._rand = rand
        self._backoff = Backoff(pace, rand)
        self._outage = outage or Outage(clock)
        self._away = False
        """The server was not there when it was asked last."""
        self._expired_before = False
        """Since the last watch that lived."""
        self._listing: _Listing | None = None
        self._forbidden = 0
        """Times in a row."""
        self._limit = pace.page
        self._said: set[str] = set()
        self._in_trouble = False
        wire: Any = collection.wire  # a type that only exists at run time
        self._decode_page = msgspec.json.Decoder(Page[wire]).decode
        self._decode_event = msgspec.json.Decoder(Event[wire]).decode
        self._paths = (collection.path, *collection.older_paths)
        self._decode_object = msgspec.json.Decoder(wire).decode

    @property
    def path(self) -> str:
        """Where it is, or where it is looked for now."""
        return self._paths[0]

    @property
    def is_absent(self) -> bool:
        """It was looked for, and the cluster does not have it or does not show it."""
        return self.synced.is_set() and not self.version

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if not self.version:
                    await self._list()
                await self._watch()
            except ApiError as error:
                await self._recover(error)

    async def _list(self) -> None:
        listing = self._listing = self._listing or _Listing(set())
        accept = METADATA_OF_LIST if self.collection.metadata_only else JSON
        while True:
            query = {"limit": str(self._limit)} | self.collection.selection
            if listing.token:
                query["continue"] = listing.token
            body = await self._connection.request(
                "GET", self.path, query=query, accept=accept, timeout=self._pace.list_timeout
            )
            self._heard()
            page = self._page(body)
            for i, wire in enumerate(page.items or ()):
                listing.found.add((wire.metadata.namespace or "", wire.metadata.name))
                self._put(wire)
                if i % SLICE == SLICE - 1:
                    await asyncio.sleep(0)
            listing.token = page.metadata.token
            if not listing.token:
                break
        for place in [place for place in self._store.places() if place not in listing.found]:
            self._store.remove(place)
        self._listing = None
        self._limit = self._pace.page
        self.version = page.metadata.resource_version
        self.synced.set()

    async def _watch(self) -> None:
        seconds = self._pace.watch_min + self._rand() * (self._pace.watch_max - self._pace.watch_min)
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self.version,
            "timeoutSeconds": str(max(round(seconds), 1)),
        } | self.collection.selection
        agreed: float | None = None
        accept = METADATA_OF_EVENTS if self.collection.metadata_only else JSON
        batches = self._connection.batches(self.path, query, accept=accept, silence=self._pace.silence)
        try:
            async for lines in batches:
                self._heard()
                if agreed is None:
                    agreed = self.heard
                    self._well_again()
                for i, line in enumerate(lines):
                    if line:
                        self._event(line)
                    if i % SLICE == SLICE - 1:
                        await asyncio.sleep(0)
        finally:
            lived = agreed is not None and self._clock() - agreed >= self._pace.healthy_after
            if lived:
                self._backoff.reset()
                self._expired_before = False
        self._restarts[ENDED] += 1
        if not lived:
            await asyncio.sleep(self._backoff.delay())  # a server that ends watches at once is not asked at once again

    def _event(self, line: bytes) -> None:
        try:
            event: Event[T] = self._decode_event(line)
        except MALFORMED as error:
            self._unreadable_event(line, error)
            return
        metadata = event.object.metadata
        match event.type:
            case "ADDED" | "MODIFIED":
                self._put(event.object)
            case "DELETED":
                self._store.remove((metadata.namespace or "", metadata.name))
            case "ERROR":
                raise self._refusal(line)
        if metadata.resource_version:
            self.version = metadata.resource_version

    def _put(self, wire: T) -> None:
        try:
            if not wire.metadata.name:
                raise FieldError("metadata.name", "is missing: the server answered with something else")
            self._store.put(wire)
        except FieldError as error:
            self._unreadable((wire.metadata.namespace or "", wire.metadata.name), error)
        except Exception as error:
            # a fault of ours, met by one object: it must not blind us to the others, whoever made it
            place = (wire.metadata.namespace or "", wire.metadata.name)
            self._unreadable(place, FieldError("", f"{type(error).__name__}: {error}"), exc_info=True)

    def _page(self, body: bytes) -> Page[T]:
        """One object that cannot be read must not cost the others."""
        try:
            page: Page[T] = self._decode_page(body)
            return page
        except MALFORMED:
            pass
        path = self.path
        try:
            raw = msgspec.json.decode(cut_deep(body), type=RawPage)
        except MALFORMED as error:
            raise ApiError(f"GET {path}", 0, "Malformed", f"the answer is not a list: {error}") from error
        items: list[T] = []
        for text in raw.items or ():
            try:
                items.append(self._decode_object(_whole(text)))
            except MALFORMED as error:
                self._unreadable(_place(text), field_error(error))
        return Page(raw.metadata, items)

    def _unreadable_event(self, line: bytes, error: Exception) -> None:
        try:
            raw = msgspec.json.decode(cut_deep(line), type=RawEvent)
        except MALFORMED as broken:
            raise ApiError(f"WATCH {self.path}", 0, "Malformed", f"not an event: {broken}") from broken
        if raw.type == "ERROR":  # of a Status, not of our kind: its `status` is a text
            raise self._refusal(line)
        self._unreadable(_place(raw.object), field_error(error))

    def _refusal(self, line: bytes) -> ApiError:
        return refusal_of(msgspec.json.decode(line, type=StatusEvent).object, f"WATCH {self.path}")

    def _unreadable(self, place: Place, error: FieldError, exc_info: bool = False) -> None:
        """Better unknown than known wrongly: the object is left out until it can be read."""
        self._restarts[UNREADABLE] += 1
        self._store.remove(place)
        sentence = f"{self.path}: {'/'.join(place).lstrip('/')} is left out, for it cannot be read: {error}"
        self._say_once(sentence, exc_info=exc_info)

    async def _recover(self, error: ApiError) -> None:
        listing = not self.version
        if self.collection.optional and listing and error.status in _MISSING:
            self._forbidden = self._forbidden + 1 if error.status == _FORBIDDEN else 0
            if error.status != _FORBIDDEN or self._forbidden >= FORBIDDEN_TRIES:
                await self._absent(error)
                return
        expired = error.status == _GONE or error.reason in (EXPIRED, "Gone")
        self._restarts[EXPIRED if expired else error.reason] += 1
        if error.status:
            self._answered()
        if expired and not listing and not self._expired_before:
            self._expired_before = True
            self._backoff.reset()
        went = self.collection.optional and error.status == _NOT_FOUND
        if expired or went or _TOO_NEW in error.message:
            self.version = ""
            self._listing = None
            if listing:
                self._limit = min(self._limit * GROW, MAX_PAGE)
        elif error.reason == "TooLarge" and listing:
            self._limit = max(self._limit // GROW, 1)
        elif not self._in_trouble and error.reason not in _ORDINARY:
            self._in_trouble = True
            _LOG.warning("%s; going on with what is known, trying again until it works", error)
        delay = self._backoff.delay()
        if error.retry_after is not None:
            delay = max(min(error.retry_after, self._pace.max_retry_after) * (1 + self._rand() / 4), delay)
        _LOG.debug("%s; again in %.1f s", error, delay)
        if error.reason != UNREACHABLE:
            await asyncio.sleep(delay)
            return
        self._away = True
        if await self._outage.wait(delay):
            await asyncio.sleep(self._rand() * self._pace.first_delay)  # not all in the same moment

    def _heard(self) -> None:
        self.heard = self._clock()
        self._answered()

    def _answered(self) -> None:
        """Even if it was a refusal."""
        if self._away:
            self._away = False
            self._outage.is_over()

    def _well_again(self) -> None:
        if self._in_trouble:
            self._in_trouble = False
            _LOG.info("%s is watched again", self.path)

    async def _absent(self, error: ApiError) -> None:
        self._restarts[ABSENT] += 1
        for place in list(self._store.places()):
            self._store.remove(place)
        self._listing = None
        self.heard = self._clock()
        self._paths = (*self._paths[1:], self._paths[0])
        if self.path != self.collection.path:
            return
        self._say_once(
            f"{error}; counted as empty, looked for again every {self._pace.absent:.0f} s",
            logging.INFO if error.status == _NOT_FOUND else logging.WARNING,
        )
        self.synced.set()
        await asyncio.sleep(self._pace.absent * (0.75 + self._rand() / 2))

    def _say_once(self, sentence: str, level: int = logging.WARNING, exc_info: bool = False) -> None:
        if sentence not in self._said and len(self._said) < MAX_SAID:
            self._said.add(sentence)
            _LOG.log(level, "%s", sentence, exc_info=exc_info)


def _whole(text: msgspec.Raw) -> msgspec.Raw:
    """Better unknown than known in part. Raises RecursionError."""
    if CUT in bytes(text):
        raise RecursionError
    return text


def _place(raw: msgspec.Raw) -> Place:
    try:
        meta = msgspec.json.decode(raw, type=Named).metadata
    except MALFORMED:
        return ("", "")
    return (meta.namespace or "", meta.name)
