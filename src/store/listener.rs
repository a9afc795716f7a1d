//! Immediate notification of changes: `LISTEN` and `NOTIFY` of `PostgreSQL`. A notification only says that `changes`
//! has new rows. A replica that missed a notification finds the rows there.

use diesel::{connection::SimpleConnection as _, pg::PgConnection};

use super::{AnyConnection, Connection, StoreError};

const LISTEN: &str = "LISTEN sluice_changes";
const NOTIFY: &str = "NOTIFY sluice_changes";

/// Notifies all listeners once the transaction is committed. A file has no listeners: no other process may change it.
pub(super) fn announce(connection: &mut Connection) -> Result<(), StoreError> {
    match connection {
        AnyConnection::Postgresql(connection) => Ok(connection.batch_execute(NOTIFY)?),
        AnyConnection::Sqlite(_) => Ok(()),
    }
}

/// Receives the notifications, on a connection of its own.
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

    /// Whether a notification arrived since the last call. Does not wait.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the connection is lost. Notifications may be lost with it.
    pub fn heard(&mut self) -> Result<bool, StoreError> {
        let mut heard = false;
        for told in self.0.notifications_iter() {
            told.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            heard = true;
        }
        Ok(heard)
    }
}
