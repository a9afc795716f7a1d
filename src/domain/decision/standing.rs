//! Whether a release is open to a subscription, without a check. Reports on releases that are not open have no vote.

use jiff::Timestamp;

use super::{
    facts::{Check, Entitlement, Facts, Slot, Trigger},
    rules::{self, Judge},
};
use crate::domain::{
    platform::{MachineArch, Platform},
    product::Product,
    release::Release,
    stop::Stop,
    subscription::Coverage,
};

/// A subscription's view of the releases of its product.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub product: &'a Product,
    pub stops: &'a [Stop],
    pub coverage: &'a Coverage,
    pub now: Timestamp,
}

impl Standing<'_> {
    /// Whether any check of the subscription could be offered the release: rules 2 to 7, on the release's own channel,
    /// with a manual trigger, which passes any percentage above 0.
    #[must_use]
    pub fn is_open(&self, release: &Release) -> bool {
        // The release is given, so files and machines do not matter.
        let product = self.product.slug.clone();
        let any = Check::new(product, release.version.clone(), Platform::Linux, MachineArch::X86_64);
        let check = Check { trigger: Trigger::Manual, ..any };
        let facts = Facts {
            now: self.now,
            product: self.product,
            releases: &[],
            stops: self.stops,
            check: &check,
            channel: &release.channel,
            entitlement: Entitlement::Subscriber(self.coverage, None),
            slot: Slot::Free,
        };
        let answering = rules::answering_channel(&facts);
        rules::stop_on(&facts, answering).is_none() && Judge::new(&facts, answering).lets_pass(release)
    }
}
