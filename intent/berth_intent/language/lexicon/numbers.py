"""Number words of the three languages."""

from __future__ import annotations

from functools import cache

from berth_intent.language.normalise import fold

_ENGLISH = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ENGLISH_TENS = {
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
_SPANISH = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
_SPANISH_TENS = {
    "treinta": 30,
    "cuarenta": 40,
    "cincuenta": 50,
    "sesenta": 60,
    "setenta": 70,
    "ochenta": 80,
    "noventa": 90,
}
_GERMAN = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn"
_GERMAN_TENS = {
    "zwanzig": 20,
    "dreißig": 30,
    "vierzig": 40,
    "fünfzig": 50,
    "sechzig": 60,
    "siebzig": 70,
    "achtzig": 80,
    "neunzig": 90,
}
_HUNDREDS = {
    "hundred": 100,
    "cien": 100,
    "ciento": 100,
    "doscientos": 200,
    "quinientos": 500,
    "hundert": 100,
    "zweihundert": 200,
    "einhundert": 100,
    "fünfhundert": 500,
    "thousand": 1000,
    "mil": 1000,
    "tausend": 1000,
    "dozen": 12,
    "docena": 12,
    "dutzend": 12,
    "couple": 2,
    "trescientos": 300,
    "cuatrocientos": 400,
    "vierhundert": 400,
    "dreihundert": 300,
    "dual": 2,
    "quad": 4,
    "octa": 8,
    "dos": 2,
    "zwo": 2,
    "twin": 2,
    "quarter": 0.25,
}
TIMES = frozenset(("hundred", "thousand", "hundert", "tausend", "mil"))
"""They multiply the number before them."""
HALVES = {
    "half": 0.5,
    "quarter": 0.25,
    "medio": 0.5,
    "media": 0.5,
    "halbes": 0.5,
    "halber": 0.5,
    "halben": 0.5,
    "halbe": 0.5,
    "viertel": 0.25,
    "dreiviertel": 0.75,
    "cuarto": 0.25,
    "anderthalb": 1.5,
    "eineinhalb": 1.5,
}
AND_A_HALF = frozenset(("and a half", "y medio", "einhalb"))


@cache
def number_words() -> dict[str, float]:
    """Without one: that is an article too. All by their folded spelling."""
    found: dict[str, float] = {}
    for line in (_ENGLISH, _SPANISH, _GERMAN):
        found |= {word: float(value) for value, word in enumerate(line.split())}
    for tens in (_ENGLISH_TENS, _SPANISH_TENS, _GERMAN_TENS):
        found |= {word: float(value) for word, value in tens.items()}
    units = _ENGLISH.split()[1:10]
    found |= {f"{ten}-{unit}": tens + n for ten, tens in _ENGLISH_TENS.items() for n, unit in enumerate(units, 1)}
    ones = ("ein", *_GERMAN.split()[2:10])
    found |= {f"{unit}und{ten}": tens + n for ten, tens in _GERMAN_TENS.items() for n, unit in enumerate(ones, 1)}
    found |= {"hundertachtundzwanzig": 128.0, "zweihundertsechsundfünfzig": 256.0, "fünfhundertzwölf": 512.0}
    found |= {word: float(value) for word, value in _HUNDREDS.items()}
    for word in ("uno", "eins", "one", "null", "zero", "once"):
        found.pop(word, None)
    return {fold(word): value for word, value in found.items()}


@cache
def spanish_tens() -> dict[str, int]:
    """treinta y dos is 32."""
    return dict(_SPANISH_TENS)


DURATIONS = frozenset(
    [
        "ms",
        "millisecond",
        "milliseconds",
        "second",
        "seconds",
        "sec",
        "secs",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "sekunde",
        "sekunden",
        "minute",
        "minuten",
        "stunde",
        "stunden",
        "tag",
        "tage",
        "tagen",
        "woche",
        "wochen",
        "monat",
        "monate",
        "monaten",
        "jahr",
        "jahre",
        "jahren",
        "segundo",
        "segundos",
        "minuto",
        "minutos",
        "hora",
        "horas",
        "dia",
        "dias",
        "semana",
        "semanas",
        "mes",
        "meses",
        "ano",
        "anos",
    ]
)
PER = frozenset(("a", "an", "per", "each", "every", "/", "pro", "je", "por", "al", "a la"))
"""Before a duration they make a rate."""
