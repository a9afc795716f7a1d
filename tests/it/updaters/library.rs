//! The parts of the updater library, one by one.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{
    proxy::{Fault, Proxy},
    scripted_server::{ScriptedServer, sha256},
    site::{archive, noise},
    updater::{
        archive::unpack,
        backoff::Backoff,
        backup,
        config::Config,
        download::Downloader,
        failure::{Failure, FailureClass},
        install::Folders,
        migrate,
        state::State,
        verify::{Jwk, TrustedKeys},
        wire::Artifact,
    },
};

const QUICK: Backoff = Backoff { retries: 3, base: Duration::from_millis(5) };

// ── download ──

struct Downloading {
    server: ScriptedServer,
    proxy: Proxy,
    folder: TempDir,
    content: Vec<u8>,
    renewals: AtomicU32,
}

impl Downloading {
    fn of(length: usize) -> Self {
        let (proxy, content) = (Proxy::start(), noise(length, "file"));
        let server = ScriptedServer::start(&proxy.url(), "13.0.0", content.clone());
        proxy.to(&server.address);
        Self { server, proxy, folder: TempDir::new().unwrap(), content, renewals: AtomicU32::new(0) }
    }

    fn artifact(&self) -> Artifact {
        let id = self.server.script().artifact;
        let url = format!("{}/api/v1/downloads/{id}/program.tar.gz?token=t", self.proxy.url());
        let json =
            serde_json::json!({"id": id, "size": self.content.len(), "sha256": sha256(&self.content), "url": url});
        serde_json::from_value(json).unwrap()
    }

    fn fetch(&self) -> Result<Vec<u8>, Failure> {
        let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
        let downloader = Downloader { http: &http, folder: self.folder.path(), backoff: QUICK };
        let mut renew = || {
            self.renewals.fetch_add(1, Ordering::Relaxed);
            Ok(self.artifact())
        };
        let path = downloader.fetch(&self.artifact(), &mut renew, &mut |_, _| {})?;
        Ok(fs::read(path).unwrap())
    }

    fn part(&self) -> std::path::PathBuf {
        self.folder.path().join(format!("{}.part", sha256(&self.content)))
    }

    fn ranges(&self) -> Vec<Option<String>> {
        self.proxy.downloads().into_iter().map(|seen| seen.range).collect()
    }
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let play = Downloading::of(500_000);
    play.proxy.spoil(Fault { cut_after: Some(200_000), times: 2, ..Fault::default() });
    assert_eq!(play.fetch().unwrap(), play.content);
    let (ranges, downloads) = (play.ranges(), play.proxy.downloads());
    assert_eq!(ranges[0], None);
    assert_eq!(ranges[1].as_deref(), Some("bytes=200000-"));
    assert_eq!(ranges[2].as_deref(), Some("bytes=400000-"));
    assert_eq!(downloads[2].if_range.as_deref(), Some(&*format!("\"{}\"", sha256(&play.content))));
    assert_eq!(play.renewals.load(Ordering::Relaxed), 0);
    // And there it stays: a second call asks for nothing.
    assert_eq!(play.fetch().unwrap(), play.content);
    assert_eq!(play.proxy.downloads().len(), 3);
}

#[test]
fn an_expired_link_is_renewed_and_the_download_goes_on() {
    let play = Downloading::of(300_000);
    play.proxy.spoil(Fault { cut_after: Some(100_000), times: 1, ..Fault::default() });
    let http = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let never_again = Backoff { retries: 0, base: Duration::ZERO };
    let downloader = Downloader { http: &http, folder: play.folder.path(), backoff: never_again };
    // Without retries the first attempt ends with what came; one that brought something counts as none.
    let mut no_renewal = || Err(Failure::network("unexpected", "no renewal was due"));
    let failure = downloader.fetch(&play.artifact(), &mut no_renewal, &mut |_, _| {}).unwrap_err();
    assert_eq!(failure.code, "download_interrupted");

    play.server.script().expired_links = 2;
    assert_eq!(play.fetch().unwrap(), play.content);
    assert_eq!(play.renewals.load(Ordering::Relaxed), 2);
    assert_eq!(play.ranges().last().unwrap().as_deref(), Some("bytes=100000-"));
}

#[test]
fn another_file_under_the_same_link_is_fetched_from_its_start() {
    let play = Downloading::of(200_000);
    play.proxy.spoil(Fault { cut_after: Some(50_000), times: 1, ..Fault::default() });
    play.server.script().etag = Some("\"one\"".into());
    let fetched = std::thread::scope(|scope| {
        let fetched = scope.spawn(|| play.fetch());
        while play.proxy.downloads().is_empty() {
            std::thread::yield_now();
        }
        play.server.script().etag = Some("\"two\"".into());
        fetched.join().unwrap()
    });
    assert_eq!(fetched.unwrap(), play.content);
}

#[test]
fn a_damaged_download_is_repeated_once_and_then_refused() {
    let play = Downloading::of(100_000);
    play.proxy.spoil(Fault { flip_byte: Some(70_000), times: 1, ..Fault::default() });
    assert_eq!(play.fetch().unwrap(), play.content);

    let play = Downloading::of(100_000);
    play.proxy.spoil(Fault { flip_byte: Some(70_000), times: 2, ..Fault::default() });
    let failure = play.fetch().unwrap_err();
    assert_eq!((failure.class, &*failure.code), (FailureClass::Integrity, "sha256_mismatch"));
    assert_eq!(fs::metadata(play.part()).unwrap().len(), 0, "nothing of it is kept");
}

#[test]
fn foreign_bytes_in_the_part_file_do_not_get_into_the_download() {
    let play = Downloading::of(100_000);
    fs::write(play.part(), noise(40_000, "foreign")).unwrap();
    assert_eq!(play.fetch().unwrap(), play.content, "without an ETag it starts anew");

    let play = Downloading::of(100_000);
    fs::write(play.part(), noise(40_000, "foreign")).unwrap();
    fs::write(play.part().with_extension("etag"), format!("\"{}\"", sha256(&play.content))).unwrap();
    assert_eq!(play.fetch().unwrap(), play.content, "with one, the hash finds it out");
    assert_eq!(play.ranges(), [Some("bytes=40000-".into()), None]);
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_written() {
    let play = Downloading::of(100_000);
    play.server.script().archive.extend(noise(100_000, "more"));
    let failure = play.fetch().unwrap_err();
    assert_eq!((failure.class, &*failure.code), (FailureClass::Integrity, "size_mismatch"));
    assert_eq!(fs::metadata(play.part()).unwrap().len(), 0);
}

#[test]
fn an_empty_file_is_a_file() {
    let play = Downloading::of(0);
    assert!(play.fetch().unwrap().is_empty());
}

// ── verify ──

#[test]
fn only_a_trusted_key_over_the_very_bytes_is_accepted() {
    let server = ScriptedServer::start("http://x", "13.0.0", Vec::new());
    let trusted: Jwk = serde_json::from_value(server.jwk()).unwrap();
    let stranger = ScriptedServer::start("http://x", "13.0.0", Vec::new());
    let same_name: Jwk = serde_json::from_value(stranger.jwk()).unwrap();
    let answer = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let answer = answer.get(format!("http://{}/manifest", server.address)).send().unwrap();
    let header = answer.headers()["sluice-signature"].to_str().unwrap().to_owned();
    let body = answer.bytes().unwrap();
    let code = |keys: &[Jwk], body: &[u8], header: &str| match TrustedKeys(keys.to_vec()).verify(body, header) {
        Ok(()) => String::from("good"),
        Err(failure) => failure.code.into_owned(),
    };
    let keys = [trusted.clone()];
    assert_eq!(code(&keys, &body, &header), "good");
    assert_eq!(code(&keys, &body[1..], &header), "signature_wrong");
    assert_eq!(code(&[same_name], &body, &header), "signature_wrong");
    assert_eq!(code(&[], &body, &header), "key_not_trusted");
    assert_eq!(code(&[Jwk { x: "AAAA".into(), ..trusted.clone() }], &body, &header), "signature_wrong");
    assert_eq!(code(&[Jwk { crv: "X25519".into(), ..trusted }], &body, &header), "key_not_trusted");
    for unreadable in
        ["", "keyid=k1", "keyid=\"k1\", alg=\"none\", signature=\"\"", &header.replace("ed25519", "hs256")]
    {
        assert_eq!(code(&keys, &body, unreadable), "signature_unreadable", "{unreadable}");
    }
    // The order of the parameters and the spaces between them are the server's business.
    let mut parts: Vec<_> = header.split(", ").collect();
    parts.reverse();
    assert_eq!(code(&keys, &body, &parts.join(" ,  ")), "good");
}

// ── archive ──

fn unpacked(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> (TempDir, Result<(), Failure>) {
    let folder = TempDir::new().unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    build(&mut archive);
    let plain = archive.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &plain).unwrap();
    fs::write(folder.path().join("archive"), gzip.finish().unwrap()).unwrap();
    let result = unpack(&folder.path().join("archive"), &folder.path().join("out"));
    (folder, result)
}

/// An entry with exactly this name, which the `tar` crate itself would refuse to write.
fn entry(archive: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, link: Option<&str>) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    if let Some(link) = link {
        header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
    }
    header.set_cksum();
    archive.append(&header, std::io::empty()).unwrap();
}

#[test]
fn an_archive_cannot_write_or_point_outside_the_folder() {
    use tar::EntryType::{Fifo, Link, Regular, Symlink};
    let refused: &[&[(tar::EntryType, &str, Option<&str>)]] = &[
        &[(Regular, "../evil", None)],
        &[(Regular, "/evil", None)],
        &[(Regular, "a/../../evil", None)],
        &[(Symlink, "out", Some("/etc"))],
        &[(Symlink, "out", Some(".."))],
        &[(Symlink, "a/out", Some("../../evil"))],
        &[(Symlink, "a/out", Some("b/../../../evil"))],
        &[(Symlink, "here", Some(".")), (Symlink, "out", Some("here/.."))],
        &[(Symlink, "here", Some("a")), (Regular, "here/file", None)],
        &[(Link, "hard", Some("/etc/passwd"))],
        &[(Fifo, "pipe", None)],
    ];
    for entries in refused {
        let (folder, result) = unpacked(|archive| {
            for (kind, name, link) in *entries {
                entry(archive, *kind, name, *link);
            }
        });
        let failure = result.unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Integrity, "archive_refused"), "{entries:?}");
        assert!(!folder.path().join("evil").exists());
    }
}

#[test]
fn folders_files_and_links_within_are_unpacked() {
    use tar::EntryType::{Directory, Regular, Symlink};
    let (folder, result) = unpacked(|archive| {
        entry(archive, Directory, "./", None);
        entry(archive, Directory, "./lib/", None);
        entry(archive, Regular, "./lib/x.so.1", None);
        entry(archive, Symlink, "lib/x.so", Some("x.so.1"));
        entry(archive, Symlink, "bin/x.so", Some("../lib/x.so.1"));
    });
    result.unwrap();
    assert!(folder.path().join("out/bin/x.so").exists());
    assert!(folder.path().join("out/lib/x.so").exists());
}

#[test]
fn rubbish_is_no_archive() {
    let folder = TempDir::new().unwrap();
    for rubbish in [&b""[..], b"rubbish", &noise(10_000, "r")] {
        fs::write(folder.path().join("archive"), rubbish).unwrap();
        let failure = unpack(&folder.path().join("archive"), &folder.path().join("out")).unwrap_err();
        assert_eq!((failure.class, &*failure.code), (FailureClass::Integrity, "archive_unreadable"));
    }
    // Cut in the middle.
    let whole = archive(&[("a".into(), noise(50_000, "a"))]);
    fs::write(folder.path().join("archive"), &whole[..whole.len() / 2]).unwrap();
    assert!(unpack(&folder.path().join("archive"), &folder.path().join("out")).is_err());
}

// ── install ──

/// The program's folder and its neighbours, in a state between two steps.
fn at(
    program: Option<&str>,
    staging: Option<&str>,
    previous: Option<&str>,
    journal: Option<&str>,
) -> (TempDir, Folders) {
    let home = TempDir::new().unwrap();
    let folders = Folders::beside(&home.path().join("program"));
    for (folder, version) in [(&folders.program, program), (&folders.staging, staging), (&folders.previous, previous)] {
        if let Some(version) = version {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("VERSION"), version).unwrap();
        }
    }
    if let Some(journal) = journal {
        fs::write(home.path().join("program.swap"), journal).unwrap();
    }
    (home, folders)
}

fn version_in(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("VERSION")).ok()
}

#[test]
fn a_swap_that_was_killed_anywhere_is_brought_to_its_end() {
    // Every state that a kill can leave behind, in the order in which they come about.
    let forward = [
        (Some("old"), Some("new"), None, Some("forward")),
        (None, Some("new"), Some("old"), Some("forward")),
        (Some("new"), None, Some("old"), Some("forward")),
    ];
    for (program, staging, previous, journal) in forward {
        let (_home, folders) = at(program, staging, previous, journal);
        folders.repair().unwrap();
        assert_eq!(version_in(&folders.program).as_deref(), Some("new"));
        assert_eq!(version_in(&folders.previous).as_deref(), Some("old"));
        folders.swap_in().unwrap();
        assert_eq!(version_in(&folders.program).as_deref(), Some("new"), "once more changes nothing");
    }
    let back = [
        (Some("new"), None, Some("old"), Some("back")),
        (None, None, Some("old"), Some("back")),
        (Some("old"), None, None, Some("back")),
    ];
    for (program, staging, previous, journal) in back {
        let (home, folders) = at(program, staging, previous, journal);
        folders.repair().unwrap();
        assert_eq!(version_in(&folders.program).as_deref(), Some("old"));
        folders.swap_back().unwrap();
        assert_eq!(version_in(&folders.program).as_deref(), Some("old"), "once more changes nothing");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "nothing else is left");
    }
}

#[test]
fn a_swap_forgets_what_an_earlier_one_left() {
    let (_home, folders) = at(Some("old"), Some("new"), Some("older"), None);
    folders.swap_in().unwrap();
    assert_eq!(version_in(&folders.previous).as_deref(), Some("old"));
    folders.swap_back().unwrap();
    assert_eq!(version_in(&folders.program).as_deref(), Some("old"));
}

#[test]
fn the_customers_files_move_over_and_stay_in_the_old_version() {
    let (_home, folders) = at(Some("old"), Some("new"), None, None);
    for (folder, name, content) in [
        (&folders.program, "templates/ours/letter.html", "ours"),
        (&folders.program, "templates/standard.html", "ours too"),
        (&folders.program, "license.dat", "mine"),
        (&folders.staging, "templates/standard.html", "theirs"),
        (&folders.staging, "templates/new.html", "theirs"),
    ] {
        fs::create_dir_all(folder.join(name).parent().unwrap()).unwrap();
        fs::write(folder.join(name), content).unwrap();
    }
    folders.carry_over(&["templates".into(), "license.dat".into(), "absent".into()]).unwrap();
    let read = |name: &str| fs::read_to_string(folders.staging.join(name)).unwrap();
    assert_eq!(read("templates/ours/letter.html"), "ours");
    assert_eq!(read("templates/standard.html"), "ours too");
    assert_eq!(read("templates/new.html"), "theirs");
    assert_eq!(read("license.dat"), "mine");
    assert!(folders.program.join("templates/ours/letter.html").exists());
}

// ── database ──

fn database(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("data.sqlite");
    let made = Connection::open(&path).unwrap();
    made.execute_batch(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2); PRAGMA user_version = 1;",
    )
    .unwrap();
    path
}

fn count(path: &Path) -> i64 {
    Connection::open(path).unwrap().query_row("SELECT COUNT(*) FROM t", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_backup_is_made_of_a_database_in_use_and_brought_back() {
    let folder = TempDir::new().unwrap();
    let (path, copy) = (database(folder.path()), folder.path().join("backup"));
    let user = Connection::open(&path).unwrap();
    user.execute_batch("INSERT INTO t VALUES (3); BEGIN; INSERT INTO t VALUES (4);").unwrap();
    backup::save(&path, &copy).unwrap();
    assert_eq!(count(&copy), 3, "what is committed, though it still lies in the WAL; not what is not");

    user.execute_batch("COMMIT; DELETE FROM t; PRAGMA user_version = 9;").unwrap();
    backup::restore(&copy, &path).unwrap();
    assert_eq!((count(&path), backup::schema_version(&path).unwrap()), (3, 1));
}

#[test]
fn a_database_that_was_destroyed_is_brought_back_too() {
    let folder = TempDir::new().unwrap();
    let (path, copy) = (database(folder.path()), folder.path().join("backup"));
    backup::save(&path, &copy).unwrap();
    fs::write(&path, noise(20_000, "destroyed")).unwrap();
    assert!(backup::save(&path, &copy).is_err(), "and a damaged one does not replace a good backup");
    backup::restore(&copy, &path).unwrap();
    assert_eq!(count(&path), 2);
}

#[test]
fn a_missing_database_is_not_made_up() {
    let folder = TempDir::new().unwrap();
    let failure = backup::save(&folder.path().join("none"), &folder.path().join("backup")).unwrap_err();
    assert_eq!(failure.class, FailureClass::Backup);
    assert!(!folder.path().join("none").exists());
}

#[test]
fn migrations_run_once_together_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let path = database(folder.path());
    let migrations = folder.path().join("migrations");
    fs::create_dir(&migrations).unwrap();
    fs::write(migrations.join("0001_start.sql"), "this was run long ago").unwrap();
    fs::write(migrations.join("0002_two.sql"), "INSERT INTO t VALUES (3);").unwrap();
    fs::write(migrations.join("10_ten.sql"), "this is not SQL").unwrap();
    let state = |path| (count(path), backup::schema_version(path).unwrap());

    let failure = migrate::run(&path, folder.path()).unwrap_err();
    assert_eq!((failure.class, &*failure.code), (FailureClass::Migration, "migration_failed"));
    assert_eq!(state(&path), (2, 1), "the second one, which worked, is undone");

    fs::write(migrations.join("10_ten.sql"), "COMMIT; INSERT INTO t VALUES (4);").unwrap();
    assert_eq!(migrate::run(&path, folder.path()).unwrap_err().code, "migration_commits");

    fs::write(migrations.join("10_ten.sql"), "INSERT INTO t VALUES (4);").unwrap();
    let fresh = TempDir::new().unwrap();
    let path = database(fresh.path());
    assert_eq!(migrate::run(&path, folder.path()).unwrap(), 2);
    assert_eq!(state(&path), (4, 10));
    assert_eq!(migrate::run(&path, folder.path()).unwrap(), 0);
}

// ── state, configuration ──

#[test]
fn an_installation_keeps_its_id_and_has_one_updater_at_a_time() {
    let folder = TempDir::new().unwrap();
    let state = State::open(folder.path()).unwrap();
    let id = state.installation();
    assert_eq!(State::open(folder.path()).err().unwrap().code, "already_running");
    drop(state);
    assert_eq!(State::open(folder.path()).unwrap().installation(), id);
}

#[test]
fn the_example_configuration_is_read_and_dangerous_ones_are_not() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/updater.example.toml");
    Config::load(&example).unwrap();
    let text = fs::read_to_string(&example).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("updater.toml");
    for (from, to) in [
        ("database = \"data/office.sqlite\"", "database = \"program/office.sqlite\""),
        ("carry_over = [", "carry_over = [\"../../etc\", "),
        ("product = ", "prodcut = "),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        assert_eq!(Config::load(&path).err().unwrap().code, "config_invalid", "{to}");
    }
}
