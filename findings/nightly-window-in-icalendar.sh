#!/usr/bin/env bash
# A nightly window written as an iCalendar rule is another night's in each library.
#
# One would guess: DTSTART;TZID=Europe/Rome:20260328T023000 with RRULE:FREQ=DAILY;COUNT=3 means the same three instants
# to every library for recurrence rules. On 2026-03-29 the clocks in Rome go from 02:00 to 03:00, so 02:30 does not
# exist.
# What happens: python-dateutil 4.0.0 gives 01:30Z on that night (the offset before the change, 03:30 on the clock),
# rrule 2.8.1 (npm) gives 00:30Z (01:30 on the clock, before the change), and rrule-temporal 2.2.8 (npm) leaves the
# night out and gives one night more at the end. When the clocks go back (2026-10-25), 02:30 comes twice:
# python-dateutil and rrule-temporal take the first (00:30Z), rrule the second (01:30Z).
# Source: RFC 5545, section 3.3.10 has instances with a nonexistent local time ignored; section 3.3.5 reads such a time
# with the offset before the gap, and one that comes twice as the first. The libraries follow one, the other, or
# neither.
# Why it matters: whoever exports a maintenance window as a rule (a calendar for the vendor's staff) shows another hour,
# or no window at all, in two nights of the year. Write each window as an event of its own, with times in UTC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check python-dateutil==4.0.0 tzdata==2026.6
npm install --silent --no-audit --no-fund --ignore-scripts rrule@2.8.1 rrule-temporal@2.2.8 >/dev/null

cat >windows.py <<'PYTHON'
from datetime import datetime, timezone
from dateutil import rrule, tz
for start in (datetime(2026, 3, 28, 2, 30), datetime(2026, 10, 24, 2, 30)):
    days = rrule.rrule(rrule.DAILY, dtstart=start.replace(tzinfo=tz.gettz("Europe/Rome")), count=3)
    print("python-dateutil", *(day.astimezone(timezone.utc).strftime("%m-%dT%H:%MZ") for day in days))
PYTHON
cat >windows.mjs <<'NODE'
import rrule from 'rrule';
import { RRuleTemporal } from 'rrule-temporal';
const shown = (instant) => new Date(instant).toISOString().slice(5, 16) + 'Z';
for (const start of ['20260328T023000', '20261024T023000']) {
  const rule = `DTSTART;TZID=Europe/Rome:${start}\nRRULE:FREQ=DAILY;COUNT=3`;
  console.log('rrule', ...rrule.rrulestr(rule).all().map(shown));
  const days = new RRuleTemporal({ rruleString: rule }).all();
  console.log('rrule-temporal', ...days.map((day) => shown(day.epochMilliseconds)));
}
NODE
{ python/bin/python windows.py; TZ=UTC node windows.mjs; } | tee seen

diff - seen <<'EXPECTED'
python-dateutil 03-28T01:30Z 03-29T01:30Z 03-30T00:30Z
python-dateutil 10-24T00:30Z 10-25T00:30Z 10-26T01:30Z
rrule 03-28T01:30Z 03-29T00:30Z 03-30T00:30Z
rrule-temporal 03-28T01:30Z 03-30T00:30Z 03-31T00:30Z
rrule 10-24T00:30Z 10-25T01:30Z 10-26T01:30Z
rrule-temporal 10-24T00:30Z 10-25T00:30Z 10-26T01:30Z
EXPECTED
echo "As described."
