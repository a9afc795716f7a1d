//! The demo's products, hosting groups and releases.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{catalogue_file::Catalogue, files, id, read};
use crate::{
    cli::failure::Failure,
    domain::zone::utc_day,
    services::{
        releasing::{
            publish_release::Publication,
            roll_out::NewRollout,
            steer_release::{Steer, Why, WhyMaybe},
        },
        running::seed_vendor::{SeedRelease, Vendor},
    },
};

/// Enters the catalogue as it stands at `now`.
pub(super) fn enter(vendor: &mut Vendor, now: Timestamp) -> Result<(), Failure> {
    let read: Catalogue = read("catalogue.toml", include_str!("catalogue.toml"))?;
    for (index, release) in read.release.into_iter().enumerate() {
        let product = read.product.iter().find(|product| product.about.slug == release.product);
        let product = product.ok_or_else(|| Failure::failed(&"a release of the demo has no product"))?;
        let published_at = release.days_ago.map(|days| morning(now, days));
        let files = files::of(product, &release, published_at.unwrap_or(now), vendor)?;
        let publication = published_at.map(|at| Publication {
            published_at: Some(at),
            rollout: Some(NewRollout {
                percent: release.percent.into(),
                stages: release.stages.into(),
                halt: release.halt.map(Some).into(),
            }),
            force: None,
        });
        let paused = release.paused.map(|reason| Steer::Pause(WhyMaybe { reason: Some(reason) }));
        let yanked = release.yanked.map(|reason| Steer::Yank(Why { reason }));
        vendor.releases.push(SeedRelease {
            id: id(0, index + 1),
            product: release.product,
            new: release.about,
            files,
            publication,
            steered: paused.into_iter().chain(yanked).collect(),
        });
    }
    vendor.products = read.product.into_iter().map(|product| (product.id, product.about)).collect();
    vendor.known_problems = read.known_problem.into_iter().map(|rule| (rule.id, rule.about)).collect();
    vendor.hosting_groups = read.hosting_group.into_iter().map(|group| (group.id, group.about)).collect();
    Ok(())
}

/// Nine o'clock UTC on the day this many days ago.
fn morning(now: Timestamp, days: i64) -> Timestamp {
    let day = utc_day(now).saturating_sub(days.days());
    day.at(9, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(now, |zoned| zoned.timestamp())
}
