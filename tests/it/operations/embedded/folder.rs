//! The data folder and the keys in it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::super::start::{SERVE, refuses, used};
use crate::harness::{Server, program::Ended};

fn shown(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    // Who is root may write everywhere, so for them the folder is below a file.
    let mut server = Server::prepare(&[]);
    let mut folder = server.home().join("locked");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.join("attempt"), "").is_ok() {
        folder.push("attempt/data");
    }
    server.set("data.folder", &shown(&folder));
    refuses(&server, SERVE, 1, &[&shown(&folder), "data.folder"]);
}

#[test]
fn a_second_server_on_the_same_folder() {
    let server = Server::start(&[]);
    refuses(&server, SERVE, 1, &["./data", "in use by another Sluice"]);
    refuses(&server, &["migrate"], 1, &["in use by another Sluice"]);
    refuses(&server, &["keys", "rotate", "links"], 1, &["in use by another Sluice"]);
    // One with a folder of its own, but the same artifacts.
    let mut other = Server::prepare(&[]);
    server.artifacts().iter().for_each(|(key, value)| other.set(key, value));
    refuses(&other, SERVE, 1, &["storage.url"]);
}

#[test]
fn readable_damaged_and_foreign_key_files_are_refused() {
    let server = used(&[]);
    let keys = server.data().join("keys.json");
    let mode = |mode| fs::set_permissions(&keys, fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(fs::metadata(&keys).unwrap().permissions().mode() & 0o777, 0o600);
    for open in [0o644, 0o640, 0o604] {
        mode(open);
        refuses(&server, SERVE, 1, &["keys.json", &format!("{open:o}"), "chmod 600"]);
    }
    mode(0o600);
    let own = fs::read(&keys).unwrap();
    for damaged in ["", "{}", "not json", "{\"license\":\"AAAA\",\"links\":[],\"sessions\":[],\"manifests\":[]}"] {
        fs::write(&keys, damaged).unwrap();
        refuses(&server, SERVE, 1, &["keys.json", "damaged", "backup"]);
    }
    let other = used(&[]);
    fs::write(&keys, fs::read(other.data().join("keys.json")).unwrap()).unwrap();
    refuses(&server, SERVE, 1, &["keys.json", "restore"]);
    // Nor are new ones made in place of those that are gone: no customer's key would be known any more.
    fs::remove_file(&keys).unwrap();
    refuses(&server, SERVE, 1, &["keys.json", "restore"]);
    fs::write(&keys, own).unwrap();
    mode(0o600);
    let mut server = server;
    server.run();
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let server = used(&[("keys.encryption_key", "")]);
    let listed = Ended::of(&mut server.command(&["keys", "list", "--json"])).expect(0);
    let all: serde_json::Value = serde_json::from_slice(&fs::read(server.data().join("keys.json")).unwrap()).unwrap();
    for purpose in ["links", "sessions", "manifests"] {
        assert_eq!(listed.json()[purpose][0], all[purpose][0]["id"]);
        assert!(!listed.stdout.contains(all[purpose][0]["secret"].as_str().unwrap()));
    }
    let unused = Server::prepare(&[]);
    refuses(&unused, &["keys", "list"], 1, &["keys.json"]);
    assert!(!unused.data().exists());
}
