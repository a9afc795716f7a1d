//! The single-user flow, killed: at any moment, and started again.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{faults::Stage, proxy::Fault};

#[test]
fn a_kill_during_the_download_is_repaired_by_the_next_start() {
    let stage = Stage::set(&[]);
    stage.proxy.spoil(Fault { bytes_per_10_ms: Some(1_000), times: 1, ..Fault::default() });
    let mut updater = stage.site.start("single_user", &["--yes"]);
    while stage.proxy.downloads().first().is_none_or(|seen| seen.sent < 60_000) {
        thread::sleep(Duration::from_millis(5));
    }
    updater.kill().unwrap();
    updater.wait().unwrap();
    stage.assert_old();
    let run = stage.site.state()["run"]["id"].clone();

    // No `--yes`: the person has agreed already.
    let played = stage.site.play("single_user", &[]);
    assert_eq!(played.code, Some(0), "{played:?}");
    stage.assert_new();
    let resumed = stage.proxy.downloads().pop().unwrap();
    let start: usize = resumed.range.unwrap().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
    assert!(start > 0 && resumed.if_range.is_some(), "it went on from byte {start}");
    assert!(stage.server.script().reports.iter().all(|report| report["run"] == run), "the same run goes on");
    assert_eq!(stage.server.story().last().unwrap(), "ended:succeeded");
}

const KILLS: u32 = 25;

/// Kills at moments spread over the time that an undisturbed start takes; after each, one more start must end in a
/// clean state.
fn killed_at_every_moment(more: &[(&str, &str)], check: impl Fn(&Stage)) {
    let undisturbed = Instant::now();
    Stage::set(more).update();
    let mut whole = undisturbed.elapsed();
    let mut kills = 0;
    for moment in 0..KILLS {
        let stage = Stage::set(more);
        let mut updater = stage.site.start("single_user", &["--yes"]);
        thread::sleep(whole * moment / KILLS);
        match updater.try_wait().unwrap() {
            None => kills += 1,
            // The machine was busier when the time was taken.
            Some(_) => whole = whole * 3 / 4,
        }
        updater.kill().unwrap();
        updater.wait().unwrap();
        stage.update();
        check(&stage);
    }
    assert!(kills >= KILLS / 2, "only {kills} kills came in time");
}

#[test]
fn a_good_update_killed_at_any_moment_ends_as_the_new_version() {
    killed_at_every_moment(&[], |stage| {
        stage.assert_new();
        // A report may come twice when the kill falls between sending it and noting that: but of one run only.
        assert_eq!(stage.server.story().last().unwrap(), "ended:succeeded");
        let mut runs: Vec<_> = stage.server.script().reports.iter().map(|report| report["run"].to_string()).collect();
        runs.dedup();
        assert_eq!(runs.len(), 1);
    });
}

#[test]
fn a_bad_update_killed_at_any_moment_ends_as_the_old_version() {
    killed_at_every_moment(&[("self_test", "fail")], |stage| {
        stage.assert_old();
        assert_eq!(stage.server.story().last().unwrap(), "ended:rolled_back");
    });
}
