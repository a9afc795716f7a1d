//! Table `hosting_groups`: one row for each hosting group.

use diesel::prelude::*;
use jiff::civil::Time;

use super::{
    Connection, StoreError,
    schema::hosting_groups,
    value::{Json, Key, Name},
};
use crate::domain::{
    hosting_group::{Day, HostingGroup, Window},
    id::HostingGroupId,
    line::Line,
    slug::Slug,
    zone::Zone,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = hosting_groups, treat_none_as_null = true)]
struct Row {
    id: Key<HostingGroupId>,
    slug: Name<Slug>,
    name: Name<Line>,
    timezone: Name<Zone>,
    window_days: Json<Vec<Day>>,
    window_start: Name<Time>,
    window_minutes: i64,
    max_concurrent: Option<i64>,
    revision: i64,
}

impl Row {
    fn of(group: &HostingGroup) -> Self {
        Self {
            id: Key(group.id),
            slug: Name(group.slug.clone()),
            name: Name(group.name.clone()),
            timezone: Name(group.timezone.clone()),
            window_days: Json(group.window.days.clone()),
            window_start: Name(group.window.start),
            window_minutes: i64::from(group.window.duration_minutes),
            max_concurrent: group.max_concurrent.map(i64::from),
            revision: group.revision,
        }
    }

    fn into_domain(self) -> Result<HostingGroup, StoreError> {
        let damaged =
            |_| StoreError::Damaged(format!("hosting group {} in the database has a number out of range", self.slug.0));
        Ok(HostingGroup {
            id: self.id.0,
            window: Window {
                days: self.window_days.0,
                start: self.window_start.0,
                duration_minutes: u16::try_from(self.window_minutes).map_err(damaged)?,
            },
            max_concurrent: self.max_concurrent.map(u32::try_from).transpose().map_err(damaged)?,
            slug: self.slug.0,
            name: self.name.0,
            timezone: self.timezone.0,
            revision: self.revision,
        })
    }
}

/// All groups, in no particular order.
pub fn all(connection: &mut Connection) -> Result<Vec<HostingGroup>, StoreError> {
    hosting_groups::table.select(Row::as_select()).load(connection)?.into_iter().map(Row::into_domain).collect()
}

/// The group with this id.
pub fn get(connection: &mut Connection, id: HostingGroupId) -> Result<Option<HostingGroup>, StoreError> {
    hosting_groups::table
        .find(Key(id))
        .select(Row::as_select())
        .first(connection)
        .optional()?
        .map(Row::into_domain)
        .transpose()
}

/// The group with this slug.
pub fn by_slug(connection: &mut Connection, slug: &Slug) -> Result<Option<HostingGroup>, StoreError> {
    let row = hosting_groups::table
        .filter(hosting_groups::slug.eq(slug.as_str()))
        .select(Row::as_select())
        .first(connection)
        .optional()?;
    row.map(Row::into_domain).transpose()
}

/// Adds the row of a group.
///
/// # Errors
/// [`StoreError::Conflict`] if the slug already exists.
pub fn insert(connection: &mut Connection, group: &HostingGroup) -> Result<(), StoreError> {
    diesel::insert_into(hosting_groups::table).values(Row::of(group)).execute(connection)?;
    Ok(())
}

/// Replaces the row of a group.
pub fn update(connection: &mut Connection, group: &HostingGroup) -> Result<(), StoreError> {
    diesel::update(hosting_groups::table.find(Key(group.id))).set(Row::of(group)).execute(connection)?;
    Ok(())
}
