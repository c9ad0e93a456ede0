"""Asks a language model about hints that the parser left over, and keeps what it may be believed. While leading, never in a hurry.

    which hints are due (hint_due) -> may it cost so much (hint_budget), does the server answer (hint_breaker) -> ask
    (berth_intent.backends) -> what of it is believed (validated) -> kept (hint_answer_store), for later pods and plans

Nobody waits for it. Off by default, and only for namespaces that a policy names. Whatever goes wrong changes no reading: it is
counted, and the log names the kind of failure, never the hint. Each text is asked about once for the names that it may mean.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from berth_cluster.connection import ApiError
from berth_intent.backends.backend import MAX_OUTPUT_TOKENS, OF_THE_SERVER, Answer, Backend, BackendError, Failure
from berth_intent.backends.prompt import system_text, user_text
from berth_intent.backends.validated import Believed, validated
from berth_intent.improvements import MAX_ENTRY_BYTES, entry_text
from berth_intent.parser import parse
from berth_intent.understood import Understood
from berth_operator.hint_answer_store import SPENT, AnswerStore
from berth_operator.hint_breaker import Breaker
from berth_operator.hint_budget import Charge, DailyBudget, Limits
from berth_operator.hint_due import DueHint, DueHints
from berth_operator.hint_model_metrics import HintModelMetrics
from berth_operator.hinted_cluster import HintedCluster
from berth_scheduling.understanding import Parse

TICK_SECONDS = 2.0
AT_ONCE = 2
"""Questions under way."""
MAX_TRIES = 3
"""For one hint in a day. A new leader begins to count anew; the budget holds anyway."""
RETRY_SECONDS = 600.0
SOON_SECONDS = 60.0
"""Until a hint is tried again that the server never looked at."""
CHARACTERS_A_TOKEN = 3
"""Fewer than models have, so that an estimate is rather too high."""
ROOM_FOR_ENTRY = 2_048

_FREE = frozenset((Failure.THROTTLED, Failure.REFUSED, Failure.UNAVAILABLE))
"""Nothing was computed, and no fault of the hint's."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tried:
    times: int = 0
    not_before: float = 0.0


class HintModelWorker:
    def __init__(
        self,
        cluster: HintedCluster,
        store: AnswerStore,
        backend: Backend,
        limits: Limits,
        metrics: HintModelMetrics,
        *,
        timeout_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        read: Parse = parse,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._backend = backend
        self._metrics = metrics
        self._timeout = timeout_seconds
        self._on_answer = on_answer
        self._clock = clock
        self._now = now
        self._hints = DueHints(cluster, backend.model, clock, read)
        self._budget = DailyBudget(limits, now)
        self._breaker = Breaker(clock)
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._tried: dict[str, _Tried] = {}
        self._tried_on = ""

    async def run(self) -> None:
        """Until cancelled. Raises ApiError when what is kept cannot be read: then nothing may be asked."""
        await self.begin()
        try:
            while True:
                await self.round()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            under_way = list(self._asking.values())
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            self._asking.clear()

    async def begin(self) -> None:
        """Takes over what is kept and what was spent today."""
        await self._store.load()
        self._budget.load(self._store.data.get(SPENT))
        self._hints.forget()

    async def round(self) -> None:
        await self._hints.look(self._store.data)
        self._start()
        self._show()

    async def settled(self) -> None:
        """When no question is under way any more."""
        while self._asking:
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def _start(self) -> None:
        while len(self._asking) < AT_ONCE:
            hint = self._next()
            if hint is None:
                return
            cost = _estimate(hint)
            reason = self._held_back(hint, cost)
            if reason is not None:
                self._metrics.held_back.labels(reason).inc()
                return
            charge = self._budget.charge(hint.namespace, cost)
            self._asking[hint.key] = asyncio.create_task(self._ask(hint, charge), name="hint model")

    def _next(self) -> DueHint | None:
        """Of the namespace that has asked least today, of these the first."""
        at, today = self._clock(), self._now().date().isoformat()
        if today != self._tried_on:
            self._tried, self._tried_on = {}, today
        open_ones = (hint for hint in self._hints.due.values() if self._is_open(hint.key, at))
        return min(open_ones, key=lambda hint: self._budget.calls_of(hint.namespace), default=None)

    def _is_open(self, key: str, at: float) -> bool:
        tried = self._tried.get(key)
        resting = tried is not None and (tried.times >= MAX_TRIES or at < tried.not_before)
        return not resting and key not in self._asking

    def _held_back(self, hint: DueHint, cost: int) -> str | None:
        refused = self._budget.refusal(hint.namespace, cost, self._hints.namespaces)
        if refused is not None:
            return refused
        if not self._store.has_room(ROOM_FOR_ENTRY * (1 + len(self._asking)), self._hints.in_use):
            return "StoreFull"
        return None if self._breaker.lets_through() else "BreakerOpen"

    async def _ask(self, hint: DueHint, charge: Charge) -> None:
        try:
            if await self._is_written_down(hint, charge):
                believed = await self._answer(hint, charge)
                if believed is not None:
                    await self._keep(hint, believed.understood)
        except asyncio.CancelledError:
            self._breaker.not_asked()
            raise
        finally:
            self._asking.pop(hint.key, None)

    async def _is_written_down(self, hint: DueHint, charge: Charge) -> bool:
        """What a question costs, before it is sent."""
        try:
            await self._store.account(self._budget.text())
        except ApiError as error:
            logger.warning("no question is asked about hints, since what it costs cannot be written down: %s", error)
            self._budget.give_back(charge)
            self._breaker.not_asked()
            self._try_later(hint, SOON_SECONDS)
            return False
        return True

    async def _answer(self, hint: DueHint, charge: Charge) -> Believed | None:
        answer: Answer | None = None
        try:
            answer = await self._backend.ask(hint.text, hint.names, self._timeout)
            self._breaker.answered()
            believed = validated(answer.text, hint.text, hint.names)
        except BackendError as error:
            self._settle(charge, error, answer)
            self._failed(hint, error)
            return None
        except Exception as error:  # a fault of a library or of ours, met by one hint; its text may quote the hint
            self._breaker.failed()
            self._metrics.calls.labels("Unexpected").inc()
            logger.error("a question about a hint failed with %s", type(error).__name__)
            self._try_later(hint, RETRY_SECONDS, counts=True)
            return None
        self._settle(charge, None, answer)
        self._metrics.calls.labels("Answered").inc()
        self._metrics.seconds.observe(answer.seconds)
        self._metrics.wishes.labels("Believed").inc(len(believed.understood.preferences))
        for why, count in believed.dropped.items():
            self._metrics.wishes.labels(why).inc(count)
        return believed

    async def _keep(self, hint: DueHint, understood: Understood) -> None:
        at = int(self._now().timestamp())
        value = entry_text(at, self._backend.model, understood)
        if len(value) > MAX_ENTRY_BYTES:
            value = entry_text(at, self._backend.model, Understood())  # too long to be kept is as good as none
        try:
            gone = await self._store.keep(hint.key, value, self._budget.text(), self._hints.in_use)
        except ApiError as error:
            logger.warning("an answer about a hint was lost, since it could not be kept: %s", error)
            self._try_later(hint, RETRY_SECONDS, counts=True)
            return
        if gone is None:
            self._metrics.held_back.labels("StoreFull").inc()
            self._try_later(hint, RETRY_SECONDS, counts=True)
            return
        self._hints.due.pop(hint.key, None)
        self._metrics.evicted.inc(gone)
        self._on_answer()

    def _settle(self, charge: Charge, error: BackendError | None, answer: Answer | None) -> None:
        """What the question cost; where nobody told, the most that it can have, unless nothing was computed."""
        tokens = answer.tokens if answer is not None else error.tokens if error is not None else None
        if tokens is not None:
            self._metrics.tokens.labels("sent").inc(tokens.sent)
            self._metrics.tokens.labels("received").inc(tokens.received)
        free = answer is None and error is not None and error.failure in _FREE
        self._budget.settle(charge, tokens.total if tokens is not None else 0 if free else None)

    def _failed(self, hint: DueHint, error: BackendError) -> None:
        was_open = self._breaker.is_open
        if error.failure in OF_THE_SERVER:
            self._breaker.failed(error.retry_after)
        else:
            self._breaker.answered()
        self._metrics.calls.labels(error.failure.value).inc()
        if self._breaker.is_open and not was_open:
            logger.warning("the language model for hints is left alone for a while: %s", error)
        else:
            logger.info("no answer about a hint: %s", error)
        if error.failure in _FREE:
            self._try_later(hint, SOON_SECONDS)
        else:
            self._try_later(hint, RETRY_SECONDS, counts=True)

    def _try_later(self, hint: DueHint, seconds: float, *, counts: bool = False) -> None:
        """counts: among the tries of this hint."""
        tried = self._tried.setdefault(hint.key, _Tried())
        tried.times += counts
        tried.not_before = self._clock() + seconds

    def _show(self) -> None:
        at, left = self._clock(), self._budget.left
        self._metrics.waiting.set(sum(self._is_open(key, at) for key in self._hints.due))
        self._metrics.breaker_open.set(self._breaker.is_open)
        self._metrics.calls_left.set(left.calls)
        self._metrics.tokens_left.set(left.tokens)
        self._metrics.answers.set(self._store.answers)
        self._metrics.bytes.set(self._store.size)


def _estimate(hint: DueHint) -> int:
    """Tokens that a question may cost at most."""
    said = len(system_text()) + len(user_text(hint.text, hint.names))
    return said // CHARACTERS_A_TOKEN + MAX_OUTPUT_TOKENS
