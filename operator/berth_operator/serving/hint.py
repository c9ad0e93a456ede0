"""What was understood of a service's hint, for its status. Remembered by text: it is asked at every look."""

from __future__ import annotations

from functools import lru_cache

from berth_api.llm_service import HintStatus
from berth_api.reasons import Reason
from berth_intent.parser import parse
from berth_intent.sentences import insistence, phrase
from berth_operator.serving.status import Verdict
from berth_operator.understood_as import outcomes

REMEMBERED = 2_000
MAX_LISTED = 64
MAX_SENTENCE = 1_024


@lru_cache(REMEMBERED)
def hint_status(text: str | None) -> tuple[Verdict, HintStatus | None]:
    """The condition HintUnderstood, and the wishes."""
    if not text:
        return ("Unknown", Reason.NO_HINT, "spec.placement.hint is empty"), None
    understood = parse(text)
    told = outcomes(understood)
    worst = next((one for one in told if one.is_warning), told[0])
    wishes = HintStatus(
        understood=[f"{insistence(p.strength)}: {phrase(p)}"[:MAX_SENTENCE] for p in understood.effective][:MAX_LISTED],
        unparsed=[part[:MAX_SENTENCE] for part in understood.unparsed][:MAX_LISTED],
    )
    message = " ".join(one.sentence for one in told)
    return ("True" if worst.reason is Reason.HINT_UNDERSTOOD else "False", worst.reason, message), wishes
