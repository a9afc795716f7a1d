//! Hosting groups: added, listed and changed by staff.

use std::sync::Arc;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    directory::Change,
    domain::{
        InvalidValue,
        hosting_group::{Day, HostingGroup, Window},
        id::HostingGroupId,
        line::Line,
        page::Page,
        patch::patch_body,
        slug::Slug,
        zone::Zone,
    },
    services::desk::{Code, Context, Expected, Faults, Refusal, Write},
    store,
};

/// A nightly maintenance window.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowBody {
    /// The days on which it opens.
    #[schema(min_items = 1, max_items = 7)]
    pub days: Vec<Day>,
    /// When it opens, by the clock of the group's time zone.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "01:00")]
    pub start: String,
    /// For how long, in minutes of elapsed time.
    #[schema(minimum = 1, maximum = 1440, example = 240)]
    pub duration_minutes: u16,
}

impl WindowBody {
    /// The window in the form of the API.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        Self {
            days: window.days.clone(),
            start: window.start.strftime("%H:%M").to_string(),
            duration_minutes: window.duration_minutes,
        }
    }

    fn read(self) -> Result<Window, Refusal> {
        let mut faults = Faults::default();
        let start = match self.start.len() {
            5 => Time::strptime("%H:%M", &self.start).ok(),
            _ => None,
        };
        if start.is_none() {
            faults.add(
                "window.start",
                InvalidValue::new("time of day", &self.start, "hours and minutes such as `01:00`").to_string(),
            );
        }
        if self.days.is_empty() {
            faults.add("window.days", "must name at least one day");
        }
        if !(1..=1440).contains(&self.duration_minutes) {
            faults.add("window.duration_minutes", "must be 1 to 1440");
        }
        faults.finish()?;
        let mut days = self.days;
        days.sort_unstable();
        days.dedup();
        Ok(Window { days, start: start.unwrap_or_default(), duration_minutes: self.duration_minutes })
    }
}

/// A new hosting group.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHostingGroup {
    /// Its name in URLs; never changes.
    #[schema(example = "milan-nights")]
    pub slug: Slug,
    /// Its name for people.
    pub name: Line,
    /// Where its window's times are times.
    pub timezone: Zone,
    /// When its sites may be updated.
    pub window: WindowBody,
    /// How many of its sites may be updating at once; no limit unless given. The servers of the others are told
    /// `group_busy`.
    #[schema(minimum = 1)]
    pub max_concurrent: Option<u32>,
}

patch_body! {
    /// A change to a hosting group: what is absent stays as it is, `null` clears what can be cleared.
    #[derive(Debug)]
    pub struct HostingGroupChange {
        /// Its name for people.
        pub name: Patch<Line>,
        /// Where its window's times are times.
        pub timezone: Patch<Zone>,
        /// When its sites may be updated.
        pub window: Patch<WindowBody>,
        /// How many of its sites may be updating at once.
        #[schema(minimum = 1)]
        pub max_concurrent: Patch<Option<u32>>,
    }
}

fn check(group: &HostingGroup) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if group.max_concurrent == Some(0) {
        faults.add("max_concurrent", "must be at least 1");
    }
    faults.finish()
}

/// Adds a group, without any subscription.
///
/// # Errors
/// `body_invalid`, `hosting_group_exists`.
pub async fn add(context: &Arc<Context>, new: NewHostingGroup) -> Result<HostingGroup, Refusal> {
    context
        .write(move |write| {
            let id = write.new_id();
            add_within(write, id, new)
        })
        .await
}

/// Adds a group under an id, within a write.
pub(in crate::services) fn add_within(
    write: &mut Write<'_>,
    id: HostingGroupId,
    new: NewHostingGroup,
) -> Result<HostingGroup, Refusal> {
    let window = new.window.read()?;
    if store::hosting_groups::by_slug(write.connection, &new.slug)?.is_some() {
        return Err(Refusal::new(Code::HostingGroupExists, format!("there is a hosting group `{}` already", new.slug)));
    }
    let group = HostingGroup {
        id,
        slug: new.slug,
        name: new.name,
        timezone: new.timezone,
        window,
        max_concurrent: new.max_concurrent,
        revision: 1,
    };
    check(&group)?;
    store::hosting_groups::insert(write.connection, &group)?;
    write.made("hosting_group.add", &group)?;
    write.changed(Change::HostingGroup(group.id));
    Ok(group)
}

/// Changes the given fields of a group.
///
/// # Errors
/// `hosting_group_not_found`, `precondition_failed`, `body_invalid`.
pub async fn change(
    context: &Arc<Context>,
    slug: Slug,
    expected: Expected,
    change: HostingGroupChange,
) -> Result<HostingGroup, Refusal> {
    let window = change.window.value().map(WindowBody::read).transpose()?;
    context
        .write(move |write| {
            let mut group =
                store::hosting_groups::by_slug(write.connection, &slug)?.ok_or_else(|| not_found(slug.as_str()))?;
            expected.check(group.revision)?;
            let before = group.clone();
            change.name.apply(&mut group.name);
            change.timezone.apply(&mut group.timezone);
            group.window = window.unwrap_or(group.window);
            change.max_concurrent.apply(&mut group.max_concurrent);
            check(&group)?;
            write.save("hosting_group.change", &before, &mut group)?;
            Ok(group)
        })
        .await
}

/// The refusal for a group that does not exist.
#[must_use]
pub fn not_found(slug: &str) -> Refusal {
    Refusal::new(Code::HostingGroupNotFound, format!("there is no hosting group `{slug}`"))
}

/// A page of the hosting groups, ordered by slug.
#[must_use]
pub fn list(context: &Context, page: &Page<Slug>) -> Vec<Arc<HostingGroup>> {
    let catalogue = context.directory.catalogue();
    let groups = catalogue.groups().into_iter();
    page.first_of(groups.filter(|group| page.after.as_ref().is_none_or(|after| group.slug > *after)).map(Arc::clone))
}

/// The hosting group with this slug.
///
/// # Errors
/// `hosting_group_not_found`.
pub fn get(context: &Context, slug: &Slug) -> Result<Arc<HostingGroup>, Refusal> {
    let catalogue = context.directory.catalogue();
    catalogue.group_by_slug(slug.as_str()).map(Arc::clone).ok_or_else(|| not_found(slug.as_str()))
}
