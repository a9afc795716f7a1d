//! Which of several replicas does the work that one is enough for: the one that holds a lock of the session kind, which
//! `PostgreSQL` frees when the connection ends, however it ends.

use diesel::{RunQueryDsl as _, connection::SimpleConnection as _, dsl::sql, pg::PgConnection, sql_types::Bool};

use super::{StoreError, locks};

/// A replica that is cut off must not lead for longer than this takes (some 5 s): the server looks whether it is still
/// there. Not every server can; it then takes as long as the operating system does.
const WATCH: &str = "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;";

/// The lead, while this is held and [`Self::holds`].
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

    /// The lead, unless another replica has it.
    pub(super) fn among(mut connection: PgConnection) -> Result<Option<Self>, StoreError> {
        connection.batch_execute(WATCH)?;
        let taken: bool = diesel::select(sql::<Bool>(&format!("pg_try_advisory_lock({})", locks::LEAD)))
            .get_result(&mut connection)?;
        Ok(taken.then_some(Self(Some(connection))))
    }

    /// Whether it is still held; once it is not, it never will be again.
    pub fn holds(&mut self) -> bool {
        match &mut self.0 {
            None => true,
            Some(connection) => connection.batch_execute("SELECT 1").is_ok(),
        }
    }
}
