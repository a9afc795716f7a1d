//! Being told of changes at once: `LISTEN` and `NOTIFY` of `PostgreSQL`. What is told is only that there is something in
//! `changes`; who missed it finds it there.

use diesel::{connection::SimpleConnection as _, pg::PgConnection};

use super::{AnyConnection, Connection, StoreError};

const LISTEN: &str = "LISTEN sluice_changes";
const NOTIFY: &str = "NOTIFY sluice_changes";

/// Tells every listener, once the transaction is committed. A file has none: nobody else may change it.
pub(super) fn announce(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Postgresql(connection) => Ok(connection.batch_execute(NOTIFY)?),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Somebody who is told. Holds a connection of its own.
pub struct Listener(PgConnection);

impl std::fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Listener")
    }
}

impl Listener {
    pub(super) fn on(mut connection: PgConnection) -> Result<Self, StoreError> {
        connection.batch_execute(LISTEN)?;
        Ok(Self(connection))
    }

    /// Whether anything was told since the last call. Looks at what has arrived, and does not wait.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection is lost, and with it perhaps what was told.
    pub fn heard(&mut self) -> Result<bool, StoreError> {
        let mut heard = false;
        for told in self.0.notifications_iter() {
            told.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            heard = true;
        }
        Ok(heard)
    }
}
