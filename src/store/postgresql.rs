//! `PostgreSQL`: several replicas share one database.
//!
//! Two mutexes in the process and a lock in the database put writes in order. A write takes them in this order:
//! - The mutex `turn`: each replica has at most one write, and uses at most one connection for it.
//! - The lock in the database (`locks::CHANGE`), which one transaction among all replicas holds at a time.
//! - The mutex `applying`, before the commit. It is held until the changes are in the replica's memory.
//!
//! A replica that follows the changes of others reads and applies them under `applying` too. Otherwise it could read
//! before a commit, and overwrite what was applied after it.

use std::time::Duration;

use diesel::{Connection as _, connection::SimpleConnection as _, pg::PgConnection, prelude::*, sql_types};
use parking_lot::{Mutex, MutexGuard};

use super::{
    AnyConnection, Connection, Place, StoreError,
    error::in_one_line,
    pool::Pool,
    transaction::{self, Purpose},
};

/// The oldest supported version of the server, in the form of `server_version_num`. Older versions are not tested.
const OLDEST: i32 = 150_000;

/// How long a write waits for other writes. The locks in the database wait as long (`lock_timeout`).
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a finished write waits for `applying`. Meanwhile it delays the writes of all replicas, and after 10 s the
/// server ends the transaction (`idle_in_transaction_session_timeout`).
const APPLYING: Duration = Duration::from_secs(5);

/// How many times an addition is tried before its caller gets the error.
const TRIES: u32 = 3;

/// Defaults for the parameters of the URL. With them a lost server is noticed within seconds; the defaults of operating
/// systems take two hours.
const PARAMETERS: [(&str, &str); 8] = [
    ("application_name", "sluice"),
    ("connect_timeout", "5"),
    ("keepalives", "1"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "5000"),
    // After a failover an old address may lead to a replica, which cannot write.
    ("target_session_attrs", "primary"),
];

/// Limits of each session. A replica that stops in the middle of a transaction must not block the others.
const SESSION: &str = "SET lock_timeout = '30s'; SET statement_timeout = '60s'; \
    SET idle_in_transaction_session_timeout = '10s';";

/// No limits, whatever the settings of the server or the user are.
const UNLIMITED: &str = "SET lock_timeout = 0; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0;";

/// Asks for English messages, because errors are recognised by their text. A user without the right to set this keeps
/// the server's language.
const ENGLISH: &str =
    "DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); EXCEPTION WHEN OTHERS THEN NULL; END $$";

/// An open database on a server.
pub(super) struct Postgresql {
    url: String,
    pool: Pool,
    turn: Mutex<()>,
    applying: Mutex<()>,
}

impl Postgresql {
    /// Connects to the server, and checks that it is usable.
    pub(super) fn open(url: &str, connections: usize, place: &Place) -> Result<Self, StoreError> {
        let url = with_parameters(url);
        let mut first = establish(&url).map_err(|text| refused(&text, place))?;
        check(&mut first, place)?;
        let (target, named) = (url.clone(), place.clone());
        let pool = Pool::new(connections, move || {
            connect(&target).map_err(|text| StoreError::Unavailable(format!("no connection to {named}: {text}")))
        });
        Ok(Self { url, pool, turn: Mutex::new(()), applying: Mutex::new(()) })
    }

    /// A connection outside the pool, without the limits of sessions.
    pub(super) fn patient(&self) -> Result<PgConnection, StoreError> {
        establish(&self.url).map_err(|text| StoreError::Unavailable(format!("no connection: {text}")))
    }

    /// Runs `work` in a transaction on a connection of its own, without limits of time.
    pub(super) fn at_leisure<T, E: From<StoreError>>(
        &self,
        purpose: Purpose,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.patient()?;
        connection.batch_execute(UNLIMITED).map_err(StoreError::from)?;
        transaction::run(&mut AnyConnection::Postgresql(connection), purpose, work)
    }

    pub(super) fn write<T, E: From<StoreError>, C>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(T, C), E>,
        after: impl FnOnce(C),
    ) -> Result<T, E> {
        let _turn = wait_for(&self.turn, PATIENCE)?;
        self.pool.with(|connection| {
            let mut applying = None;
            let (value, committed) = transaction::run(connection, Purpose::Change, |connection| {
                let done = work(connection)?;
                applying = Some(wait_for(&self.applying, APPLYING)?);
                Ok::<_, E>(done)
            })?;
            after(committed);
            drop(applying);
            Ok(value)
        })
    }

    pub(super) fn append<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, E> {
        let mut tries = 1;
        loop {
            match self.pool.with(|connection| transaction::run(connection, Purpose::Addition, &work)) {
                Err(StoreError::Contended(text) | StoreError::Conflict(text)) if tries < TRIES => {
                    tracing::debug!(error = %text, "an addition met another one and is tried again");
                    tries += 1;
                }
                done => return done.map_err(E::from),
            }
        }
    }

    pub(super) fn follow<T, E: From<StoreError>, C>(
        &self,
        read: impl FnOnce(&mut Connection) -> Result<C, E>,
        after: impl FnOnce(C) -> T,
    ) -> Result<T, E> {
        let _applying = wait_for(&self.applying, PATIENCE)?;
        self.snapshot(read).map(after)
    }

    pub(super) fn snapshot<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.pool.with(|connection| transaction::run(connection, Purpose::Snapshot, work))
    }

    pub(super) fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.pool.with(work)
    }
}

fn wait_for(turn: &Mutex<()>, patience: Duration) -> Result<MutexGuard<'_, ()>, StoreError> {
    turn.try_lock_for(patience).ok_or_else(|| {
        StoreError::Unavailable(format!("other changes have been under way for {} s", patience.as_secs()))
    })
}

/// Adds the default parameters that the URL does not set.
fn with_parameters(url: &str) -> String {
    let given = url.split_once('?').map_or("", |(_, query)| query);
    let has = |name: &str| given.split('&').any(|part| part.split('=').next() == Some(name));
    let missing: Vec<String> =
        PARAMETERS.iter().filter(|(name, _)| !has(name)).map(|(name, value)| format!("{name}={value}")).collect();
    let joint = match (url.contains('?'), given.is_empty()) {
        (false, _) => "?",
        (true, true) => "",
        (true, false) => "&",
    };
    format!("{url}{joint}{}", missing.join("&"))
}

fn establish(url: &str) -> Result<PgConnection, String> {
    let mut connection = PgConnection::establish(url).map_err(|error| in_one_line(&error.to_string()))?;
    connection.batch_execute(ENGLISH).map_err(|error| in_one_line(&error.to_string()))?;
    Ok(connection)
}

fn connect(url: &str) -> Result<Connection, String> {
    let mut connection = establish(url)?;
    connection.batch_execute(SESSION).map_err(|error| in_one_line(&error.to_string()))?;
    Ok(AnyConnection::Postgresql(connection))
}

/// Why the first connection failed, and what to do.
fn refused(text: &str, place: &Place) -> StoreError {
    let says = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    let cannot = format!("cannot use the database {place}: {text}");
    if says(&["hot standby"]) {
        StoreError::Other(format!(
            "cannot use the database {place}: it is a read-only replica; name the primary server in database.url"
        ))
    } else if says(&[
        "SYSCALL",
        "closed unexpectedly",
        "is starting up",
        "shutting down",
        "in recovery mode",
        "too many clients",
        "connection slots",
    ]) {
        StoreError::Unavailable(format!("{cannot}; wait until it can be used"))
    } else if says(&["certificate", "SSL", "sslmode", "sslrootcert"]) {
        StoreError::Other(format!(
            "{cannot}; check sslmode and sslrootcert of database.url, and that the server's certificate is for this host"
        ))
    } else if says(&["authentication failed", "no password supplied", "pg_hba.conf", "is not permitted to log in"])
        || (says(&["role \""]) && says(&["does not exist"]))
    {
        StoreError::Other(format!("{cannot}; check the user and the password in database.url"))
    } else if says(&["database \""]) && says(&["does not exist"]) {
        StoreError::Other(format!("{cannot}; make it (CREATE DATABASE), or name another one in database.url"))
    } else if says(&["permission denied"]) {
        StoreError::Other(format!("{cannot}; make the user of database.url the owner of the database"))
    } else if says(&[
        " value: \"",
        "private key file",
        "unrecognized configuration",
        "invalid connection option",
        "invalid URI",
        "invalid sslmode",
        "invalid port",
        "invalid integer",
    ]) {
        StoreError::Other(format!("{cannot}; mend database.url"))
    } else {
        StoreError::Unavailable(format!(
            "{cannot}; check that it runs and can be reached from here, and that database.url names the right host"
        ))
    }
}

/// Checks the server's version, role and encoding.
fn check(connection: &mut PgConnection, place: &Place) -> Result<(), StoreError> {
    use diesel::dsl::sql;
    let (version, shown, recovering, encoding): (i32, String, bool, String) = diesel::select((
        sql::<sql_types::Integer>("current_setting('server_version_num')::int"),
        sql::<sql_types::Text>("current_setting('server_version')"),
        sql::<sql_types::Bool>("pg_is_in_recovery()"),
        sql::<sql_types::Text>("current_setting('server_encoding')"),
    ))
    .get_result(connection)
    .map_err(|error| StoreError::from(error).at(place))?;
    let refuse = |text: String| Err(StoreError::Other(format!("cannot use the database {place}: {text}")));
    if version < OLDEST {
        return refuse(format!("it is PostgreSQL {shown}; Sluice needs version {} or later", OLDEST / 10_000));
    }
    if recovering {
        return refuse("it is a read-only replica; name the primary server in database.url".to_owned());
    }
    if encoding != "UTF8" {
        return refuse(format!("its encoding is {encoding}; make a database with the encoding UTF8"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_given_what_it_leaves_open_and_keeps_what_it_says() {
        let plain = with_parameters("postgres://host/db");
        assert!(plain.starts_with("postgres://host/db?application_name=sluice&connect_timeout=5&"), "{plain}");
        let own = with_parameters("postgres://host/db?connect_timeout=60&sslmode=verify-full");
        assert!(own.contains("?connect_timeout=60&sslmode=verify-full&application_name=sluice&keepalives=1"), "{own}");
        assert!(!own.contains("connect_timeout=5&"), "{own}");
        assert!(with_parameters("postgres://host/db?").contains("/db?application_name"));
    }
}
