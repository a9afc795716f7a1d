//! Changes from the command line on the server's own machine, without a login. A server may be running or not.

use jiff::Timestamp;

use crate::{
    domain::{actor::Actor, audit::Record},
    services::desk::audit,
    signing::KeyRing,
    store::{Connection, Store, StoreError},
};

/// A person at the command line of the server's machine. They may change everything; the audit log records it.
#[derive(Debug)]
pub struct Operator<'o> {
    /// The database; a running server may be using it.
    pub store: &'o Store,
    /// The keys that seal the head of the audit log.
    pub keys: &'o KeyRing,
    /// The actor in the audit log.
    pub actor: Actor,
    pub now: Timestamp,
}

impl Operator<'_> {
    /// Makes a change in a transaction, and appends the records that `work` returns to the audit log.
    ///
    /// # Errors
    /// The error of `work`, or that the database cannot be used; nothing has changed then.
    pub fn change<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<(T, Vec<Record>), E>,
    ) -> Result<T, E> {
        let in_transaction = |connection: &mut Connection| {
            let (value, records) = work(connection)?;
            audit::append(connection, self.keys, &self.actor, &records, self.now)?;
            Ok((value, ()))
        };
        self.store.write(in_transaction, |()| ())
    }
}
