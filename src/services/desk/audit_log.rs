//! Lists the audit log for owners.

use std::sync::Arc;

use crate::{
    domain::page::Page,
    services::desk::{context::Context, refusal::Refusal},
    store,
};

pub use crate::store::audit_log::{Stored, Wanted};

/// A page of the audit log, the newest entry first.
pub async fn list(context: &Arc<Context>, wanted: Wanted, page: Page<i64>) -> Result<Vec<Stored>, Refusal> {
    context.read(move |connection| Ok(store::audit_log::matching(connection, &wanted, page)?)).await
}
