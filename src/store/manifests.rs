//! Table `manifests`: all signed revisions of the manifests of published releases.

use diesel::prelude::*;

use super::{Connection, StoreError, schema::manifests, value::Key};
use crate::domain::{id::ReleaseId, manifest::SignedManifest};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = manifests)]
struct Row {
    release_id: Key<ReleaseId>,
    revision: i64,
    body: Vec<u8>,
    signature: Vec<u8>,
    key_id: String,
}

impl Row {
    fn of(manifest: &SignedManifest) -> Self {
        let SignedManifest { release, revision, body, signature, key_id } = manifest.clone();
        Self { release_id: Key(release), revision, body, signature, key_id }
    }

    fn into_domain(self) -> SignedManifest {
        let Self { release_id, revision, body, signature, key_id } = self;
        SignedManifest { release: release_id.0, revision, body, signature, key_id }
    }
}

/// All manifests. The newest revision of each release comes last.
pub fn all(connection: &mut Connection) -> Result<Vec<SignedManifest>, StoreError> {
    let rows: Vec<Row> = manifests::table.order(manifests::revision).select(Row::as_select()).load(connection)?;
    Ok(rows.into_iter().map(Row::into_domain).collect())
}

/// The newest manifest of a release; `None` for a draft.
pub fn newest(connection: &mut Connection, release: ReleaseId) -> Result<Option<SignedManifest>, StoreError> {
    let row: Option<Row> = manifests::table
        .filter(manifests::release_id.eq(Key(release)))
        .order(manifests::revision.desc())
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    Ok(row.map(Row::into_domain))
}

/// Adds a revision of a manifest.
///
/// # Errors
/// [`StoreError::Conflict`] if the revision already exists.
pub fn insert(connection: &mut Connection, manifest: &SignedManifest) -> Result<(), StoreError> {
    diesel::insert_into(manifests::table).values(Row::of(manifest)).execute(connection)?;
    Ok(())
}
