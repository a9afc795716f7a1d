//! What each kind of action concerns, and how it is carried out after the approval. A new kind of action is added here.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    domain::{
        approval::{Approval, ApprovalAction, ApprovalStatus},
        id::{ProductId, ReleaseId},
        product::Product,
        release::Release,
        stop::Stop,
        subject::Subject,
    },
    services::{
        desk::{Expected, Refusal, Write},
        people::trust,
        releasing::{
            products,
            publish_release::publish_within,
            steer_release::{self, Steer},
        },
        second_person::{Lifting, fingerprint_of_product, fingerprint_of_release, fingerprint_of_stop},
    },
    store::{self, Connection, StoreError},
};

/// The current state of everything that requests concern. Each table is read once, however many requests there are.
#[derive(Default)]
pub(super) struct Subjects {
    products: HashMap<ProductId, Product>,
    revisions: HashMap<ReleaseId, i64>,
    stops: Vec<(ProductId, Stop)>,
}

impl Subjects {
    /// Reads the current state for these requests. Reads nothing when all of them are decided.
    pub(super) fn of(connection: &mut Connection, approvals: &[Approval]) -> Result<Self, StoreError> {
        if approvals.iter().all(|approval| approval.decision.is_some()) {
            return Ok(Self::default());
        }
        let products = store::products::all(connection)?.into_iter().map(|product| (product.id, product));
        Ok(Self {
            products: products.collect(),
            revisions: store::releases::revisions(connection, approvals.iter().filter_map(release_id))?,
            stops: store::stops::all(connection)?,
        })
    }

    /// The status of a request at `now`.
    pub(super) fn status(&self, approval: &Approval, now: Timestamp) -> Result<ApprovalStatus, Refusal> {
        Ok(approval.status(now, self.fingerprint(approval)?.as_deref()))
    }

    /// The current fingerprint of the subject of a request; `None` if the subject no longer exists.
    fn fingerprint(&self, approval: &Approval) -> Result<Option<String>, Refusal> {
        let product = self.products.get(&approval.product);
        Ok(match approval.deed {
            ApprovalAction::Publish
            | ApprovalAction::Restore
            | ApprovalAction::Promote
            | ApprovalAction::ResumeHalt => {
                let release = release_id(approval).and_then(|id| Some((id, *self.revisions.get(&id)?)));
                product.zip(release).map(|(product, (id, revision))| fingerprint_of_release(product, id, revision))
            }
            ApprovalAction::LiftStop => {
                let Lifting { channel } = read(approval)?;
                let mut stops = self.stops.iter().filter(|(product, _)| *product == approval.product);
                stops.find(|(_, stop)| stop.channel == channel).map(|(_, stop)| fingerprint_of_stop(stop))
            }
            ApprovalAction::ChangeProduct => product.map(fingerprint_of_product),
            ApprovalAction::Trust => Some(approval.product.to_string()),
        })
    }
}

/// The release that a request concerns, by id: another draft of the same version is another release.
const fn release_id(approval: &Approval) -> Option<ReleaseId> {
    match &approval.subject {
        Subject::Release(id) => Some(*id),
        _ => None,
    }
}

/// Carries out the requested action. Returns the release that it steered, if any.
pub(super) fn perform(write: &mut Write<'_>, approval: &Approval) -> Result<Option<ReleaseId>, Refusal> {
    let product = store::products::get(write.connection, approval.product)?.ok_or_else(|| damaged(approval))?;
    let steer = match approval.deed {
        ApprovalAction::Publish => {
            let draft = release(write.connection, approval)?.ok_or_else(|| damaged(approval))?;
            publish_within(write, &write.context().keys.load(), &product, draft, &read(approval)?)?;
            return Ok(None);
        }
        ApprovalAction::LiftStop => {
            let Lifting { channel } = read(approval)?;
            steer_release::lift_within(write, product, channel.as_ref())?;
            return Ok(None);
        }
        ApprovalAction::ChangeProduct => {
            products::change_within(write, product, read(approval)?)?;
            return Ok(None);
        }
        ApprovalAction::Trust => {
            let id = write.new_id();
            trust::trust_within(write, id, product.id, approval.requester, read(approval)?)?;
            return Ok(None);
        }
        ApprovalAction::Restore => Steer::Restore,
        ApprovalAction::Promote => Steer::Promote(read(approval)?),
        // `true`: a person resumes the rollout, namely the approver.
        ApprovalAction::ResumeHalt => Steer::Resume(read(approval)?, true),
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
