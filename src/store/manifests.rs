//! `manifests`: every signed revision of every published release's manifest.

use diesel::prelude::*;

use super::{Connection, StoreError, schema::manifests, value::Key};
use crate::domain::id::ReleaseId;

/// A manifest as it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = manifests)]
pub struct SignedManifest {
    /// The release, for its column.
    release_id: Key<ReleaseId>,
    /// 1 at publication, one more with every correction.
    pub revision: i64,
    /// The canonical JSON.
    pub body: Vec<u8>,
    /// The Ed25519 signature of the body.
    pub signature: Vec<u8>,
    /// The key it was signed with.
    pub key_id: String,
}

impl SignedManifest {
    /// A revision of a release's manifest.
    #[must_use]
    pub const fn new(release: ReleaseId, revision: i64, body: Vec<u8>, signature: Vec<u8>, key_id: String) -> Self {
        Self { release_id: Key(release), revision, body, signature, key_id }
    }
}

/// The newest manifest of a release.
///
/// # Errors
/// When the database cannot be read.
pub fn newest(connection: &mut Connection, release: ReleaseId) -> Result<Option<SignedManifest>, StoreError> {
    Ok(manifests::table
        .filter(manifests::release_id.eq(Key(release)))
        .order(manifests::revision.desc())
        .select(SignedManifest::as_select())
        .first(connection)
        .optional()?)
}

/// Adds a revision.
///
/// # Errors
/// [`StoreError::Conflict`] when it is there; else when the database cannot be written.
pub fn insert(connection: &mut Connection, manifest: &SignedManifest) -> Result<(), StoreError> {
    diesel::insert_into(manifests::table).values(manifest).execute(connection)?;
    Ok(())
}
