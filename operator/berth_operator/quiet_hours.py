"""Daily times in which no plan begins. Pure; an unknown time zone counts as UTC, which the policy's status tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from berth_api.packing_policy import QuietHours

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def quiet_until(hours: Iterable[QuietHours], now: datetime) -> datetime | None:
    """When the quiet time that holds at `now` ends (UTC); None when none holds. Times that touch are not joined."""
    ends = [end for quiet in hours for end in _ends(quiet, now)]
    return max(ends, default=None)


def unknown_time_zones(hours: Iterable[QuietHours]) -> tuple[str, ...]:
    return tuple(quiet.time_zone for quiet in hours if _zone(quiet.time_zone) is None)


def _ends(quiet: QuietHours, now: datetime) -> Iterable[datetime]:
    zone = _zone(quiet.time_zone) or UTC
    local = now.astimezone(zone)
    begin, end = _time(quiet.from_), _time(quiet.to)
    for day in (local.date() - timedelta(days=1), local.date()):
        if quiet.days and _DAYS[day.weekday()] not in quiet.days:
            continue
        last_day = day if begin < end else day + timedelta(days=1)
        started = datetime.combine(day, begin, zone)
        ended = datetime.combine(last_day, end, zone)
        if started <= local < ended:
            yield ended.astimezone(UTC)


def _time(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours), int(minutes))


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
