//! A database of a test's own on a `PostgreSQL` server: the one that `SLUICE_TEST_DATABASE_URL` names, or a throw-away
//! one.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use diesel::{
    Connection as _, ConnectionResult, QueryableByName, RunQueryDsl as _, connection::SimpleConnection as _,
    pg::PgConnection, sql_types::Text,
};
use sluice::store::Store;

use super::{
    bytes::sha256,
    cluster::{Cluster, programs},
};

/// Whoever makes the template holds this lock.
const TEMPLATE_LOCK: i64 = 0x536C_7569_6365_7465;

/// A database, dropped with this.
pub struct Database {
    name: String,
    url: String,
}

/// A value of a column named `value`.
#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// A connection.
pub fn connect(url: &str) -> ConnectionResult<PgConnection> {
    PgConnection::establish(url)
}

/// The URL of the server's first database.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    SERVER.get_or_init(|| match std::env::var("SLUICE_TEST_DATABASE_URL") {
        Ok(url) => url,
        Err(_) => CLUSTER.get_or_init(|| Cluster::start(&[])).url(),
    })
}

/// The URL with another database's name.
pub fn named(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (address, query) =
        rest.split_once('?').map_or((rest, String::new()), |(address, query)| (address, format!("?{query}")));
    let host = address.split('/').next().expect("a host");
    format!("{scheme}://{host}/{name}{query}")
}

/// Somebody who may do everything on a server.
pub struct Admin(PgConnection);

impl Admin {
    /// The one of the server with this URL.
    pub fn at(url: &str) -> Self {
        Self(connect(url).expect("the server"))
    }

    /// Runs statements one by one; those that make a database cannot run together.
    pub fn execute(&mut self, statements: &str) {
        for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            self.0.batch_execute(statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }
}

impl Database {
    /// An empty one.
    pub fn empty() -> Self {
        Self::make(String::new())
    }

    /// One with all tables and nothing in them.
    pub fn migrated() -> Self {
        Self::make(format!("TEMPLATE {} STRATEGY file_copy", template()))
    }

    fn make(of: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_micros();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("sluice_test_{}_{moment}_{number}", std::process::id());
        Admin::at(server()).execute(&format!("CREATE DATABASE {name} {of}"));
        Self { url: named(server(), &name), name }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements in it.
    pub fn execute(&self, statements: &str) {
        let mut connection = connect(&self.url).expect("the database");
        connection.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// What a query selects as `value`, which is a text.
    pub fn select(&self, query: &str) -> Vec<String> {
        let mut connection = connect(&self.url).expect("the database");
        let rows = diesel::sql_query(query).load::<Value>(&mut connection);
        rows.unwrap_or_else(|error| panic!("{query}: {error}")).into_iter().map(|row| row.value).collect()
    }

    /// All that it holds, as statements that would make it again.
    pub fn dump(&self) -> String {
        let dumped = Command::new(programs().join("pg_dump")).arg(&self.url).output().expect("pg_dump");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8(dumped.stdout).expect("UTF-8")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What is left of a server that does not answer any more is not this test's to mend.
        if let Ok(mut connection) = connect(server()) {
            let _ = connection.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// The database that all others are copied from: made by the first test that wants it, and again when the migrations
/// have changed.
fn template() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgresql");
    let mut folders: Vec<_> = fs::read_dir(folder).expect("migrations").map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let texts: Vec<u8> =
        folders.iter().flat_map(|folder| fs::read(folder.join("up.sql")).expect("a migration")).collect();
    let name = format!("sluice_template_{}", &sha256(&texts)[..16]);
    let mut connection = connect(server()).expect("the server");
    // The lock goes with the connection.
    connection.batch_execute(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).expect("a lock");
    let there = diesel::sql_query(format!("SELECT datname::text AS value FROM pg_database WHERE datname = '{name}'"))
        .load::<Value>(&mut connection)
        .expect("the databases");
    if there.is_empty() {
        let draft = format!("{name}_draft");
        for statement in [format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)"), format!("CREATE DATABASE {draft}")] {
            connection.batch_execute(&statement).expect("a database");
        }
        let store = Store::connect(&named(server(), &draft), 2).expect("the draft");
        store.migrate().expect("migrations");
        drop(store);
        // Who was just disconnected may be counted for a moment longer.
        super::eventually(10, "the draft to be named", || {
            connection.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).ok()
        });
    }
    name
}
