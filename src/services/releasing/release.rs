//! Releases: read from memory; found, saved and announced within a write.

use std::sync::Arc;

use crate::{
    directory::KeyEntry,
    domain::{
        page::Page,
        product::Product,
        release::{Access, Release, ReleaseState},
        slug::Slug,
        version::Version,
        webhook::WebhookEvent,
    },
    services::{
        desk::{Code, Context, Refusal, Write, lookup},
        telling::events,
    },
    store,
};

/// Reads a product and one of its releases within a write.
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

/// `release_not_found`, with the version and the product's slug.
#[must_use]
pub fn not_found(slug: &Slug, version: &Version) -> Refusal {
    Refusal::new(Code::ReleaseNotFound, format!("there is no release {version} of `{slug}`"))
}

/// Saves a release that was published or restored, and announces it. A scheduled release is announced at its time by
/// [`tend`](super::guard_rollouts::tend).
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
    write.save(action, before, release)?;
    if is_out {
        events::release_event(write, WebhookEvent::ReleasePublished, product, release)?;
    }
    Ok(())
}

/// A page of the releases of a product, the highest version first; only those in `state`, if given.
///
/// # Errors
/// `product_not_found`.
pub fn list(
    context: &Context,
    slug: &Slug,
    state: Option<ReleaseState>,
    page: &Page<Version>,
) -> Result<Vec<Arc<Release>>, Refusal> {
    let entry = lookup::product_entry(context, slug)?;
    let wanted = entry.releases.iter().rev().filter(|release| state.is_none_or(|state| release.state == state));
    let rest = wanted.filter(|release| page.after.as_ref().is_none_or(|after| release.version < *after));
    Ok(page.first_of(rest.map(Arc::clone)))
}

/// The release of a product with this version.
///
/// # Errors
/// `product_not_found`, `release_not_found`.
pub fn get(context: &Context, slug: &Slug, version: &Version) -> Result<Arc<Release>, Refusal> {
    let entry = lookup::product_entry(context, slug)?;
    entry.release(version).map(Arc::clone).ok_or_else(|| not_found(slug, version))
}

/// The release with this version, for a program in the field. A release that is not published is not found. A release
/// that is not for everyone needs a license key of the product.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `license_key_required`, `wrong_product`.
pub fn get_for_program(
    context: &Context,
    slug: &Slug,
    version: &Version,
    key: Option<&KeyEntry>,
) -> Result<Arc<Release>, Refusal> {
    let release = get(context, slug, version)?;
    if release.state == ReleaseState::Draft || release.published_at.is_none_or(|at| at > context.clock.now()) {
        return Err(not_found(slug, version));
    }
    match key {
        None if release.access == Access::Everyone => Ok(release),
        None => Err(Refusal::new(Code::LicenseKeyRequired, format!("`{slug}` {version} needs a license key"))),
        Some(key) if key.coverage.product == release.product => Ok(release),
        Some(_) => Err(Refusal::new(Code::WrongProduct, format!("the license key is not one of `{slug}`"))),
    }
}
