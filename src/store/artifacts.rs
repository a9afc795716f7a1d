//! Table `artifacts`: the files of releases. Their contents are in the artifact store, under their hashes.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::{
    Connection, StoreError,
    schema::artifacts,
    value::{Key, Name},
};
use crate::domain::{
    artifact::{Artifact, ArtifactKind, ContentStore, Filename, Sha256},
    id::{ArtifactId, ReleaseId},
    platform::{Arch, Component, Platform},
};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = artifacts)]
struct Row {
    id: Key<ArtifactId>,
    release_id: Key<ReleaseId>,
    component: Name<Component>,
    platform: Name<Platform>,
    arch: Name<Arch>,
    kind: Name<ArtifactKind>,
    filename: Name<Filename>,
    size: i64,
    sha256: Vec<u8>,
    signature: Option<String>,
    store: Name<ContentStore>,
}

impl Row {
    fn into_domain(self) -> Result<(ReleaseId, Artifact), StoreError> {
        let damaged = |what: &str| {
            StoreError::Damaged(format!("artifact {} in the database has an invalid {what}", self.filename.0))
        };
        let artifact = Artifact {
            id: self.id.0,
            component: self.component.0,
            platform: self.platform.0,
            arch: self.arch.0,
            kind: self.kind.0,
            size: u64::try_from(self.size).map_err(|_| damaged("size"))?,
            sha256: Sha256(self.sha256.as_slice().try_into().map_err(|_| damaged("hash"))?),
            signature: self.signature,
            store: self.store.0,
            filename: self.filename.0,
        };
        Ok((self.release_id.0, artifact))
    }
}

/// All artifacts, each with the release that it belongs to.
pub fn all(connection: &mut Connection) -> Result<Vec<(ReleaseId, Artifact)>, StoreError> {
    artifacts::table
        .select(Row::as_select())
        .order(artifacts::filename)
        .load(connection)?
        .into_iter()
        .map(Row::into_domain)
        .collect()
}

/// The artifacts of a release, by file name.
pub fn of_release(connection: &mut Connection, release: ReleaseId) -> Result<Vec<Artifact>, StoreError> {
    let rows: Vec<Row> = artifacts::table
        .filter(artifacts::release_id.eq(Key(release)))
        .order(artifacts::filename)
        .select(Row::as_select())
        .load(connection)?;
    rows.into_iter().map(|row| row.into_domain().map(|(_, artifact)| artifact)).collect()
}

/// Adds an artifact to a release.
///
/// # Errors
/// [`StoreError::Conflict`] if the release has an artifact of the same component, platform, architecture and kind, or
/// of the same file name.
pub fn insert(connection: &mut Connection, release: ReleaseId, artifact: &Artifact) -> Result<(), StoreError> {
    let row = Row {
        id: Key(artifact.id),
        release_id: Key(release),
        component: Name(artifact.component),
        platform: Name(artifact.platform),
        arch: Name(artifact.arch),
        kind: Name(artifact.kind),
        filename: Name(artifact.filename.clone()),
        size: i64::try_from(artifact.size)
            .map_err(|_| StoreError::Other("the artifact is larger than can be counted".to_owned()))?,
        sha256: artifact.sha256.0.to_vec(),
        signature: artifact.signature.clone(),
        store: Name(artifact.store),
    };
    diesel::insert_into(artifacts::table).values(row).execute(connection)?;
    Ok(())
}

/// Deletes the row of an artifact. Its content stays in the store.
pub fn delete(connection: &mut Connection, id: ArtifactId) -> Result<(), StoreError> {
    diesel::delete(artifacts::table.find(Key(id))).execute(connection)?;
    Ok(())
}

/// Whether any artifact has this content.
pub fn is_referenced(connection: &mut Connection, content: Sha256) -> Result<bool, StoreError> {
    let having = artifacts::table.filter(artifacts::sha256.eq(content.0.to_vec())).select(artifacts::id);
    Ok(diesel::select(diesel::dsl::exists(having)).get_result(connection)?)
}

/// The contents of all artifacts.
pub fn contents(connection: &mut Connection) -> Result<HashSet<Sha256>, StoreError> {
    let rows: Vec<Vec<u8>> = artifacts::table.select(artifacts::sha256).distinct().load(connection)?;
    Ok(rows.iter().filter_map(|bytes| bytes.as_slice().try_into().ok().map(Sha256)).collect())
}

/// The size in bytes of each content, by content and store. A content is listed once for each store in which an
/// artifact expects it.
pub fn places(connection: &mut Connection) -> Result<HashMap<(Sha256, ContentStore), u64>, StoreError> {
    let rows: Vec<(Vec<u8>, Name<ContentStore>, i64)> =
        artifacts::table.select((artifacts::sha256, artifacts::store, artifacts::size)).distinct().load(connection)?;
    let place = |(bytes, store, size): (Vec<u8>, Name<ContentStore>, i64)| {
        Some(((Sha256(bytes.as_slice().try_into().ok()?), store.0), u64::try_from(size).ok()?))
    };
    Ok(rows.into_iter().filter_map(place).collect())
}

/// Sets the store of a content to `to` in all artifacts that expected it in another store. Returns the releases that
/// changed.
pub fn moved(connection: &mut Connection, content: Sha256, to: ContentStore) -> Result<Vec<ReleaseId>, StoreError> {
    let elsewhere = artifacts::sha256.eq(content.0.to_vec()).and(artifacts::store.ne(Name(to)));
    let releases: Vec<Key<ReleaseId>> =
        artifacts::table.filter(elsewhere.clone()).select(artifacts::release_id).distinct().load(connection)?;
    diesel::update(artifacts::table.filter(elsewhere)).set(artifacts::store.eq(Name(to))).execute(connection)?;
    Ok(releases.into_iter().map(|release| release.0).collect())
}
