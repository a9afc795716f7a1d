//! Starts under bad conditions: the program says in one line what is wrong and what to do, and ends.

use std::{fs, net::TcpListener, time::Instant};

use crate::harness::{Server, Vendor, program::Ended, stores::Stores};

/// Starts the server, which must fail: in one line on standard error that has all of this, quickly, without a panic.
#[track_caller]
pub fn refuses(server: &Server, arguments: &[&str], code: i32, said: &[&str]) {
    let started = Instant::now();
    let ended = Ended::of(&mut server.command(arguments));
    assert!(started.elapsed().as_secs() < 20, "{ended:?}");
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    // The log may have lines of its own before; what the program says comes last, and is one line.
    let lines: Vec<_> = ended.stderr.lines().collect();
    let own: Vec<_> = lines.iter().filter(|line| line.starts_with("sluice: ")).collect();
    assert_eq!((own.len(), own.first().copied()), (1, lines.last()), "{ended:?}");
    for text in said {
        assert!(own[0].contains(text), "{text}: {}", own[0]);
    }
    assert!(!ended.stdout.contains("listens"), "{ended:?}");
}

pub const SERVE: &[&str] = &["serve"];

/// A server that ran once and was stopped.
pub fn used(settings: &[(&str, &str)]) -> Server {
    let mut server = Server::start(settings);
    server.stop();
    server
}

#[test]
fn a_busy_port() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let server = Server::prepare(&[("server.bind", &address)]);
    refuses(&server, SERVE, 1, &[&address, "server.bind"]);
    assert!(!server.data().exists(), "nothing else was touched");
}

#[test]
fn a_database_with_a_value_that_is_none() {
    let mut server = Vendor::of(Server::start(&[]));
    server.product();
    server.stop();
    server.execute("UPDATE products SET timezone = 'Mars/Olympus'");
    refuses(&server, SERVE, 1, &[&server.database_name(), "timezone", "damaged"]);
}

#[test]
fn a_database_of_a_newer_sluice() {
    let server = used(&[]);
    server.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    refuses(&server, SERVE, 1, &["newer Sluice", "20990101000000"]);
}

#[test]
fn configuration_that_is_none_is_named_with_its_key() {
    for (key, value, said) in [
        ("server.bnid", "x", "bnid"),
        ("sever.bind", "x", "sever"),
        ("server.bind", "nowhere", "nowhere"),
        ("server.public_url", "ftp://x", "server.public_url"),
        ("downloads.url_ttl", "soon", "soon"),
        ("downloads.threads", "0", "downloads.threads"),
        ("database.url", "mysql://user:hunter2@x/y", "database.url"),
        ("storage.url", "gopher://x", "storage.url"),
        ("auth.bootstrap_password", "", "auth.bootstrap_password"),
        ("auth.password_memory_kib", "1", "auth.password_memory_kib"),
        ("log.filter", "sluice=loud", "log.filter"),
        ("log.format", "xml", "xml"),
    ] {
        let server = Server::prepare(&[(key, value)]);
        refuses(&server, SERVE, 2, &["configuration", said]);
        assert!(!server.data().exists(), "{key}: nothing was touched");
        assert!(!Ended::of(&mut server.command(SERVE)).stderr.contains("hunter2"));
    }
    let server = Server::prepare(&[]);
    for (file, said) in [
        ("[server]\nbnid = 1\n", "bnid"),
        ("[sever]\nbind = 1\n", "sever"),
        ("[server\n", "sluice.toml"),
        ("[downloads]\nthreads = \"many\"\n", "threads"),
    ] {
        fs::write(server.home().join("sluice.toml"), file).unwrap();
        refuses(&server, SERVE, 2, &["configuration", said]);
        refuses(&server, &["config"], 2, &["configuration", said]);
    }
    fs::remove_file(server.home().join("sluice.toml")).unwrap();
    refuses(&server, &["--config", "nowhere.toml", "serve"], 2, &["nowhere.toml"]);
    let weak = Server::prepare(&[("auth.bootstrap_password", "short")]);
    refuses(&weak, SERVE, 1, &["auth.bootstrap_password", "8"]);
    let wrong = Server::prepare(&[("auth.bootstrap_email", "anna")]);
    refuses(&wrong, SERVE, 1, &["auth.bootstrap_email", "`anna`"]);
}

#[test]
fn the_configuration_in_force_is_shown_without_its_secrets() {
    let server = Server::prepare(&[("downloads.url_ttl", "90s")]);
    fs::write(server.home().join("sluice.toml"), "[downloads]\nurl_ttl = \"7m\"\nthreads = 3\n").unwrap();
    let shown = Ended::of(&mut server.command(&["config", "--json"])).expect(0).json();
    assert_eq!((&shown["downloads"]["url_ttl"], &shown["downloads"]["threads"]), (&"1m 30s".into(), &3.into()));
    assert_eq!(shown["auth"]["bootstrap_password"], "(hidden)");
    let text = Ended::of(&mut server.command(&["config"])).expect(0);
    assert!(!text.stdout.contains(crate::harness::server::PASSWORD), "{text:?}");
    // What is shown can be read back.
    let defaults = Ended::of(&mut server.command(&["config", "--defaults"])).expect(0).stdout;
    fs::write(server.home().join("sluice.toml"), defaults).unwrap();
    Ended::of(&mut server.command(&["config"])).expect(0);
}

#[test]
fn migrate_can_be_run_again_and_says_what_it_did() {
    let server = Server::on(Stores::empty(), &[]);
    let first = Ended::of(&mut server.command(&["migrate", "--json"])).expect(0).json();
    assert!(!first["migrations"].as_array().unwrap().is_empty());
    let again = Ended::of(&mut server.command(&["migrate", "--json"])).expect(0).json();
    assert_eq!(again["migrations"], serde_json::json!([]));
    let mut server = server;
    server.run();
}
