//! The form of `catalogue.toml`.

use serde::Deserialize;

use crate::{
    domain::{
        id::{HostingGroupId, KnownProblemId, ProductId},
        line::Line,
        platform::{Component, Platform},
        rollout::{Percent, Stage},
        slug::Slug,
        version::Version,
    },
    services::{
        field::known_problems::NewKnownProblem,
        releasing::{products::NewProduct, publish_release::NewRelease, roll_out::Halt},
        selling::hosting_groups::NewHostingGroup,
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalogue {
    pub product: Vec<ProductLine>,
    pub hosting_group: Vec<GroupLine>,
    pub release: Vec<ReleaseLine>,
    pub known_problem: Vec<KnownProblemLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductLine {
    pub id: ProductId,
    /// The prefix of its file names.
    pub file_prefix: String,
    /// The database migrations in its archives.
    pub migrations: Vec<Migration>,
    pub about: NewProduct,
}

/// A database migration of a product.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    pub since: Version,
    pub file: String,
    pub sql: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupLine {
    pub id: HostingGroupId,
    pub about: NewHostingGroup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownProblemLine {
    pub id: KnownProblemId,
    pub about: NewKnownProblem,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseLine {
    pub product: Slug,
    /// When it was published; missing for a draft.
    pub days_ago: Option<i64>,
    pub percent: Option<Percent>,
    pub stages: Option<Vec<Stage>>,
    pub halt: Option<Halt>,
    pub paused: Option<Line>,
    pub yanked: Option<Line>,
    /// The platforms with an installer.
    pub installers: Vec<Platform>,
    /// The components with an archive.
    #[serde(default)]
    pub archives: Vec<Component>,
    pub about: NewRelease,
}
