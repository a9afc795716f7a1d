//! A database that cannot be used: the server says why in one line, without the password, and ends.

use std::fs;

use nix::sys::signal::Signal;

use crate::{
    harness::{
        Server,
        cluster::Cluster,
        database::{Admin, Database},
        program::Ended,
    },
    operations::start::{SERVE, refuses},
};

fn server(url: &str) -> Server {
    Server::prepare(&[("database.url", url)])
}

#[test]
fn what_is_wrong_is_said_in_one_line_without_the_password() {
    let mut cluster = Cluster::start(&[]);
    let port = cluster.port();
    let at = |rest: &str| format!("postgres://{rest}");
    let good = |user: &str, name: &str| at(&format!("{user}:hunter2@127.0.0.1:{port}/{name}"));
    fs::write(cluster.folder().join("data/pg_hba.conf"), "local all all trust\nhost all all all scram-sha-256\n")
        .unwrap();
    cluster.signal(Signal::SIGHUP);
    Admin::at(&cluster.url()).execute("CREATE ROLE anna LOGIN PASSWORD 'hunter2'; CREATE ROLE idle PASSWORD 'hunter2'");
    Admin::at(&cluster.url()).execute(
        "CREATE DATABASE hers OWNER anna; CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
    );
    for (url, said) in [
        (at(&format!("anna:hunter1@127.0.0.1:{port}/hers")), "check the user and the password"),
        (good("nobody", "hers"), "check the user and the password"),
        (good("idle", "hers"), "check the user and the password"),
        (good("anna", "nothing"), "CREATE DATABASE"),
        (good("anna", "latin"), "UTF8"),
        // Who may come in and not make a table.
        (good("anna", "postgres"), "the owner of the database"),
        (good("anna", "hers?sslmode=sometimes"), "sslmode"),
        (good("anna", "hers?nonsense=1"), "nonsense"),
        (good("anna", "hers?sslmode=require"), "sslmode"),
        ("postgres://anna:hunter2@127.0.0.1:1/hers".to_owned(), "check that it runs"),
        ("postgres://anna:hunter2@no-such-host.invalid/hers".to_owned(), "no-such-host.invalid"),
    ] {
        let server = server(&url);
        // A server waits for what may be there later (replicas::start); a command says so and ends.
        let command: &[&str] =
            if url.contains("hunter2@127.0.0.1:1/") || url.contains("invalid") { &["migrate"] } else { SERVE };
        refuses(&server, command, 1, &["cannot use the database postgres://", said]);
        let ended = Ended::of(&mut server.command(command));
        assert!(!ended.stderr.contains("hunter") && !ended.stdout.contains("hunter"), "{ended:?}");
    }
    let url = good("anna", "hers");
    let mut served = server(&url);
    let shown = Ended::of(&mut served.command(&["config"])).expect(0);
    assert!(
        shown.stdout.contains("postgres://anna:(hidden)@127.0.0.1") && !shown.stdout.contains("hunter2"),
        "{shown:?}"
    );
    served.run();
    served.stop();
    // A standby reads, but does not write.
    cluster.stop();
    fs::write(cluster.folder().join("data/standby.signal"), "").unwrap();
    cluster.run();
    refuses(&served, SERVE, 1, &["read-only replica", "primary"]);
}

#[test]
fn an_ambiguous_url_is_refused_before_anything_is_asked() {
    for (url, said) in [
        ("postgres://anna:hun@ter2@host/db", "%40"),
        ("postgres://anna:hun/ter2@host/db", "%2F"),
        ("postgres://anna:hun%ter2@host/db", "%25"),
        ("mysql://anna:hunter2@host/db", "database.url"),
    ] {
        let server = server(url);
        refuses(&server, SERVE, 2, &["configuration", "database.url", said]);
        let ended = Ended::of(&mut server.command(SERVE));
        assert!(!ended.stderr.contains("ter2"), "{ended:?}");
        assert!(!server.data().exists(), "nothing was touched");
    }
}

#[test]
fn a_database_of_a_newer_sluice_is_left_alone() {
    let database = Database::migrated();
    database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    refuses(&server(database.url()), SERVE, 1, &["newer Sluice", "20990101000000"]);
    refuses(&server(database.url()), &["migrate"], 1, &["newer Sluice", "20990101000000"]);
}
