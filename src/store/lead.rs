//! The lead: the replica that does the work which one replica is enough for. It holds a session lock. `PostgreSQL`
//! frees that lock when the connection ends, for whatever reason.

use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, dsl::sql, pg::PgConnection, sql_types::Bool};

use super::{StoreError, locks};

/// The server probes a silent connection of the leader after 2 s, then three times, every 1 s. A replica that is cut
/// off keeps the lead until then, some 5 s; no other can take it earlier. A server that cannot set this waits as long
/// as its operating system does.
const WATCH: &str = "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;";

/// The lead, as long as [`Self::holds`].
pub struct Lead(Option<PgConnection>);

impl std::fmt::Debug for Lead {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Lead")
    }
}

impl Lead {
    /// The lead of the only process that uses a file.
    pub(super) const fn alone() -> Self {
        Self(None)
    }

    /// Takes the lead; `None` if another replica has it.
    pub(super) fn among(mut connection: PgConnection) -> Result<Option<Self>, StoreError> {
        connection.batch_execute(WATCH)?;
        let taken: bool = diesel::select(sql::<Bool>(&format!("pg_try_advisory_lock({})", locks::LEAD)))
            .get_result(&mut connection)?;
        Ok(taken.then_some(Self(Some(connection))))
    }

    /// Whether this replica still leads. A lead that was lost never comes back.
    pub fn holds(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(connection) => connection.batch_execute("SELECT 1").is_ok(),
        }
    }
}
