//! What each deed is about, and how it is done once it was approved. A new kind of deed has its lines here.

use serde::de::DeserializeOwned;

use super::super::{
    Expected, Refusal, Write, manage_products, manage_trust,
    publish_release::publish_within,
    steer_release::{self, Lifting, Steer},
};
use crate::{
    domain::{
        approval::{Approval, Deed},
        id::ReleaseId,
        product::Product,
        release::Release,
        stop::Stop,
    },
    store::{self, Connection, StoreError},
};

/// With the channels of its product: in another order the same name is another channel.
pub(super) fn print_of_release(product: &Product, release: &Release) -> String {
    format!("{}@{} of {}", release.id, release.revision, product.channels.listed())
}

pub(super) fn print_of_product(product: &Product) -> String {
    format!("{}@{}", product.id, product.revision)
}

/// A stop that was put on anew is another one.
pub(super) fn print_of_stop(stop: &Stop) -> String {
    format!("stop@{}", stop.since.as_microsecond())
}

/// The fingerprint of what a request is about, as it is now; `None` where it is gone.
pub(super) fn fingerprint(connection: &mut Connection, approval: &Approval) -> Result<Option<String>, Refusal> {
    Ok(match approval.deed {
        Deed::Publish | Deed::Restore | Deed::Promote | Deed::ResumeHalt => {
            let product = store::products::get(connection, approval.product)?;
            let release = release(connection, approval)?;
            product.zip(release).map(|(product, release)| print_of_release(&product, &release))
        }
        Deed::LiftStop => {
            let Lifting { channel } = read(approval)?;
            let stops = store::stops::of_product(connection, approval.product)?;
            stops.iter().find(|stop| stop.channel == channel).map(print_of_stop)
        }
        Deed::ChangeProduct => store::products::get(connection, approval.product)?.as_ref().map(print_of_product),
        Deed::Trust => Some(approval.product.to_string()),
    })
}

/// Does what was asked for. Returns the release that was steered by it.
pub(super) fn perform(write: &mut Write<'_>, approval: &Approval) -> Result<Option<ReleaseId>, Refusal> {
    let product = store::products::get(write.connection, approval.product)?.ok_or_else(|| damaged(approval))?;
    let steer = match approval.deed {
        Deed::Publish => {
            let draft = release(write.connection, approval)?.ok_or_else(|| damaged(approval))?;
            publish_within(write, &write.context().keys.load(), (product, draft), &read(approval)?)?;
            return Ok(None);
        }
        Deed::LiftStop => {
            let Lifting { channel } = read(approval)?;
            steer_release::lift_within(write, product, channel.as_ref())?;
            return Ok(None);
        }
        Deed::ChangeProduct => {
            manage_products::change_within(write, product, read(approval)?)?;
            return Ok(None);
        }
        Deed::Trust => {
            let id = write.new_id();
            manage_trust::trust_within(write, id, product.id, approval.requester, read(approval)?)?;
            return Ok(None);
        }
        Deed::Restore => Steer::Restore,
        Deed::Promote => Steer::Promote(read(approval)?),
        // A person says so: the one who approves.
        Deed::ResumeHalt => Steer::Resume(read(approval)?, true),
    };
    let version = approval.version.as_ref().ok_or_else(|| damaged(approval))?;
    steer_release::steer_within(write, &product.slug, version, &Expected::Anything, &steer)
        .map(|release| Some(release.id))
}

fn release(connection: &mut Connection, approval: &Approval) -> Result<Option<Release>, StoreError> {
    let Some(version) = &approval.version else { return Ok(None) };
    store::releases::of_version(connection, approval.product, version)
}

fn read<T: DeserializeOwned>(approval: &Approval) -> Result<T, Refusal> {
    T::deserialize(&approval.parameters).map_err(|error| Refusal::internal(&error))
}

fn damaged(approval: &Approval) -> Refusal {
    Refusal::internal(&format!("what approval {} is about is not there", approval.id))
}
