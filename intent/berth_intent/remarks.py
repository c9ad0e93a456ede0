"""What is odd about an understood hint, told to its writer: names that do not exist, typos, wishes that lead nowhere.

Each warning says what was made of the words and what to write instead. No more than `MAX_WARNINGS` of a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from berth_intent.intents import AVOID_PLACES, OF_WORKLOADS, PREFER_PLACES, Intent, Level
from berth_intent.language.grammar import Reading
from berth_intent.language.names import Names
from berth_intent.language.normalise import Normal
from berth_intent.understood import Code, HintWarning, Preference
from berth_intent.vocabulary import Vocabulary

MAX_WARNINGS = 8

_LEVEL_OF = {intent: level for table in (PREFER_PLACES, AVOID_PLACES) for level, intent in table.items()}
_OF_GPU_MODELS = (Intent.PREFER_GPU_MODEL, Intent.AVOID_GPU_MODEL)


def spelling(corrected: Iterable[tuple[str, str]]) -> list[HintWarning]:
    """corrected: words as written, and what they were read as."""
    pairs = list(dict.fromkeys(corrected))[:MAX_WARNINGS]
    return [HintWarning(Code.SPELLING, f'"{written}" was read as "{meant}".') for written, meant in pairs]


def about_names(preferences: Sequence[Preference], names: Names) -> list[HintWarning]:
    """Names that the cluster does not have, that may mean several, and places of which nothing is left."""
    found: list[HintWarning] = []
    for preference in preferences:
        known, what = _known(preference, names.vocabulary)
        if not known:
            continue
        for value in preference.values:
            if value in known or _is_kind_of(value, known, preference.intent):
                continue
            several = names.ending(value.lower())
            if len(several) > 1:
                listed = ", ".join(place.name for place in several[:4])
                found.append(HintWarning(Code.AMBIGUOUS_NAME, f'"{value}" may be {listed}. Write the whole name.'))
            else:
                found.append(HintWarning(Code.UNKNOWN_NAME, f'No {what} is called "{value}" here. Check the name.'))
        if preference.intent in AVOID_PLACES.values() and set(known) <= set(preference.values):
            found.append(
                HintWarning(
                    Code.UNSATISFIABLE, f"Every {what} is avoided, so none is worse than another. Leave one out."
                )
            )
    return found[: 2 * MAX_WARNINGS]


def _known(preference: Preference, vocabulary: Vocabulary) -> tuple[tuple[str, ...], str]:
    level = _LEVEL_OF.get(preference.intent)
    if level is not None:
        places = {
            Level.REGION: vocabulary.regions,
            Level.ZONE: vocabulary.zones,
            Level.RACK: vocabulary.racks,
            Level.NODE: vocabulary.nodes,
        }
        return places[level], level.value
    if preference.intent in OF_WORKLOADS:
        return vocabulary.deployments, "workload"
    return (vocabulary.gpu_models, "GPU model") if preference.intent in _OF_GPU_MODELS else ((), "")


def _is_kind_of(value: str, known: Sequence[str], intent: Intent) -> bool:
    """A100 stands for A100-80GB too."""
    return intent in _OF_GPU_MODELS and any(name.startswith(f"{value}-") for name in known)


def about_wording(reading: Reading, normal: Normal, unparsed: Sequence[str]) -> list[HintWarning]:
    found = []
    for start, end in reading.alternatives[:MAX_WARNINGS]:
        written = normal.written(start, end)
        found.append(HintWarning(Code.ALTERNATIVES, f'Alternatives are taken one by one, each as a wish: "{written}".'))
    for start, end in reading.no_target[:MAX_WARNINGS]:
        written = normal.written(start, end)
        found.append(
            HintWarning(Code.NO_TARGET, f'"{written}" does not say from what or with what. Name a workload or place.')
        )
    if unparsed:
        listed = "; ".join(f'"{text}"' for text in unparsed[:MAX_WARNINGS])
        found.append(
            HintWarning(Code.NOT_UNDERSTOOD, f"It seems to be about placement, but was not understood: {listed}.")
        )
    return found
