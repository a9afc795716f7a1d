//! Replicas that share a database: their changes have one order, and what they append does not get lost. Here each
//! replica is an open store.

use std::{
    collections::BTreeSet,
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::channel,
    },
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use sluice::{
    domain::{
        id::{InstallationId, ProductId, RunId},
        installation::Sighting,
        platform::Component,
        run::{Run, Stage},
    },
    store::{
        Connection, Store, StoreError,
        changes::{self, Entry},
        installations, runs, settings,
    },
};
use uuid::Uuid;

use crate::harness::database::Database;

const PRODUCT: &str = "INSERT INTO products (id, slug, name, channels, default_locale, expiry_policy, timezone, \
    required_artifacts, required_locales, revision) \
    VALUES (decode('00000000000000000000000000000001', 'hex'), 'office', 'Office', '[\"stable\"]', 'en', 'keep_entitled', \
    'UTC', '[]', '[]', 1)";

fn entry(number: u32) -> Entry {
    Entry { kind: "product".to_owned(), first: Uuid::from_u128(number.into()), second: None }
}

/// What a transaction that is still open has taken must be seen before what was taken after it.
#[test]
fn who_follows_the_changes_misses_none_whatever_the_replicas_do() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 60;
    let database = Database::migrated();
    let replicas: Vec<Store> = (0..3).map(|_| Store::connect(database.url(), 4).unwrap()).collect();
    let left = AtomicU32::new(WRITERS);
    let followed = thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, left) = (&replicas[usize::try_from(writer).unwrap() % 3], &left);
            scope.spawn(move || {
                for number in 0..EACH {
                    let work = |connection: &mut Connection| {
                        changes::append(connection, &[entry(writer * EACH + number)], Timestamp::UNIX_EPOCH)?;
                        if number % 7 == 0 {
                            // Numbers of failed transactions are never seen; they must not be waited for either.
                            return Err(StoreError::Other("on purpose".to_owned()));
                        }
                        Ok(((), ()))
                    };
                    let _ = store.write(work, |()| ());
                }
                left.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let mut followed = Vec::new();
        let mut last = 0;
        loop {
            let done = left.load(Ordering::SeqCst) == 0;
            let new = replicas[0].follow(|connection| changes::after(connection, last, 50), |new| new).unwrap();
            last = new.last().map_or(last, |logged| logged.id);
            let nothing = new.is_empty();
            followed.extend(new);
            if done && nothing {
                return followed;
            }
        }
    });
    let all = replicas[1].read(|connection| changes::after(connection, 0, i64::MAX)).unwrap();
    assert_eq!(followed, all, "what was followed is what is there, in the same order");
    assert_eq!(all.len(), usize::try_from(WRITERS * (EACH - EACH.div_ceil(7))).unwrap());
    let newest = all.last().unwrap().id;
    let ends =
        |connection: &mut Connection| Ok::<_, StoreError>((changes::oldest(connection)?, changes::newest(connection)?));
    assert_eq!(replicas[2].read(ends).unwrap(), (Some(all[0].id), Some(newest)));
    replicas[2].append::<_, StoreError>(|connection| changes::forget_before(connection, Timestamp::MAX)).unwrap();
    assert_eq!(replicas[2].read(ends).unwrap(), (Some(newest), Some(newest)), "the newest stays");
}

#[test]
fn what_is_brought_in_is_never_older_than_what_was_written_here() {
    let database = Database::migrated();
    let store = Store::connect(database.url(), 4).unwrap();
    let (reading, read) = channel();
    thread::scope(|scope| {
        let followed = scope.spawn(|| {
            store.follow(
                |connection| {
                    reading.send(()).unwrap();
                    changes::after(connection, 0, 10)
                },
                // What was read is brought in while the write waits.
                |changes| (thread::sleep(Duration::from_millis(300)), changes.len(), Instant::now()),
            )
        });
        read.recv().unwrap();
        let mut written = None;
        store
            .write(
                |connection| {
                    Ok::<_, StoreError>(((), changes::append(connection, &[entry(1)], Timestamp::UNIX_EPOCH)?))
                },
                |()| written = Some(Instant::now()),
            )
            .unwrap();
        let ((), count, brought_in) = followed.join().unwrap().unwrap();
        assert_eq!(count, 0);
        assert!(brought_in <= written.unwrap());
    });
}

#[test]
fn a_replica_halted_during_a_write_does_not_hold_up_others() {
    let database = Database::migrated();
    let (halted, other) = (Store::connect(database.url(), 2).unwrap(), Store::connect(database.url(), 2).unwrap());
    let (begun, middle) = channel();
    let (go_on, going_on) = channel::<()>();
    thread::scope(|scope| {
        let write = scope.spawn(move || {
            halted.write(
                |connection| {
                    changes::append(connection, &[entry(1)], Timestamp::UNIX_EPOCH)?;
                    begun.send(()).unwrap();
                    going_on.recv().unwrap();
                    Ok(((), changes::append(connection, &[entry(2)], Timestamp::UNIX_EPOCH)?))
                },
                |()| panic!("it was not committed"),
            )
        });
        middle.recv().unwrap();
        let started = Instant::now();
        other
            .write(
                |connection| {
                    Ok::<_, StoreError>(((), changes::append(connection, &[entry(3)], Timestamp::UNIX_EPOCH)?))
                },
                |()| (),
            )
            .unwrap();
        assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
        go_on.send(()).unwrap();
        assert!(matches!(write.join().unwrap(), Err(StoreError::Unavailable(_))));
    });
    let left = other.read(|connection| changes::after(connection, 0, 10)).unwrap();
    assert_eq!(left.iter().map(|logged| &logged.entry).collect::<Vec<_>>(), [&entry(3)]);
}

#[test]
fn a_write_with_a_failed_statement_is_not_taken_for_committed() {
    let database = Database::migrated();
    let store = Store::connect(database.url(), 2).unwrap();
    let work = |connection: &mut Connection| {
        settings::insert(connection, "one", "first")?;
        let _ = settings::insert(connection, "one", "second");
        Ok::<_, StoreError>(((), ()))
    };
    assert!(store.write(work, |()| panic!("it was not committed")).is_err());
    assert_eq!(store.read(|connection| settings::get(connection, "one")).unwrap(), None);
    store.append::<_, StoreError>(|connection| settings::insert(connection, "one", "third")).unwrap();
    assert_eq!(store.read(|connection| settings::get(connection, "one")).unwrap().as_deref(), Some("third"));
}

#[test]
fn reports_of_one_run_to_several_replicas_make_one_run() {
    let database = Database::migrated();
    database.execute(PRODUCT);
    let replicas: Vec<Store> = (0..3).map(|_| Store::connect(database.url(), 4).unwrap()).collect();
    let run = |stage: Stage, at: i64| Run {
        id: RunId(Uuid::from_u128(7)),
        product: ProductId(Uuid::from_u128(1)),
        subscription: None,
        installation: InstallationId(Uuid::from_u128(8)),
        component: Component::Standalone,
        from_version: "1.0.0".parse().unwrap(),
        to_version: "2.0.0".parse().unwrap(),
        stage,
        outcome: None,
        error: None,
        error_stage: stage,
        scheduled_for: None,
        notify_email: None,
        locale: None,
        at: None,
        first_reported_at: Timestamp::from_second(at).unwrap(),
        last_reported_at: Timestamp::from_second(at).unwrap(),
        release: None,
        has_vote: false,
        downloaded_at: None,
        ended_at: None,
        lost_at: None,
        data_loss_at: None,
        known_problem: None,
    };
    let stages = [Stage::Scheduled, Stage::Downloading, Stage::Downloaded, Stage::BackingUp, Stage::Installing];
    thread::scope(|scope| {
        for (number, stage) in stages.into_iter().enumerate() {
            let (store, run) = (&replicas[number % 3], &run);
            scope.spawn(move || {
                for at in 0..20 {
                    store
                        .append::<_, StoreError>(|connection| runs::take_in(connection, vec![run(stage, at)]))
                        .unwrap();
                }
            });
        }
    });
    let page = sluice::domain::page::Page { after: None, limit: 10 };
    let all = replicas[0].read(|connection| runs::matching(connection, &runs::Wanted::default(), page)).unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].stage, Stage::Installing, "no report took back what another one had said");
}

#[test]
fn the_newest_of_sightings_written_by_several_replicas_stays() {
    let database = Database::migrated();
    database.execute(PRODUCT);
    let replicas: Vec<Store> = (0..4).map(|_| Store::connect(database.url(), 4).unwrap()).collect();
    let sighting = |number: u128, at: i64| Sighting {
        installation: InstallationId(Uuid::from_u128(number)),
        product: ProductId(Uuid::from_u128(1)),
        subscription: None,
        component: Component::Standalone,
        version: format!("1.0.{at}").parse().unwrap(),
        platform: "linux".parse().unwrap(),
        arch: "x86_64".parse().unwrap(),
        channel: "stable".parse().unwrap(),
        locale: None,
        offered: None,
        seen_at: Timestamp::from_second(at).unwrap(),
    };
    thread::scope(|scope| {
        for (replica, store) in (0_i64..).zip(&replicas) {
            let sighting = &sighting;
            scope.spawn(move || {
                for round in 0..10 {
                    // In another order each, and some of them twice.
                    let at = (round * 7 + replica * 3) % 41;
                    let seen: Vec<_> = (0..200)
                        .map(|number| sighting((number * 37 + 11 * u128::from(replica.unsigned_abs())) % 150, at))
                        .collect();
                    store.append::<_, StoreError>(|connection| installations::take_in(connection, &seen)).unwrap();
                }
            });
        }
    });
    let newest = (0..4).flat_map(|replica| (0..10).map(move |round| (round * 7 + replica * 3) % 41)).max().unwrap();
    let page = sluice::domain::page::Page { after: None, limit: 1000 };
    let wanted = installations::Wanted::default();
    let all = replicas[0].read(|connection| installations::matching(connection, &wanted, page)).unwrap();
    let seen: BTreeSet<_> = all.iter().map(|installation| installation.last.seen_at.as_second()).collect();
    assert_eq!((all.len(), seen), (150, BTreeSet::from([newest])));
}
