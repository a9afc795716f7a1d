//! `sluice storage move`: nothing is lost, whenever it is ended.

use std::{collections::BTreeMap, fs, process::Stdio, thread, time::Duration};

use serde_json::json;

use crate::harness::{
    Actor, S3, Vendor,
    bytes::{noise, sha256},
    database::Database,
    eventually, pages,
    program::Ended,
};

/// A vendor with files in a folder, stopped; the hash and content of each file.
fn with_files(count: u32, size: usize) -> (Vendor, BTreeMap<String, Vec<u8>>) {
    let mut vendor = Vendor::start();
    let office = vendor.product();
    let mut contents = BTreeMap::new();
    for number in 1..=count {
        let content = noise(size + usize::try_from(number).unwrap(), &format!("file {number}"));
        office.release(&format!("{number}.0.0")).standalone(content.clone()).publish();
        contents.insert(sha256(&content), content);
    }
    vendor.stop();
    (vendor, contents)
}

fn go_to(vendor: &mut Vendor, s3: &S3) {
    s3.settings().iter().for_each(|(key, value)| vendor.set(key, value));
}

fn in_folder(vendor: &Vendor, hash: &str) -> std::path::PathBuf {
    vendor.data().join("artifacts/sha256").join(&hash[..2]).join(hash)
}

/// Whatever an artifact says of where it lies is true, and what lies there is whole. How many lie in the bucket.
fn check(vendor: &Vendor, s3: &S3, contents: &BTreeMap<String, Vec<u8>>) -> usize {
    let database = rusqlite::Connection::open(vendor.data().join("sluice.sqlite3")).unwrap();
    let mut statement = database.prepare("SELECT lower(hex(sha256)), store FROM artifacts").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).unwrap();
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    assert_eq!(rows.len(), contents.len());
    for (hash, store) in &rows {
        let path = if store == "s3" { s3.content(hash) } else { in_folder(vendor, hash) };
        let there = fs::read(&path).unwrap_or_else(|error| panic!("{hash} is said to be in {store}: {error}"));
        assert!(there == contents[hash], "{hash} in {store}");
    }
    rows.iter().filter(|(_, store)| store == "s3").count()
}

#[test]
fn files_go_to_the_bucket_are_served_from_there_and_come_back() {
    let s3 = S3::start();
    let (mut vendor, contents) = with_files(5, 200_000);
    go_to(&mut vendor, &s3);
    let planned = Ended::of(&mut vendor.command(&["storage", "move", "--dry-run", "--json"])).expect(0).json();
    assert_eq!((&planned["files"], &planned["to"]), (&json!(5), &json!("s3")));
    assert_eq!(s3.contents().len(), 0);
    let moved = Ended::of(&mut vendor.command(&["storage", "move", "--json"])).expect(0).json();
    assert_eq!((&moved["copied"], &moved["already_there"], &moved["left_behind"]), (&json!(5), &json!(0), &json!(5)));
    assert_eq!(check(&vendor, &s3, &contents), 5);
    let again = Ended::of(&mut vendor.command(&["storage", "move"])).expect(0);
    assert!(again.stdout.contains("copied 0 files") && again.stdout.contains("--delete-source"), "{again:?}");
    // The sweep leaves what a move has left: only --delete-source takes it.
    vendor.set("storage.keep_loose", "1ms");
    vendor.run();
    let busy = Ended::of(&mut vendor.command(&["storage", "move"])).expect(1);
    assert!(busy.stderr.contains("in use by another Sluice") && busy.stderr.lines().count() == 1, "{busy:?}");
    let customer = {
        let sold = json!({"customer_id": vendor.buyer(), "product": "office-maker", "deployment": "single_user",
            "starts_on": "2020-01-01", "ends_on": null});
        let sold = vendor.admin.post("/api/v1/admin/subscriptions").json(&sold).send().created();
        vendor.customer(sold["license_key"].as_str().unwrap())
    };
    let url = super::link(&customer, "0.1.0");
    customer.get(&url).send().expect(307);
    vendor.stop();
    assert!(contents.keys().all(|hash| in_folder(&vendor, hash).exists()));
    let emptied = Ended::of(&mut vendor.command(&["storage", "move", "--delete-source", "--json"])).expect(0).json();
    assert_eq!((&emptied["deleted"], &emptied["left_behind"]), (&json!(5), &json!(0)));
    assert!(!contents.keys().any(|hash| in_folder(&vendor, hash).exists()));
    assert_eq!(check(&vendor, &s3, &contents), 5);
    // And back.
    vendor.set("storage.url", "");
    let missing = Ended::of(&mut vendor.command(&["storage", "move"])).expect(1);
    assert!(missing.stderr.contains("storage.s3"), "{missing:?}");
    vendor.set("storage.s3", &s3.settings()[0].1);
    Ended::of(&mut vendor.command(&["storage", "move", "--to", "files", "--delete-source"])).expect(0);
    assert_eq!(check(&vendor, &s3, &contents), 0);
    assert_eq!(s3.contents().len(), 0);
    vendor.run();
    let moves = pages::all(&vendor.admin, "/api/v1/admin/audit?action=content.move", 100);
    let of = |from: &str, to: &str| {
        let details = json!({"before": {"store": from}, "after": {"store": to}});
        moves.iter().filter(|entry| entry["details"] == details && entry["actor"]["kind"] == "operator").count()
    };
    assert_eq!((of("files", "s3"), of("s3", "files"), moves.len()), (5, 5, 10));
    assert!(contents.values().any(|content| *content == customer.get(&url).send().expect(200).body));
}

#[test]
fn a_damaged_file_is_named_and_stays_where_it_is() {
    let s3 = S3::start();
    let (mut vendor, contents) = with_files(3, 1000);
    go_to(&mut vendor, &s3);
    let (hash, content) = contents.iter().next().unwrap();
    let mut damaged = content.clone();
    damaged[500] ^= 1;
    fs::write(in_folder(&vendor, hash), &damaged).unwrap();
    // What is under the key in the bucket already is not trusted either.
    let (other, whole) = contents.iter().nth(1).unwrap();
    let mut wrong = whole.clone();
    wrong[0] ^= 1;
    fs::create_dir_all(s3.content(other).parent().unwrap()).unwrap();
    fs::write(s3.content(other), wrong).unwrap();
    let ended = Ended::of(&mut vendor.command(&["storage", "move", "--json"])).expect(1);
    let told = ended.json();
    assert_eq!((&told["copied"], &told["failed"][0]["sha256"]), (&json!(2), &json!(hash)), "{ended:?}");
    assert!(ended.stderr.contains("restore it from a backup"), "{ended:?}");
    fs::write(in_folder(&vendor, hash), content).unwrap();
    assert_eq!(check(&vendor, &s3, &contents), 2);
    Ended::of(&mut vendor.command(&["storage", "move"])).expect(0);
    assert_eq!(check(&vendor, &s3, &contents), 3);
}

#[test]
fn killed_at_any_moment_a_move_loses_nothing_and_goes_on() {
    let s3 = S3::start();
    // Some in one part, some in several.
    let (mut vendor, mut contents) = with_files(12, 300_000);
    vendor.run();
    for number in 1..=3 {
        let content = noise(17 << 20, &format!("large {number}"));
        let version = format!("{number}.1.0");
        let path = format!("/api/v1/products/office-maker/releases/{version}");
        vendor.admin.post("/api/v1/products/office-maker/releases").json(&json!({"version": version})).send().created();
        super::put(&vendor, &path, &content, None).created();
        contents.insert(sha256(&content), content);
    }
    vendor.stop();
    go_to(&mut vendor, &s3);
    vendor.set("storage.keep_loose", "1ms");
    let mut kills = 0;
    for round in 0_u64.. {
        let mut moving = vendor.command(&["storage", "move"]);
        let mut moving = moving.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Later and later, so that it comes to its end at last; at first by little, also for a machine that is fast.
        thread::sleep(Duration::from_millis(20 + round * round));
        let ended = moving.try_wait().unwrap();
        if ended.is_none() {
            moving.kill().unwrap();
            kills += 1;
        }
        let status = moving.wait().unwrap();
        let there = check(&vendor, &s3, &contents);
        if status.success() {
            assert_eq!(there, contents.len());
            break;
        }
    }
    println!("{kills} kills");
    assert!(kills > 5, "{kills} kills: it was over before");
    // Nothing of the uploads that were killed is left for good.
    vendor.run();
    eventually(20, "what was left to be swept away", || s3.incoming().is_empty().then_some(()));
    assert_eq!(s3.contents().len(), contents.len());
}

#[test]
fn files_are_moved_while_a_server_on_postgresql_serves_them() {
    let (s3, database) = (S3::start(), Database::migrated());
    let mut vendor = Vendor::with(&[("database.url", database.url()), ("storage.url", "file:data/artifacts")]);
    let office = vendor.product();
    office.release("13.0.0").standalone("the program").publish();
    let customer = office.sell("single_user").customer;
    vendor.stop();
    go_to(&mut vendor, &s3);
    vendor.run();
    let url = super::link(&customer, "12.0.0");
    assert_eq!(customer.get(&url).send().expect(200).text(), "the program");
    let moved = Ended::of(&mut vendor.command(&["storage", "move", "--json"])).expect(0).json();
    assert_eq!((&moved["copied"], &moved["left_behind"]), (&json!(1), &json!(1)));
    assert_eq!(database.select("SELECT store AS value FROM artifacts"), ["s3"]);
    // From where it was, or from where it is: as soon as the server has heard of it.
    assert!(matches!(customer.get(&url).send().status, 200 | 307));
    vendor.restart();
    customer.get(&url).send().expect(307);
}
