"""Where the clouds' regions are: continents, countries and cities, and what the names of regions and zones look like.

Sources: the published region lists of AWS, Google Cloud and Azure. `places` gives the beginnings of region names; a beginning
that ends in a digit or letter stands for that region alone.
"""

from __future__ import annotations

import re

_AWS = r"(?:us|eu|ap|sa|ca|me|af|il|mx|cn)(?:-gov|-iso[a-z]?)?-(?:northeast|northwest|southeast|southwest|north|south|east|west|central)-\d"
_GOOGLE = r"(?:us|europe|asia|australia|northamerica|southamerica|me|africa)-(?:northeast|northwest|southeast|southwest|north|south|east|west|central)\d{1,2}"
REGION = re.compile(
    rf"(?:{_AWS}|{_GOOGLE}|(?:east|west|central|northcentral|southcentral|westcentral)us\d?|(?:north|west)europe|uk(?:south|west)|germanywestcentral|francecentral|swedencentral|switzerlandnorth|southeastasia|eastasia|(?:japan|australia|canada)(?:east|west|central)|(?:central|south|west)india|brazilsouth|koreacentral)"
)
ZONE = re.compile(
    rf"(?:(?:{_AWS})[a-f]|(?:{_GOOGLE})-[a-f]|(?:eastus\d?|westus\d?|westeurope|northeurope|centralus|uksouth|germanywestcentral|francecentral)-[123])"
)

_EUROPE = (
    "eu-",
    "europe-",
    "westeurope",
    "northeurope",
    "uk",
    "france",
    "germany",
    "sweden",
    "switzerland",
    "norway",
    "italy",
    "spain",
    "poland",
)
_NORTH_AMERICA = (
    "us-",
    "ca-",
    "northamerica-",
    "mx-",
    "eastus",
    "westus",
    "centralus",
    "northcentralus",
    "southcentralus",
    "westcentralus",
    "canada",
    "mexico",
)
_USA = ("us-", "eastus", "westus", "centralus", "northcentralus", "southcentralus", "westcentralus")
_ASIA = (
    "ap-south-",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-7",
    "ap-northeast-",
    "ap-east-",
    "ap-south-",
    "ap-",
    "asia-",
    "eastasia",
    "southeastasia",
    "japan",
    "korea",
    "centralindia",
    "southindia",
    "westindia",
    "cn-",
    "indonesia",
)
_AUSTRALIA = ("ap-southeast-2", "ap-southeast-4", "australia-", "australia")
_MIDDLE_EAST = ("me-", "il-", "uae", "qatar", "israel")
_INDIA = ("ap-south-", "asia-south1", "asia-south2", "centralindia", "southindia", "westindia")
_SOUTH_AMERICA = ("sa-", "southamerica-", "brazil")
_AFRICA = ("af-", "africa-", "southafrica")
_GERMANY = ("eu-central-1", "europe-west3", "europe-west10", "germany")
_IRELAND = ("eu-west-1", "northeurope")
_UK = ("eu-west-2", "europe-west2", "uk")
_FRANCE = ("eu-west-3", "europe-west9", "france")
_SINGAPORE = ("ap-southeast-1", "asia-southeast1", "southeastasia")
_JAPAN = ("ap-northeast-1", "ap-northeast-3", "asia-northeast1", "asia-northeast2", "japan")

PLACES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "europe",
            "eu",
            "europa",
            "european union",
            "europaeische union",
            "union europea",
            "emea",
            "european",
            "europaeisch",
            "europaeischen",
            "europea",
            "europeas",
            "european regions",
            "the eu",
            "la ue",
            "ue",
            "der eu",
            "old continent",
            "european soil",
            "europaeische",
            "europeo",
        ),
        _EUROPE,
    ),
    **dict.fromkeys(
        (
            "asia",
            "asien",
            "apac",
            "asia pacific",
            "asia-pacific",
            "asian",
            "asiatisch",
            "asiatischen",
            "asia-pacifico",
            "far east",
            "asia pacifico",
            "asien-pazifik",
            "asiatica",
        ),
        _ASIA,
    ),
    **dict.fromkeys(
        (
            "north america",
            "norteamerica",
            "america del norte",
            "nordamerika",
            "america",
            "amerika",
            "americas",
            "north american",
        ),
        _NORTH_AMERICA,
    ),
    **dict.fromkeys(
        (
            "usa",
            "eeuu",
            "ee . uu",
            "ee.uu",
            "ee uu",
            "us",
            "united states",
            "the states",
            "eeuu",
            "ee.uu.",
            "ee.uu",
            "estados unidos",
            "vereinigte staaten",
            "vereinigten staaten",
            "u.s",
            "u.s.",
            "us regions",
            "american",
            "the us",
            "den usa",
            "us soil",
            "stateside",
            "eua",
            "united states of america",
            "ee uu",
            "us-based",
        ),
        _USA,
    ),
    **dict.fromkeys(
        (
            "us east",
            "us east coast",
            "east coast",
            "costa este",
            "ostkueste",
            "eastern us",
            "us-east",
            "virginia",
            "north virginia",
            "n. virginia",
            "northern virginia",
            "us-ostkueste",
            "este de eeuu",
            "ohio valley",
        ),
        ("us-east", "eastus"),
    ),
    **dict.fromkeys(
        (
            "us west",
            "us west coast",
            "west coast",
            "costa oeste",
            "westkueste",
            "western us",
            "us-west",
            "us-westkueste",
            "oeste de eeuu",
        ),
        ("us-west", "westus"),
    ),
    **dict.fromkeys(("oregon",), ("us-west-2", "us-west1", "westus2")),
    **dict.fromkeys(("california", "kalifornien", "northern california"), ("us-west-1", "us-west2", "westus")),
    **dict.fromkeys(("ohio",), ("us-east-2", "us-east5")),
    **dict.fromkeys(
        (
            "south america",
            "sudamerica",
            "america del sur",
            "suedamerika",
            "latam",
            "latin america",
            "brazil",
            "brasil",
            "brasilien",
            "sao paulo",
            "lateinamerika",
            "latinoamerica",
        ),
        _SOUTH_AMERICA,
    ),
    **dict.fromkeys(("africa", "afrika", "south africa", "sudafrica", "suedafrika", "cape town"), _AFRICA),
    **dict.fromkeys(("australia", "australien", "oceania", "ozeanien", "sydney", "melbourne", "oceania"), _AUSTRALIA),
    **dict.fromkeys(
        ("middle east", "oriente medio", "naher osten", "nahen osten", "bahrain", "uae", "dubai"), _MIDDLE_EAST
    ),
    **dict.fromkeys(("india", "indien", "mumbai", "bombay", "indian", "hyderabad", "la india"), _INDIA),
    **dict.fromkeys(
        (
            "germany",
            "deutschland",
            "alemania",
            "frankfurt",
            "german",
            "fra",
            "francfort",
            "deutschen",
            "deutsche",
            "berlin",
            "frankfurt am main",
        ),
        _GERMANY,
    ),
    **dict.fromkeys(("ireland", "irland", "irlanda", "dublin", "irish"), _IRELAND),
    **dict.fromkeys(
        (
            "uk",
            "united kingdom",
            "great britain",
            "england",
            "london",
            "grossbritannien",
            "reino unido",
            "londres",
            "inglaterra",
            "britain",
        ),
        _UK,
    ),
    **dict.fromkeys(("france", "frankreich", "francia", "paris"), _FRANCE),
    **dict.fromkeys(("singapore", "singapur"), _SINGAPORE),
    **dict.fromkeys(("japan", "japon", "tokyo", "tokio", "osaka"), _JAPAN),
    **dict.fromkeys(("canada", "kanada", "montreal", "toronto"), ("ca-", "northamerica-", "canada")),
    **dict.fromkeys(("sweden", "schweden", "suecia", "stockholm"), ("eu-north-1", "sweden", "europe-north2")),
    **dict.fromkeys(("spain", "spanien", "espana", "madrid"), ("eu-south-2", "europe-southwest1", "spain")),
    **dict.fromkeys(("italy", "italien", "italia", "milan", "milano"), ("eu-south-1", "europe-west8", "italy")),
    **dict.fromkeys(
        ("switzerland", "schweiz", "suiza", "zurich", "zuerich"), ("eu-central-2", "europe-west6", "switzerland")
    ),
    **dict.fromkeys(
        ("netherlands", "niederlande", "paises bajos", "holland", "amsterdam"), ("europe-west4", "westeurope")
    ),
    **dict.fromkeys(("belgium", "belgien", "belgica"), ("europe-west1",)),
    **dict.fromkeys(("finland", "finnland", "finlandia"), ("europe-north1",)),
    **dict.fromkeys(
        ("korea", "south korea", "seoul", "corea", "suedkorea"), ("ap-northeast-2", "asia-northeast3", "korea")
    ),
    **dict.fromkeys(("china",), ("cn-", "chinaeast", "chinanorth")),
    **dict.fromkeys(("hong kong",), ("ap-east-1", "asia-east2", "eastasia")),
}
"""Place to the beginnings of the names of its regions."""

_GERMAN = (
    "deutschland", "europa", "irland", "frankreich", "indien", "england", "grossbritannien", "spanien", "italien", "schweden",
    "japan", "kanada", "singapur", "australien", "asien", "amerika", "nordamerika", "suedamerika", "afrika", "brasilien",
)  # fmt: skip
PLACES.update({f"{name}s": PLACES[name] for name in _GERMAN if name in PLACES})  # "innerhalb Europas"
ADJECTIVES = frozenset(("german", "deutschen", "deutsche", "irish", "indian"))
"""They say where a noun of place is, and else a language or a people."""
EXPLICIT_CASE = {"us": "US", "eu": "EU", "uk": "UK", "ue": "UE", "fra": "FRA"}
"""Counted only when written in capitals, where that tells them apart."""


def regions_of(place: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    """Of those that exist, in their order."""
    beginnings = PLACES.get(place, ())
    found = tuple(region for region in regions if region.lower().startswith(beginnings)) if beginnings else ()
    if beginnings is _ASIA:
        found = tuple(region for region in found if not region.lower().startswith(_AUSTRALIA))
    return found
