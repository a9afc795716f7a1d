//! Maintenance windows over the changes of clocks all over the world, against instants that another program computed
//! (`windows/expected.py`), and against the calendar read minute by minute.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time, date},
};
use sluice::domain::{
    hosting_group::{Day, HostingGroup, Window},
    id::{HostingGroupId, SubscriptionId},
};
use uuid::Uuid;

const EXPECTED: &str = include_str!("windows/expected.txt");

fn group(zone: &str, days: &str, start: &str, minutes: &str) -> HostingGroup {
    HostingGroup {
        id: HostingGroupId(Uuid::from_u128(7)),
        slug: "nightly".parse().unwrap(),
        name: "Nightly".parse().expect("a line"),
        timezone: zone.parse().unwrap(),
        window: Window {
            days: days.split(' ').map(|day| day.parse().unwrap()).collect(),
            start: start.parse().unwrap(),
            duration_minutes: minutes.parse().unwrap(),
        },
        max_concurrent: None,
        revision: 1,
    }
}

#[test]
fn windows_open_and_close_when_another_program_says_so() {
    let moment = SignedDuration::from_micros(1);
    let mut zones = BTreeMap::<&str, u32>::new();
    for line in EXPECTED.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(" | ").collect();
        let &[zone, days, start, minutes, _, opens, closes, opens_next] = fields.as_slice() else { panic!("{line}") };
        let group = group(zone, days, start, minutes);
        let [opens, closes, opens_next]: [Timestamp; 3] = [opens, closes, opens_next].map(|at| at.parse().unwrap());
        assert!(!group.is_open(opens - moment), "open before its start: {line}");
        assert!(group.is_open(opens), "closed at its start: {line}");
        assert!(group.is_open(closes - moment), "closed before its end: {line}");
        assert!(!group.is_open(closes), "open at its end: {line}");
        assert_eq!(group.next_start(opens - moment), Some(opens), "{line}");
        for meanwhile in [opens, closes, opens_next - moment] {
            assert_eq!(group.next_start(meanwhile), Some(opens_next), "{line}");
        }
        *zones.entry(zone).or_default() += 1;
    }
    assert!(zones.len() >= 10 && zones.values().sum::<u32>() > 60, "{zones:?}");
}

/// When the window opens on a day, told from nothing but what the clocks there show at each minute: the first minute at
/// which they show its start; where they never do, as long after the last minute before it as they would have.
fn opens_on(shown: &[(Timestamp, DateTime)], day: Date, start: Time) -> Timestamp {
    let wall = day.to_datetime(start);
    // The clocks go back by three hours at most, and are read for two days on either side.
    let from = shown.partition_point(|(_, clock)| clock.date() < day - 2.days());
    let near = &shown[from..];
    if let Some((at, _)) = near.iter().find(|(_, clock)| *clock == wall) {
        return *at;
    }
    let (before, clock) = near.iter().take_while(|(_, clock)| *clock < wall).last().unwrap();
    *before + wall.duration_since(*clock)
}

/// Every minute of 2026 (of 2011 in Apia, which then left out a day) is inside a window or not, as its calendar says.
fn is_open_by_the_calendar(zone: &str, year: i16, days: &[&str], start: &str, minutes: u16) {
    let group = group(zone, &days.join(" "), start, &minutes.to_string());
    let from: Timestamp = date(year - 1, 12, 25).in_tz("UTC").unwrap().timestamp();
    let minute = SignedDuration::from_mins(1);
    let shown: Vec<(Timestamp, DateTime)> = (0..(380 * 24 * 60))
        .map(|number| from + minute * number)
        .map(|at| (at, group.timezone.rules().to_datetime(at)))
        .collect();
    let mut open = vec![false; shown.len()];
    for offset in 0..370_i64 {
        let day = date(year - 1, 12, 29) + offset.days();
        if days.contains(&Day::ALL[usize::try_from(day.weekday().to_monday_zero_offset()).unwrap()].as_str()) {
            let opens = opens_on(&shown, day, group.window.start);
            let place = usize::try_from(opens.duration_since(from).as_mins()).unwrap();
            open[place..(place + usize::from(minutes)).min(shown.len())].fill(true);
        }
    }
    for ((at, clock), open) in shown.iter().zip(open) {
        if clock.year() == year {
            assert_eq!(group.is_open(*at), open, "{zone} {start} {minutes}: {at}, there {clock}");
        }
    }
}

const EVERY_DAY: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

#[test]
fn every_minute_of_a_year_in_rome_is_inside_or_outside_a_window() {
    is_open_by_the_calendar("Europe/Rome", 2026, &EVERY_DAY, "22:30", 300);
}

#[test]
fn each_minute_of_a_year_on_lord_howe_is_inside_a_window_or_not() {
    is_open_by_the_calendar("Australia/Lord_Howe", 2026, &["sat", "sun", "tue"], "01:45", 1440);
}

#[test]
fn each_minute_of_a_year_in_havana_is_inside_a_window_or_not() {
    is_open_by_the_calendar("America/Havana", 2026, &EVERY_DAY, "00:00", 61);
}

#[test]
fn every_minute_of_the_year_apia_skipped_a_day_is_in_or_out() {
    is_open_by_the_calendar("Pacific/Apia", 2011, &["thu", "fri", "sun"], "23:10", 200);
}

#[test]
fn a_thousand_sites_are_spread_over_the_start_of_the_window() {
    let group = group("Europe/Rome", "mon", "01:00", "240");
    let now: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
    let mut seconds = BTreeMap::<Timestamp, u32>::new();
    for number in 0..1_000 {
        let site = SubscriptionId(Uuid::from_u128(0x0199_a0de_0000_7000_8000_0000_0000_0000 + number));
        let comes = group.next_turn(site, now).unwrap();
        assert_eq!(
            group.next_turn(site, now + SignedDuration::from_hours(30)),
            Some(comes),
            "it stays the same moment"
        );
        assert!(group.is_open(comes));
        *seconds.entry(comes).or_default() += 1;
    }
    let most = seconds.values().max().unwrap();
    assert!(*most <= 8, "{most} of 1000 come in one second");
    let (first, last) = (seconds.keys().next().unwrap(), seconds.keys().last().unwrap());
    assert!(last.duration_since(*first) > SignedDuration::from_mins(14), "{first} to {last}");
    assert!(seconds.len() > 500, "{} different seconds", seconds.len());
}
