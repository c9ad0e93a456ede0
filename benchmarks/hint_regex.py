"""A parser of the kind that the paper compares with: a list of fixed phrases, one regular expression an intent.

Its own is not published; this one is written after its description ("hard-coded phrases") as a floor, in one sitting, and is
not tuned on any corpus. The paper's reached 29.6 % subset accuracy on its data.
"""

from __future__ import annotations

import re

from berth_intent.intents import Intent
from berth_intent.understood import Preference

ZONE = r"\b[a-z]{2}-[a-z]+-\d[a-f]\b"
REGION = r"\b[a-z]{2}-[a-z]+-\d\b"

PHRASES: tuple[tuple[Intent, str], ...] = (
    (Intent.SPREAD_ZONES, r"spread (?:\w+ )*(?:across|over) (?:\w+ )*zones"),
    (Intent.SPREAD_REGIONS, r"spread (?:\w+ )*(?:across|over) (?:\w+ )*regions"),
    (Intent.SPREAD_RACKS, r"spread (?:\w+ )*(?:across|over) (?:\w+ )*racks"),
    (Intent.SPREAD_NODES, r"spread (?:\w+ )*(?:across|over) (?:\w+ )*nodes"),
    (Intent.PREFER_ZONES, rf"(?:in|prefer) (?:zone )?{ZONE}"),
    (Intent.AVOID_ZONES, rf"avoid (?:zone )?{ZONE}"),
    (Intent.PREFER_REGIONS, rf"(?:in|prefer) (?:region )?{REGION}(?![a-f])"),
    (Intent.AVOID_REGIONS, rf"avoid (?:region )?{REGION}(?![a-f])"),
    (Intent.PREFER_RACKS, r"(?:in|on|prefer) (?:rack )?rack-\d+"),
    (Intent.AVOID_RACKS, r"avoid (?:rack )?rack-\d+"),
    (Intent.PREFER_COLOCATE_SAME_DEPLOYMENT, r"co-?locate (?:all )?(?:the )?(?:pods|replicas)|same node"),
    (Intent.PREFER_NEARBY_NODES_SAME_DEPLOYMENT, r"nearby nodes|close to each other"),
    (Intent.PREFER_NEARBY_DEPLOYMENTS, r"(?:near|close to) (?:the )?([\w-]+)"),
    (Intent.AVOID_DEPLOYMENTS, r"away from (?:the )?([\w-]+)"),
    (Intent.PREFER_CPU, r"(\d+) (?:v?cpus?|cores)"),
    (Intent.PREFER_MEMORY_GB, r"(\d+) ?gi?b (?:of )?(?:ram|memory)|high memory"),
    (Intent.PREFER_GPU, r"(\d+) gpus?|needs? a gpu|gpu node"),
    (Intent.PREFER_TPU, r"\btpus?\b"),
    (Intent.PREFER_NETWORK_SPEED, r"(\d+) ?gbps"),
    (Intent.PREFER_STORAGE_TYPE, r"\b(nvme|ssd|hdd)\b"),
    (Intent.PREFER_EPHEMERAL_STORAGE, r"(\d+) ?gi?b (?:of )?(?:scratch|ephemeral)"),
)
COMPILED = tuple((intent, re.compile(pattern)) for intent, pattern in PHRASES)
STRENGTHS = (
    (1.5, re.compile(r"\b(?:must|critical|required)\b")),
    (0.5, re.compile(r"\b(?:prefer|maybe|if possible)\b")),
)


def parse(text: str) -> tuple[Preference, ...]:
    lowered = text.lower()
    strength = next((value for value, pattern in STRENGTHS if pattern.search(lowered)), 1.0)
    found = []
    for intent, pattern in COMPILED:
        match = pattern.search(lowered)
        if match is None:
            continue
        group = match.group(1) if match.re.groups else None
        number = float(group) if group and group.isdecimal() else None
        names = re.findall(f"{ZONE}|{REGION}|rack-\\d+", match.group()) or ([group] if group and number is None else [])
        found.append(Preference(intent, tuple(names), number, strength=strength, text=match.group()))
    return tuple(found)
