//! Database files that are damaged, and the whole of one that is not.

use std::{fs, os::unix::fs::FileExt as _};

use crate::{
    harness::{Actor as _, Vendor},
    operations::start::{SERVE, refuses, used},
};

#[test]
fn a_stopped_server_leaves_everything_in_the_database_file() {
    let mut vendor = Vendor::start();
    vendor.product();
    vendor.stop();
    let copied = vendor.home().join("copied");
    fs::create_dir(&copied).unwrap();
    for file in ["sluice.sqlite3", "keys.json"] {
        fs::copy(vendor.data().join(file), copied.join(file)).unwrap();
    }
    vendor.set("data.folder", "copied");
    vendor.run();
    assert_eq!(vendor.admin.get("/api/v1/products").send().ok()["items"][0]["slug"], "office-maker");
}

#[test]
fn a_database_that_is_none() {
    let server = used(&[]);
    let path = server.data().join("sluice.sqlite3");
    fs::write(&path, "no database at all, but long enough to be looked at by whoever reads its head").unwrap();
    for arguments in [SERVE, &["migrate"]] {
        refuses(&server, arguments, 1, &["sluice.sqlite3", "damaged", "restore it from a backup"]);
    }
}

#[test]
fn a_database_that_was_cut_off() {
    let server = used(&[]);
    let path = server.data().join("sluice.sqlite3");
    let whole = fs::metadata(&path).unwrap().len();
    for length in [whole - 4096, whole / 2, 5000, 4096, 100] {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(length).unwrap();
        refuses(&server, SERVE, 1, &["sluice.sqlite3", "damaged", "restore it from a backup"]);
    }
}

#[test]
fn a_database_with_damaged_pages() {
    let server = used(&[]);
    let path = server.data().join("sluice.sqlite3");
    let pages = fs::metadata(&path).unwrap().len() / 4096;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    for page in 1..pages {
        file.write_all_at(&[0xA5; 4096], page * 4096).unwrap();
    }
    refuses(&server, SERVE, 1, &["sluice.sqlite3", "damaged", "restore it from a backup"]);
}
