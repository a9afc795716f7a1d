//! Hosting groups and their nightly maintenance windows (contract section 3, rule 9).

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Time, Weekday},
    tz::Disambiguation,
};

use super::{
    id::{HostingGroupId, SubscriptionId},
    line::Line,
    named_enum,
    slug::Slug,
    spread,
    zone::Zone,
};

/// The longest time over which the sites of a group spread their start, in seconds. The rest of the window is for the
/// updates.
const LONGEST_JITTER: u64 = 15 * 60;

/// When a site of a full group asks again, in seconds: earliest and latest. An update takes minutes.
const ASK_AGAIN: (u64, u64) = (60, 300);

named_enum! {
    /// A day of the week.
    Day, "day" {
        Monday = "mon",
        Tuesday = "tue",
        Wednesday = "wed",
        Thursday = "thu",
        Friday = "fri",
        Saturday = "sat",
        Sunday = "sun",
    }
}

impl Day {
    const fn of(weekday: Weekday) -> Self {
        match weekday {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// A weekly schedule in which hosted sites may be updated.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Window {
    /// The days on which it opens; at least one.
    pub days: Vec<Day>,
    /// The time at which it opens, in the group's zone.
    pub start: Time,
    /// Elapsed time; 1 to 1440.
    pub duration_minutes: u16,
}

/// Cloud subscriptions that share a time zone and a maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HostingGroup {
    pub id: HostingGroupId,
    pub slug: Slug,
    pub name: Line,
    pub timezone: Zone,
    pub window: Window,
    /// The most sites that may be updating at the same time.
    pub max_concurrent: Option<u32>,
    /// Counts changes, for `If-Match`.
    pub revision: i64,
}

impl HostingGroup {
    /// Whether the window is open; its end is exclusive.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let length = i64::from(self.window.duration_minutes).minutes();
        // An open window began today or, because it lasts at most a day, on one of the two days before (two, because a
        // day can have 25 hours).
        self.starts_from(now, -2)
            .take(4)
            .any(|start| start <= now && start.checked_add(length).is_ok_and(|end| now < end))
    }

    /// When the window opens next, after `now`. `None` only at the end of the calendar.
    #[must_use]
    pub fn next_start(&self, now: Timestamp) -> Option<Timestamp> {
        self.starts_from(now, -1).find(|start| *start > now)
    }

    /// When a site should come for the next window after `now`: always the same number of seconds into it, so that
    /// sites do not come all at once. `None` only at the end of the calendar.
    #[must_use]
    pub fn next_turn(&self, site: SubscriptionId, now: Timestamp) -> Option<Timestamp> {
        // A quarter of the window in seconds. A window lasts at least a minute.
        let quarter = u64::from(self.window.duration_minutes.max(1)) * 60 / 4;
        let jitter = spread::number(self.id.0, site.0) % quarter.min(LONGEST_JITTER);
        self.next_start(now)?.checked_add(i64::try_from(jitter).ok()?.seconds()).ok()
    }

    /// After how many seconds a site asks again if the group is full. Each site has its own number.
    #[must_use]
    pub fn ask_again_after(&self, site: SubscriptionId) -> i64 {
        let (earliest, latest) = ASK_AGAIN;
        let after = earliest + spread::number(self.id.0, site.0) % (latest - earliest + 1);
        i64::try_from(after).unwrap_or(i64::MAX)
    }

    /// The starts of the window in ten days, beginning `first` days from today.
    fn starts_from(&self, now: Timestamp, first: i64) -> impl Iterator<Item = Timestamp> + '_ {
        let today = self.timezone.date_at(now);
        (first..first + 10)
            .filter_map(move |offset| today.checked_add(offset.days()).ok())
            .filter_map(|day| self.start_on(day))
    }

    /// When the window opens on a day, if it does. When clocks go forward over the start, the window opens at the first
    /// valid time after the gap. When the hour is repeated, it opens the first time (`Disambiguation::Compatible`; RFC
    /// 5545, 3.3.5).
    fn start_on(&self, day: Date) -> Option<Timestamp> {
        if !self.window.days.contains(&Day::of(day.weekday())) {
            return None;
        }
        let wall = day.to_datetime(self.window.start);
        self.timezone.rules().to_ambiguous_timestamp(wall).disambiguate(Disambiguation::Compatible).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(zone: &str, start: (i8, i8), minutes: u16) -> HostingGroup {
        HostingGroup {
            id: HostingGroupId(uuid::Uuid::nil()),
            slug: "nightly".parse().expect("a slug"),
            name: "Nightly".parse().expect("a line"),
            timezone: zone.parse().expect("a zone"),
            window: Window {
                days: Day::ALL.to_vec(),
                start: Time::constant(start.0, start.1, 0, 0),
                duration_minutes: minutes,
            },
            max_concurrent: None,
            revision: 1,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_window_includes_its_start_not_its_end_and_crosses_midnight() {
        let nightly = group("Europe/Rome", (23, 30), 90);
        assert!(!nightly.is_open(at("2026-11-22T22:29:59Z")));
        assert!(nightly.is_open(at("2026-11-22T22:30:00Z")));
        assert!(nightly.is_open(at("2026-11-22T23:59:59Z")));
        assert!(!nightly.is_open(at("2026-11-23T00:00:00Z")));
        assert_eq!(nightly.next_start(at("2026-11-22T22:30:00Z")), Some(at("2026-11-23T22:30:00Z")));
    }

    #[test]
    fn a_start_skipped_by_a_clock_change_moves_forward_by_the_gap() {
        // 02:30 does not exist in Rome on 2026-03-29: the clock jumps from 02:00 to 03:00 at 01:00Z.
        let nightly = group("Europe/Rome", (2, 30), 60);
        assert_eq!(nightly.next_start(at("2026-03-29T00:00:00Z")), Some(at("2026-03-29T01:30:00Z")));
        assert!(!nightly.is_open(at("2026-03-29T01:29:59Z")));
        assert!(nightly.is_open(at("2026-03-29T02:29:59Z")));
        assert!(!nightly.is_open(at("2026-03-29T02:30:00Z")));
    }

    #[test]
    fn a_repeated_start_is_the_first_and_the_length_is_elapsed_time() {
        // 02:30 occurs twice in Rome on 2026-10-25, at 00:30Z and 01:30Z.
        let nightly = group("Europe/Rome", (2, 30), 60);
        assert!(nightly.is_open(at("2026-10-25T00:30:00Z")));
        assert!(!nightly.is_open(at("2026-10-25T01:30:00Z")));
        assert_eq!(nightly.next_start(at("2026-10-25T00:30:00Z")), Some(at("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn a_window_of_a_whole_day_is_still_open_on_the_long_day() {
        let nightly = HostingGroup {
            window: Window { days: vec![Day::Saturday], start: Time::constant(23, 0, 0, 0), duration_minutes: 1440 },
            ..group("Europe/Rome", (23, 0), 1440)
        };
        assert!(nightly.is_open(at("2026-10-25T20:59:59Z")));
        assert!(!nightly.is_open(at("2026-10-25T21:00:00Z")));
    }
}
