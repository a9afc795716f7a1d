//! Table `releases`: one row for each release. Its artifacts are read with it.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::{
    Connection, StoreError, artifacts,
    schema::releases,
    value::{Json, Key, Moment, Name},
};
use crate::domain::{
    artifact::Artifact,
    id::{ProductId, ReleaseId},
    locale::LanguageTag,
    release::{Access, Release, ReleaseState, Severity},
    rollout::{Percent, Plan, Rollout, RolloutState},
    slug::Slug,
    version::{Requirement, Version},
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = releases, treat_none_as_null = true)]
struct Row {
    id: Key<ReleaseId>,
    product_id: Key<ProductId>,
    version: Name<Version>,
    precedence_key: String,
    channel: Name<Slug>,
    state: Name<ReleaseState>,
    published_at: Option<Moment>,
    severity: Name<Severity>,
    access: Name<Access>,
    min_from: Option<Name<Version>>,
    compatible_clients: Option<Name<Requirement>>,
    notes: Json<BTreeMap<LanguageTag, String>>,
    rollout_percent: i64,
    rollout_state: Name<RolloutState>,
    rollout_reason: Option<String>,
    yank_reason: Option<String>,
    created_at: Moment,
    manifest_revision: i64,
    revision: i64,
    rollout_plan: Json<Plan>,
    announced_at: Option<Moment>,
}

impl Row {
    fn of(release: &Release) -> Self {
        Self {
            id: Key(release.id),
            product_id: Key(release.product),
            version: Name(release.version.clone()),
            precedence_key: release.version.precedence_key(),
            channel: Name(release.channel.clone()),
            state: Name(release.state),
            published_at: release.published_at.map(Moment),
            severity: Name(release.severity),
            access: Name(release.access),
            min_from: release.min_from.clone().map(Name),
            compatible_clients: release.compatible_clients.clone().map(Name),
            notes: Json(release.notes.clone()),
            rollout_percent: i64::from(release.rollout.percent.hundredths()),
            rollout_state: Name(release.rollout.state),
            rollout_reason: release.rollout.reason.clone(),
            yank_reason: release.yank_reason.clone(),
            created_at: Moment(release.created_at),
            manifest_revision: release.manifest_revision,
            revision: release.revision,
            rollout_plan: Json(release.rollout.plan.clone()),
            announced_at: release.announced_at.map(Moment),
        }
    }

    fn into_domain(self, artifacts: Vec<Artifact>) -> Result<Release, StoreError> {
        let percent = u16::try_from(self.rollout_percent).ok().and_then(Percent::from_units).ok_or_else(|| {
            StoreError::Damaged(format!(
                "release {} in the database has a rollout of {} hundredths of a percent",
                self.version.0, self.rollout_percent
            ))
        })?;
        Ok(Release {
            id: self.id.0,
            product: self.product_id.0,
            version: self.version.0,
            channel: self.channel.0,
            state: self.state.0,
            published_at: self.published_at.map(|at| at.0),
            severity: self.severity.0,
            access: self.access.0,
            min_from: self.min_from.map(|version| version.0),
            compatible_clients: self.compatible_clients.map(|requirement| requirement.0),
            notes: self.notes.0,
            rollout: Rollout {
                percent,
                state: self.rollout_state.0,
                reason: self.rollout_reason,
                plan: self.rollout_plan.0,
            },
            yank_reason: self.yank_reason,
            artifacts,
            created_at: self.created_at.0,
            manifest_revision: self.manifest_revision,
            revision: self.revision,
            announced_at: self.announced_at.map(|at| at.0),
        })
    }
}

/// All releases of all products, in no particular order.
pub fn all(connection: &mut Connection) -> Result<Vec<Release>, StoreError> {
    let mut by_release: HashMap<ReleaseId, Vec<Artifact>> = HashMap::new();
    for (release, artifact) in artifacts::all(connection)? {
        by_release.entry(release).or_default().push(artifact);
    }
    let rows = releases::table.select(Row::as_select()).load(connection)?;
    rows.into_iter()
        .map(|row: Row| {
            let artifacts = by_release.remove(&row.id.0).unwrap_or_default();
            row.into_domain(artifacts)
        })
        .collect()
}

/// The release with this id.
pub fn get(connection: &mut Connection, id: ReleaseId) -> Result<Option<Release>, StoreError> {
    let row: Option<Row> = releases::table.find(Key(id)).select(Row::as_select()).first(connection).optional()?;
    row.map(|row| with_artifacts(connection, row)).transpose()
}

/// The revisions of these releases. A release that does not exist is missing in the map.
pub fn revisions(
    connection: &mut Connection,
    ids: impl Iterator<Item = ReleaseId>,
) -> Result<HashMap<ReleaseId, i64>, StoreError> {
    let rows: Vec<(Key<ReleaseId>, i64)> = releases::table
        .filter(releases::id.eq_any(ids.map(Key)))
        .select((releases::id, releases::revision))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, revision)| (id.0, revision)).collect())
}

/// The release of a product whose version has the same precedence as this one.
pub fn of_version(
    connection: &mut Connection,
    product: ProductId,
    version: &Version,
) -> Result<Option<Release>, StoreError> {
    let row: Option<Row> = releases::table
        .filter(releases::product_id.eq(Key(product)))
        .filter(releases::precedence_key.eq(version.precedence_key()))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(|row| with_artifacts(connection, row)).transpose()
}

/// All releases of a product, drafts included, in no particular order.
pub fn of_product(connection: &mut Connection, product: ProductId) -> Result<Vec<Release>, StoreError> {
    let rows: Vec<Row> =
        releases::table.filter(releases::product_id.eq(Key(product))).select(Row::as_select()).load(connection)?;
    rows.into_iter().map(|row| with_artifacts(connection, row)).collect()
}

fn with_artifacts(connection: &mut Connection, row: Row) -> Result<Release, StoreError> {
    let artifacts = artifacts::of_release(connection, row.id.0)?;
    row.into_domain(artifacts)
}

/// Adds a release, without artifacts.
///
/// # Errors
/// [`StoreError::Conflict`] if the product has a release of this version.
pub fn insert(connection: &mut Connection, release: &Release) -> Result<(), StoreError> {
    diesel::insert_into(releases::table).values(Row::of(release)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a release. Its artifacts do not change.
pub fn update(connection: &mut Connection, release: &Release) -> Result<(), StoreError> {
    diesel::update(releases::table.find(Key(release.id))).set(Row::of(release)).execute(connection)?;
    Ok(())
}

/// Deletes a release and the rows of its artifacts.
pub fn delete(connection: &mut Connection, id: ReleaseId) -> Result<(), StoreError> {
    diesel::delete(releases::table.find(Key(id))).execute(connection)?;
    Ok(())
}

/// The channels that the product's releases are on. They cannot be removed.
pub fn channels_in_use(connection: &mut Connection, product: ProductId) -> Result<Vec<Slug>, StoreError> {
    let rows: Vec<Name<Slug>> = releases::table
        .filter(releases::product_id.eq(Key(product)))
        .select(releases::channel)
        .distinct()
        .load(connection)?;
    Ok(rows.into_iter().map(|name| name.0).collect())
}
