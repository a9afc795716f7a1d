"""Computes `expected.txt`, apart from this program, with Python's `zoneinfo` and the rules of PyPI's tzdata 2026.6 (tzdata 2026f,
as the program has it; `PYTHONTZPATH=` keeps Python from taking the system's):

    PYTHONTZPATH= python3 tests/it/decisions/windows/expected.py > tests/it/decisions/windows/expected.txt

A local time that the clock change leaves out is taken with the offset before it, which moves it forward by the gap; of two that
are alike the first is taken (PEP 495, `fold=0`).
"""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EVERY_DAY = " ".join(DAYS)

# Zone, days on which the window opens, its start, its minutes, and the days (on the calendar there) that are looked at.
WINDOWS = [
    # North, both changes of the year: in the gap, in the hour that comes twice, across midnight, a whole day.
    ("Europe/Rome", EVERY_DAY, "01:00", 240, ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"]),
    ("Europe/Rome", EVERY_DAY, "02:30", 60, ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"]),
    ("Europe/Rome", EVERY_DAY, "22:00", 360, ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"]),
    ("Europe/Rome", "sun", "00:00", 1440, ["2026-03-29", "2026-10-25"]),
    ("Europe/Rome", "sat", "23:00", 1440, ["2026-03-28", "2026-10-24"]),
    ("America/New_York", EVERY_DAY, "02:15", 90, ["2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01"]),
    ("America/New_York", "sat sun", "01:30", 30, ["2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01"]),
    ("America/New_York", EVERY_DAY, "23:30", 300, ["2026-03-07", "2026-10-31"]),
    # Its standard time is that of summer, and winter an hour taken off it.
    ("Europe/Dublin", EVERY_DAY, "01:30", 60, ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"]),
    ("Europe/Dublin", EVERY_DAY, "23:00", 240, ["2026-03-28", "2026-10-24"]),
    # South: summer begins in September or October.
    ("America/Santiago", EVERY_DAY, "23:30", 120, ["2026-04-04", "2026-04-05", "2026-09-05", "2026-09-06"]),
    ("America/Santiago", EVERY_DAY, "00:15", 45, ["2026-04-04", "2026-04-05", "2026-09-05", "2026-09-06"]),
    ("Pacific/Auckland", EVERY_DAY, "02:30", 90, ["2026-04-04", "2026-04-05", "2026-09-26", "2026-09-27"]),
    ("Pacific/Auckland", EVERY_DAY, "21:00", 480, ["2026-04-04", "2026-09-26"]),
    # Half an hour only.
    ("Australia/Lord_Howe", EVERY_DAY, "01:45", 60, ["2026-04-04", "2026-04-05", "2026-10-03", "2026-10-04"]),
    ("Australia/Lord_Howe", EVERY_DAY, "02:10", 15, ["2026-10-03", "2026-10-04"]),
    ("Australia/Lord_Howe", "sun", "00:00", 1440, ["2026-04-05", "2026-10-04"]),
    # No change at all, and half an hour off.
    ("Asia/Kolkata", EVERY_DAY, "01:30", 60, ["2026-03-29", "2026-10-25"]),
    ("Asia/Kolkata", "wed", "00:00", 1440, ["2026-07-01"]),
    # The change is at midnight: there is no 00:00 on one day of the year, and two on another, or two 23:30.
    ("America/Havana", EVERY_DAY, "00:00", 60, ["2026-03-07", "2026-03-08", "2026-10-31", "2026-11-01"]),
    ("America/Havana", EVERY_DAY, "23:30", 120, ["2026-03-07", "2026-10-31"]),
    ("Asia/Beirut", EVERY_DAY, "00:30", 30, ["2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"]),
    ("Asia/Beirut", EVERY_DAY, "23:30", 45, ["2026-03-28", "2026-10-24", "2026-10-25"]),
    # Friday, 30 December 2011 was left out.
    ("Pacific/Apia", EVERY_DAY, "01:00", 180, ["2011-12-28", "2011-12-29", "2011-12-30", "2011-12-31"]),
    ("Pacific/Apia", "fri", "22:00", 240, ["2011-12-23", "2011-12-30"]),
    ("Pacific/Apia", "thu", "22:00", 1440, ["2011-12-29"]),
]


def opens_on(zone, day, start):
    local = datetime.combine(day, start, ZoneInfo(zone))
    return local.astimezone(timezone.utc)


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


print("# zone | days | start | minutes | day | opens | closes | opens next")
for zone, days, start, minutes, dates in WINDOWS:
    for day in map(date.fromisoformat, dates):
        at = time.fromisoformat(start)
        opens = opens_on(zone, day, at)
        later = (day + timedelta(days=number) for number in range(1, 9))
        following = (opens_on(zone, other, at) for other in later if DAYS[other.weekday()] in days.split())
        opens_next = next(other for other in following if other > opens)
        closes = opens + timedelta(minutes=minutes)
        print(" | ".join([zone, days, start, str(minutes), str(day), *map(text, [opens, closes, opens_next])]))
