//! A release within a write: found, saved, and announced.

use crate::{
    directory::Change,
    domain::{product::Product, release::Release, slug::Slug, version::Version, webhook::WebhookEvent},
    services::{
        desk::{Code, Refusal, Write, lookup},
        telling::outbox,
    },
    store,
};

/// A product and one of its releases, read within a write.
pub(in crate::services) fn find(
    write: &mut Write<'_>,
    slug: &Slug,
    version: &Version,
) -> Result<(Product, Release), Refusal> {
    let product = lookup::product(write.connection, slug)?;
    let release =
        store::releases::of_version(write.connection, product.id, version)?.ok_or_else(|| not_found(slug, version))?;
    Ok((product, release))
}

/// The refusal for a release that is not there.
#[must_use]
pub fn not_found(slug: &Slug, version: &Version) -> Refusal {
    Refusal::new(Code::ReleaseNotFound, format!("there is no release {version} of `{slug}`"))
}

/// Writes a release that was changed from what it was before, and notes what was done.
pub(in crate::services) fn save(
    write: &mut Write<'_>,
    action: &'static str,
    before: &Release,
    release: &mut Release,
) -> Result<(), Refusal> {
    release.revision += 1;
    store::releases::update(write.connection, release)?;
    write.altered(action, before, release);
    write.changed(Change::Release(release.product, release.id));
    Ok(())
}

/// Writes a release that was published or restored, and tells others that it is out. One whose time is still to come is told
/// of then.
pub(in crate::services) fn save_and_announce(
    write: &mut Write<'_>,
    action: &'static str,
    product: &Product,
    before: &Release,
    release: &mut Release,
) -> Result<(), Refusal> {
    let is_out = release.was_published_by(write.now);
    if is_out {
        release.announced_at = Some(write.now);
    }
    save(write, action, before, release)?;
    if is_out {
        outbox::release_event(write, WebhookEvent::ReleasePublished, product, release)?;
    }
    Ok(())
}
