//! Each flow against a really started server: as it should go, with a kill in mid-download, with a byte that is always
//! wrong, and with an expired subscription.

use std::{fs, thread, time::Duration};

use serde_json::{Value, json};

use super::{
    proxy::Fault,
    site::{Settings, Site, archive, program},
    vendor::Vendor,
};
use crate::harness::S3;

const NO_END: &str = "2099-12-31";
const LONG_AGO: &str = "2021-01-31";

/// The bad days that every flow has to survive.
#[derive(Clone, Copy, PartialEq)]
enum Day {
    Good,
    Killed,
    Corrupted,
}

/// A vendor with versions 12.4.0 and 13.0.0 for these programs. A `13` server accepts only `13` clients.
fn vendor(components: &[&str]) -> Vendor {
    filled(Vendor::start(), components)
}

fn filled(vendor: Vendor, components: &[&str]) -> Vendor {
    for (version, published_at) in [("12.4.0", Some("2020-06-01T00:00:00Z")), ("13.0.0", None)] {
        let archives: Vec<_> =
            components.iter().map(|component| (*component, archive(&program(version, &[])))).collect();
        vendor.publish(version, json!({}), &archives, published_at);
    }
    vendor
}

fn site(vendor: &Vendor, key: &str, version: &str, shared: Option<&Site>, has_database: bool) -> Site {
    let more = shared.map_or(String::from("carry_over = [\"templates\"]\nshared_dir = \"shared\"\n"), |server| {
        format!("shared_dir = {:?}\n", server.path("shared").display().to_string())
    });
    let settings = Settings { product: "office-maker", license_key: key, without_database: !has_database, more };
    Site::with(version, &vendor.base_url, &settings)
}

/// Plays the start of an updater that downloads, on such a day, and checks what the customer then has.
fn play_download(vendor: &Vendor, site: &Site, example: &str, arguments: &[&str], component: &str, day: Day) {
    match day {
        Day::Good => {}
        Day::Corrupted => vendor.proxy.spoil(Fault { flip_byte: Some(9_999), times: 99, ..Fault::default() }),
        Day::Killed => {
            vendor.proxy.spoil(Fault { bytes_per_10_ms: Some(1_000), times: 1, ..Fault::default() });
            let mut updater = site.start(example, arguments);
            while vendor.proxy.downloads().first().is_none_or(|seen| seen.sent < 60_000) {
                assert_eq!(updater.try_wait().unwrap(), None, "it ended before the kill");
                thread::sleep(Duration::from_millis(5));
            }
            updater.kill().unwrap();
            updater.wait().unwrap();
            assert_eq!(site.version(), "12.4.0");
        }
    }
    let played = site.play(example, arguments);
    let run = vendor.run_of(component);
    assert_eq!(run["stage"], "ended");
    if day == Day::Corrupted {
        assert_eq!(played.code, Some(20), "{played:?}");
        assert!(played.said.contains("https://vendor.example/help"), "{played:?}");
        assert_eq!((site.version(), &run["outcome"]), ("12.4.0".into(), &json!("rolled_back")));
        assert_eq!((&run["error"]["class"], &run["error"]["code"]), (&json!("integrity"), &json!("sha256_mismatch")));
    } else {
        assert_eq!(played.code, Some(0), "{played:?}");
        assert_eq!((site.version(), &run["outcome"]), ("13.0.0".into(), &json!("succeeded")));
    }
    if day == Day::Killed {
        let resumed = vendor.proxy.downloads().pop().unwrap();
        assert!(resumed.range.is_some_and(|range| range != "bytes=0-"), "the second start resumed");
    }
    assert_eq!(site.leftovers(), [""; 0]);
}

/// The database that belongs to the version that is there.
fn assert_database_fits(site: &Site) {
    let expected = if site.version() == "13.0.0" { 2 } else { 1 };
    assert_eq!((site.schema_version(), site.total()), (expected, 725));
}

// ── single user ──

fn single_user(day: Day) {
    let vendor = vendor(&["standalone"]);
    let site = site(&vendor, &vendor.subscription("single_user", NO_END, None), "12.4.0", None, true);
    play_download(&vendor, &site, "single_user", &["--yes"], "standalone", day);
    assert_database_fits(&site);
}

#[test]
fn single_user_updates_itself() {
    single_user(Day::Good);
}

#[test]
fn single_user_killed_in_mid_download_resumes() {
    single_user(Day::Killed);
}

#[test]
fn single_user_refuses_a_corrupted_byte() {
    single_user(Day::Corrupted);
}

#[test]
fn a_single_user_with_an_expired_subscription_is_told_to_renew() {
    let vendor = vendor(&["standalone"]);
    let site = site(&vendor, &vendor.subscription("single_user", LONG_AGO, None), "12.4.0", None, true);
    let played = site.play("single_user", &["--yes"]);
    assert_eq!(played.code, Some(10), "{played:?}");
    assert!(played.said.contains("https://vendor.example/renew"), "{played:?}");
    assert_eq!((site.version(), vendor.runs()), ("12.4.0".into(), Vec::new()));
    assert_database_fits(&site);
}

// ── multi user ──

/// The server's site and the client's, which reach each other through the shared folder.
fn office(vendor: &Vendor, ends_on: &str) -> (Site, Site) {
    let key = vendor.subscription("multi_user", ends_on, None);
    let server = site(vendor, &key, "12.4.0", None, true);
    let client = site(vendor, &key, "12.4.0", Some(&server), false);
    fs::create_dir_all(server.program().join("templates")).unwrap();
    fs::write(server.program().join("templates/letter.html"), "ours").unwrap();
    // The server program's first start: from now on a client that connects learns its version.
    assert_eq!(server.play("multi_user", &["server", "--once"]).code, Some(0));
    (server, client)
}

fn multi_user(day: Day) {
    let vendor = vendor(&["server", "client"]);
    let (server, client) = office(&vendor, NO_END);

    // The client learns that its server has an update, and a person schedules it.
    let scheduled =
        client.play("multi_user", &["client", "--yes", "--schedule-at", "now", "--notify-email", "anna@example.com"]);
    assert_eq!(scheduled.code, Some(0), "{scheduled:?}");
    assert!(scheduled.said.contains("13.0.0"), "{scheduled:?}");
    assert_eq!(client.version(), "12.4.0");

    // The server program does it, though a user is still connected, who is cut off after the countdown.
    let session = server.path("shared/sessions/bea.json");
    fs::write(&session, r#"{"busy": false}"#).unwrap();
    play_download(&vendor, &server, "multi_user", &["server", "--once", "--countdown-seconds", "0"], "server", day);
    assert_database_fits(&server);
    assert_eq!(fs::read_to_string(server.program().join("templates/letter.html")).unwrap(), "ours");
    let run = vendor.run_of("server");
    assert_eq!(run["notify_email"], "anna@example.com");
    assert!(run["scheduled_for"].is_string());

    // At its next start the client is brought to what its server accepts; without being asked.
    let next = client.play("multi_user", &["client"]);
    if day == Day::Corrupted {
        assert!(session.exists(), "nobody was sent away for nothing");
        assert_eq!(client.version(), "12.4.0");
    } else {
        assert_eq!(next.code, Some(0), "{next:?}");
        assert_eq!(client.version(), "13.0.0");
        assert_eq!(vendor.run_of("client")["outcome"], "succeeded");
    }
}

#[test]
fn multi_user_goes_from_schedule_to_matching_clients() {
    multi_user(Day::Good);
}

#[test]
fn multi_user_killed_in_mid_download_resumes() {
    multi_user(Day::Killed);
}

#[test]
fn multi_user_refuses_a_corrupted_byte() {
    multi_user(Day::Corrupted);
}

#[test]
fn a_multi_user_with_an_expired_subscription_stays_as_it_is() {
    let vendor = vendor(&["server", "client"]);
    let (server, client) = office(&vendor, LONG_AGO);
    let played = client.play("multi_user", &["client", "--yes", "--schedule-at", "now"]);
    assert_eq!(played.code, Some(10), "{played:?}");
    // Even if somebody scheduled it before the subscription expired.
    fs::write(server.path("shared/schedule.json"), r#"{"version": "13.0.0", "at": "2021-01-01T00:00:00Z"}"#).unwrap();
    assert_eq!(server.play("multi_user", &["server", "--once"]).code, Some(10));
    assert_eq!((server.version(), client.version()), ("12.4.0".into(), "12.4.0".into()));
    assert_eq!(vendor.run_of("server")["outcome"], "cancelled");
    assert_database_fits(&server);
}

#[test]
fn a_client_above_its_server_is_brought_down_to_it() {
    let vendor = vendor(&["server", "client"]);
    let (_server, client) = office(&vendor, NO_END);
    fs::write(client.program().join("VERSION"), "13.0.0").unwrap();
    let played = client.play("multi_user", &["client"]);
    assert_eq!((played.code, client.version()), (Some(0), "12.4.0".into()), "{played:?}");
}

// ── cloud ──

fn cloud(day: Day) {
    let vendor = vendor(&["server", "client"]);
    vendor.hosting_group("always", "00:00", 1440);
    let key = vendor.subscription("cloud", NO_END, Some("always"));
    let server = site(&vendor, &key, "12.4.0", None, true);
    let client = site(&vendor, &key, "12.4.0", Some(&server), false);

    let managed = client.play("cloud", &["client"]);
    assert_eq!((managed.code, client.version()), (Some(0), "12.4.0".into()), "{managed:?}");

    play_download(&vendor, &server, "cloud", &["server", "--countdown-seconds", "0"], "server", day);
    assert_database_fits(&server);
    let followed = client.play("cloud", &["client"]);
    if day != Day::Corrupted {
        assert_eq!((followed.code, client.version()), (Some(0), "13.0.0".into()), "{followed:?}");
    }
}

#[test]
fn cloud_updates_the_server_and_the_client_follows() {
    cloud(Day::Good);
}

#[test]
fn cloud_killed_in_mid_download_resumes() {
    cloud(Day::Killed);
}

#[test]
fn cloud_refuses_a_corrupted_byte() {
    cloud(Day::Corrupted);
}

#[test]
fn cloud_waits_for_its_window() {
    let vendor = vendor(&["server", "client"]);
    // One minute a day, half a day away.
    let start = jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(12)).unwrap();
    vendor.hosting_group("tonight", &start.to_string()[11..16], 1);
    let key = vendor.subscription("cloud", NO_END, Some("tonight"));
    let server = site(&vendor, &key, "12.4.0", None, true);
    let played = server.play("cloud", &["server"]);
    assert_eq!((played.code, server.version()), (Some(11), "12.4.0".into()), "{played:?}");
    assert!(played.said.contains(&start.to_string()[..16]), "{played:?}");
    assert_eq!(vendor.runs(), Vec::<Value>::new());
}

#[test]
fn cloud_with_an_expired_subscription_changes_nothing() {
    let vendor = vendor(&["server", "client"]);
    vendor.hosting_group("always", "00:00", 1440);
    let key = vendor.subscription("cloud", LONG_AGO, Some("always"));
    let server = site(&vendor, &key, "12.4.0", None, true);
    assert_eq!((server.play("cloud", &["server"]).code, server.version()), (Some(10), "12.4.0".into()));
    assert_eq!(vendor.runs(), Vec::<Value>::new());
}

#[test]
fn an_updater_follows_a_redirect_to_the_bucket() {
    let s3 = S3::start();
    let mut settings = s3.settings();
    settings.push(("downloads.mode", "redirect".to_owned()));
    let vendor = filled(Vendor::with(&settings), &["standalone"]);
    let key = vendor.subscription("single_user", NO_END, None);
    let site = site(&vendor, &key, "12.4.0", None, true);
    let played = site.play("single_user", &["--yes"]);
    assert_eq!((played.code, site.version()), (Some(0), "13.0.0".into()), "{played:?}");
    let by_way_of_the_server: usize = vendor.proxy.downloads().iter().map(|seen| seen.sent).sum();
    assert!(by_way_of_the_server < 1000, "the bytes came from the bucket: {by_way_of_the_server}");
}
