//! The form of `catalogue.toml`.

use serde::Deserialize;

use crate::{
    domain::{
        id::{HostingGroupId, KnownProblemId, ProductId},
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

/// A product.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductLine {
    pub id: ProductId,
    /// What the names of its files begin with.
    pub file_prefix: String,
    /// What its archives bring to the database.
    pub migrations: Vec<Migration>,
    pub about: NewProduct,
}

/// A change to the database of a product.
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

/// A release.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReleaseLine {
    pub product: Slug,
    /// When it was published; a draft without.
    pub days_ago: Option<i64>,
    pub percent: Option<Percent>,
    pub stages: Option<Vec<Stage>>,
    pub halt: Option<Halt>,
    pub paused: Option<String>,
    pub yanked: Option<String>,
    /// The systems that it has installers for.
    pub installers: Vec<Platform>,
    /// The components that it has archives of.
    #[serde(default)]
    pub archives: Vec<Component>,
    pub about: NewRelease,
}
