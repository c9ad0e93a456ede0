"""The engine: take in, ask the policy, run one slice, hand out what it gave. `step` is the whole loop.

One thread owns the roster, the policy and the runner; other threads only drop requests and cancellations into its inbox, which
it empties before every slice. So whatever happens, it is known at most one layer slice later.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from berth_engine.admission import Admission, QueueLimits, Refused
from berth_engine.batch import Pass
from berth_engine.kv_cache import BlockPool, Copy
from berth_engine.request import Finish, Request, State
from berth_engine.roster import Counts, Policy, Roster
from berth_engine.sampling import Chosen, Sampler
from berth_engine.text import TextStream

log = logging.getLogger(__name__)

IDLE_LOOK = 1.0  # seconds between looks at the inbox when nothing wakes the engine


class Slices(Protocol):
    """What the engine needs of a runner."""

    layers: int

    def copy(self, copies: list[Copy]) -> None: ...
    def run_slice(self, running: Pass) -> bool: ...
    def finish(self, done: Pass) -> dict[str, torch.Tensor]: ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something new of a request; `finish` is set in its last one. `error` says why it ended with Finish.ERROR."""

    request: Request
    text: str = ""
    tokens: tuple[Chosen, ...] = ()
    finish: Finish | None = None
    error: str = ""

    @property
    def prompt_tokens(self) -> int:
        return len(self.request.prompt)

    @property
    def output_tokens(self) -> int:
        return len(self.request.output)

    @property
    def cached_tokens(self) -> int:
        return self.request.cached


@dataclass(frozen=True, slots=True)
class Gauges:
    """How the engine stands now. Counts are since the start; kv_use is 0 to 1 of the device's blocks."""

    waiting: dict[int, int]
    running: int
    paused: int
    kv_use: float
    host_use: float
    spilled_blocks: int
    counts: Counts


@dataclass(slots=True)
class _Client:
    """The other end of a request."""

    sampler: Sampler
    text: TextStream | None
    tell: Callable[[Event], None]

    def catch_up(self, request: Request, vocabulary: int) -> None:
        """To where another engine left the request."""
        self.sampler.wind_on(len(request.output), vocabulary)
        if self.text is not None:
            for token in request.output:
                self.text.push(token)


class Engine:
    """Serves requests through one runner under one policy."""

    def __init__(
        self, runner: Slices, policy: Policy, pool: BlockPool, *, tokenizer: Any = None, eos: frozenset[int] = frozenset(),
        max_context: int | None = None, queue: QueueLimits = QueueLimits(), clock: Callable[[], float] = time.monotonic,  # noqa: B008
    ) -> None:  # fmt: skip
        self.runner, self.policy, self.tokenizer, self.eos, self.clock = runner, policy, tokenizer, eos, clock
        self.roster = Roster(pool, runner.layers)
        self.max_context = max_context
        self.admission = Admission(queue)
        self.draining = False
        self.failed: str | None = None
        self._clients: dict[str, _Client] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._known: dict[str, Request] = {}  # all requests that have not ended, those in the inbox too
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._closed = False  # nobody looks into the inbox any more
        self._thread: threading.Thread | None = None

    # -- from any thread

    def submit(self, request: Request, on_event: Callable[[Event], None], vocabulary: int = 0) -> None:
        """Take a request in; `on_event` is called from the engine's thread. Raises Refused.

        A request that another engine began comes with its output so far: it is computed like the prompt, and told nobody again.
        `vocabulary` is needed for those.
        """
        if not request.prompt:
            raise Refused("EmptyPrompt", "the prompt has no token; send at least one", 400)
        if request.longest > self.room:
            raise Refused(
                "ContextTooLong",
                f"{len(request.prompt)} prompt tokens and max_tokens {request.sampling.max_tokens} "
                f"exceed the {self.room} tokens of context; shorten one of them",
                400,
            )
        client = _Client(
            Sampler(request.sampling),
            TextStream(self.tokenizer, request.sampling.stop) if self.tokenizer else None,
            on_event,
        )
        if request.taken_over:
            client.catch_up(request, vocabulary)
        with self._lock:
            self._check_open()
            if request.id in self._known:
                raise Refused("DuplicateId", f"a request {request.id} is here already", 400)
            now = self.clock()
            self.admission.check(
                request, (other for other in self._known.values() if other.state is State.WAITING), now
            )
            request.arrived = now
            self._known[request.id] = request
            self._put(lambda: self._take(request, client))

    def cancel(self, request_id: str) -> None:
        """The client has gone: free what its request holds before the next slice. Unknown ids are none."""
        self._put(lambda: self._leave(request_id, Finish.CANCELLED))

    def abort(self, finish: Finish) -> None:
        """End all that is left, each with the tokens it has."""
        self._put(lambda: self._leave_all(finish))

    def drain(self) -> None:
        """Refuse new work from now on; `idle` tells when the rest is done."""
        self.draining = True

    @property
    def room(self) -> int:
        """Tokens that a request may come to have: what the model was made for, and what the cache can hold."""
        pool = self.roster.pool
        return min(self.max_context or 2**62, pool.device * pool.size)

    @property
    def idle(self) -> bool:
        return not self._known

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self.failed is None

    def gauges(self) -> Gauges:
        with self._lock:
            waiting = Counter(request.priority for request in self._known.values() if request.state is State.WAITING)
        roster, pool = self.roster, self.roster.pool
        paused = max(0, roster.paused())
        running = max(0, len(roster.admitted) - paused)
        return Gauges(
            dict(waiting), running, paused, pool.used / pool.device, pool.used_host / max(1, pool.host), pool.spilled_blocks,
            roster.counts,
        )  # fmt: skip

    def start(self) -> None:
        """Run in a thread of its own until `stop`."""
        self._thread = threading.Thread(target=self._run, name="berth-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the slice that runs; what is left ends as cancelled."""
        self.abort(Finish.CANCELLED)
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    # -- the engine's own thread

    def step(self) -> bool:
        """Run one slice; False if there was nothing to do."""
        while self._inbox:
            self._inbox.popleft()()
        running = self.policy.next_pass(self.roster, self.clock())
        if running is None:
            return False
        if running.layer == 0 and running.work is None:
            for chunk in running.chunks:
                if chunk.start == chunk.request.cached and not chunk.request.output:
                    self.admission.started(chunk.request, self.clock())
        copies = self.roster.pool.take_copies()
        if copies:
            self.runner.copy(copies)
        if self.runner.run_slice(running) and self.roster.slice_done():
            self._close(running)
        return True

    def _close(self, done: Pass) -> None:
        chosen: dict[str, Chosen] = {}
        for request_id, logits in self.runner.finish(done).items():
            try:
                chosen[request_id] = self._clients[request_id].sampler.choose(logits)
            except RuntimeError as error:  # one request's numbers must not end the others
                log.warning("request %s: no token could be chosen: %s", request_id, error)
                self._leave(request_id, Finish.ERROR, "the model gave no finite probabilities for the next token")
        done.work = None
        if not done.chunks:
            return
        now = self.clock()
        for request in self.roster.close(done, {request_id: token.token for request_id, token in chosen.items()}, now):
            self._tell(request, chosen[request.id], now)

    def _tell(self, request: Request, chosen: Chosen, now: float) -> None:
        client = self._clients[request.id]
        sampling = request.sampling
        ends = (not sampling.ignore_eos and chosen.token in self.eos) or chosen.token in sampling.stop_tokens
        finish = Finish.STOP if ends else Finish.LENGTH if len(request.output) >= sampling.max_tokens else None
        text = ""
        if client.text is not None:
            text = "" if ends else client.text.push(chosen.token)
            if not client.text.stopped and finish is not None:
                text += client.text.end()
            if client.text.stopped:
                finish = Finish.STOP
        if finish is not None:
            self._forget(request, finish)
        client.tell(Event(request, text, (chosen,), finish))

    def _take(self, request: Request, client: _Client) -> None:
        self._clients[request.id] = client
        self.roster.enqueue(request)

    def _leave(self, request_id: str, finish: Finish, error: str = "") -> None:
        client = self._clients.get(request_id)
        if client is None:
            return
        request = self._known[request_id]
        text = ""
        if finish is not Finish.DRAINING and client.text is not None and not client.text.stopped:
            text = client.text.end()  # who takes over a request of a leaving engine says what was held back
        self._forget(request, finish)
        client.tell(Event(request, text, (), finish, error))

    def _leave_all(self, finish: Finish, error: str = "") -> None:
        for request_id in list(self._clients):
            self._leave(request_id, finish, error)

    def _forget(self, request: Request, finish: Finish) -> None:
        self.roster.leave(request, finish, self.clock())
        del self._clients[request.id]
        with self._lock:
            del self._known[request.id]

    def _check_open(self) -> None:
        if self.failed is not None:
            raise Refused("EngineFailed", f"the engine stopped: {self.failed}; the pod must be restarted", 503)
        if self.draining or self._closed:
            raise Refused("Draining", "this server is shutting down; send to another replica", 503, 1.0)

    def _put(self, what: Callable[[], None]) -> None:
        self._inbox.append(what)
        self._wake.set()

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._wake.clear()
                if not self.step() and not self._inbox:
                    self._wake.wait(IDLE_LOOK)
        except Exception as error:  # a failing device serves nobody: tell everyone, then be unhealthy
            log.exception("the engine failed")
            self.failed = f"{type(error).__name__}: {error}"
        with self._lock:
            self._closed = True
        while self._inbox:
            self._inbox.popleft()()
        if self.failed:
            self._leave_all(Finish.ERROR, f"the engine stopped: {self.failed}")
        else:
            self._leave_all(Finish.CANCELLED)
