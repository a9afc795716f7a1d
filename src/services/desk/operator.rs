//! Changes by somebody at the command line of the server's own machine: nobody is logged in, and a server may be running or not.

use jiff::Timestamp;

use crate::{
    domain::{actor::Actor, audit::Record},
    services::desk::audit,
    signing::KeyRing,
    store::{Connection, Store, StoreError},
};

/// Somebody who may use the machine, and so may do as they like. What they do is in the audit log all the same.
#[derive(Debug)]
pub struct Operator<'o> {
    /// The database; a server may be using it.
    pub store: &'o Store,
    /// The keys that vouch for the log.
    pub keys: &'o KeyRing,
    /// As whom they are in the log.
    pub actor: Actor,
    /// The time.
    pub now: Timestamp,
}

impl Operator<'_> {
    /// Makes a change in a transaction, and remembers what `work` says that it was.
    ///
    /// # Errors
    /// What `work` refused, or that the database cannot be used; nothing has changed then.
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
