//! Subscriptions that end soon: when staff are notified.

use jiff::{Timestamp, civil::Date};

use super::zone::Zone;

/// When staff were last notified, in a product's calendar.
#[derive(Clone, Copy, Debug)]
pub struct LastNotice {
    pub at: Timestamp,
    /// The day of that moment in the product's time zone.
    pub day: Date,
}

impl LastNotice {
    /// The moment as a day in a product's time zone.
    #[must_use]
    pub fn by(zone: &Zone, at: Timestamp) -> Self {
        Self { at, day: zone.date_at(at) }
    }
}

/// The number of days to report for a subscription today, if any. Of the configured steps, the lowest that has been
/// reached counts, if it was reached after staff were last notified: each step is reported once, even if the server was
/// down on its day. A subscription that was entered later has not been reported at all.
#[must_use]
pub fn days_left(
    ladder: &[u16],
    ends_on: Date,
    created_at: Timestamp,
    today: Date,
    last_notice: Option<LastNotice>,
) -> Option<i64> {
    let left = i64::from((ends_on - today).get_days());
    let step = ladder.iter().map(|step| i64::from(*step)).filter(|step| (0..=*step).contains(&left)).min()?;
    let reached_on = ends_on.saturating_sub(jiff::Span::new().days(step));
    let is_news = last_notice.is_none_or(|last_notice| reached_on > last_notice.day || created_at > last_notice.at);
    is_news.then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const LADDER: [u16; 4] = [60, 30, 7, 1];

    fn on(today: Date, last_notice: Option<Date>) -> Option<i64> {
        let noon = |day: Date| day.at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp();
        let last_notice = last_notice.map(|day| LastNotice { at: noon(day), day });
        days_left(&LADDER, date(2026, 6, 30), noon(date(2026, 1, 1)), today, last_notice)
    }

    #[test]
    fn each_step_is_told_once_on_its_day() {
        let mut today = date(2026, 4, 1);
        let mut steps = Vec::new();
        while today < date(2026, 7, 10) {
            steps.extend(on(today, today.yesterday().ok()));
            today = today.tomorrow().expect("a day");
        }
        assert_eq!(steps, [60, 30, 7, 1]);
    }

    #[test]
    fn what_fell_into_a_time_away_is_told_afterwards_and_once() {
        // Away from day 33 to day 5 before the end: the steps of 30 and 7 days are reported as one, with the days that
        // are left.
        assert_eq!(on(date(2026, 6, 25), Some(date(2026, 5, 28))), Some(5));
        assert_eq!(on(date(2026, 6, 25), Some(date(2026, 6, 23))), None);
        assert_eq!(on(date(2026, 6, 30), Some(date(2026, 6, 28))), Some(0));
        assert_eq!(on(date(2026, 7, 1), Some(date(2026, 6, 28))), None, "it has ended");
        assert_eq!(on(date(2026, 5, 10), None), Some(51), "never notified");
        assert_eq!(on(date(2026, 4, 10), None), None, "too early");
    }

    #[test]
    fn what_was_entered_since_is_told_of() {
        let last_notice = LastNotice { at: Timestamp::UNIX_EPOCH, day: date(2026, 6, 20) };
        let later = "1970-01-01T00:00:01Z".parse().expect("a time");
        let left = |created_at| days_left(&LADDER, date(2026, 6, 30), created_at, date(2026, 6, 21), Some(last_notice));
        assert_eq!(left(later), Some(9));
        assert_eq!(left(Timestamp::UNIX_EPOCH), None);
    }
}
