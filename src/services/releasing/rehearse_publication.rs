//! Rehearsals (`?dry_run=true`): what publishing a draft would find, and how many sites would be offered it. They
//! change nothing and are answered from memory.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use crate::{
    directory::ProductEntry,
    domain::{
        artifact::Target,
        decision::{
            facts::{Check, Entitlement, Facts, Slot},
            rules::{self, Judge},
        },
        lint::{Finding, lint},
        platform::{Component, MachineArch, Platform},
        release::Release,
        slug::Slug,
        subscription::{Coverage, Deployment, Status},
        version::Version,
    },
    services::{
        desk::{Code, Context, Expected, Refusal, lookup},
        releasing::{
            publish_release::{self, Publication},
            release,
        },
    },
};

/// The result of a rehearsed publication.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// True if there are no findings, or a reason overrides them.
    pub would_publish: bool,
    /// Whether a second person would have to approve the publication.
    pub needs_approval: bool,
    pub findings: Vec<Finding>,
    /// `published_at`, or now where that is past.
    pub offered_from: Timestamp,
    /// The number of sites that would be offered the release, by the status of their subscription at `offered_from`.
    pub offered: BTreeMap<Status, u64>,
    /// The number of subscriptions of the product.
    pub sites: u64,
}

/// Rehearses a publication on a thread of its own.
///
/// # Errors
/// Those of [`publish_release::publish`], except for `release_incomplete`.
pub async fn rehearse(
    context: &Arc<Context>,
    slug: Slug,
    version: Version,
    expected: Expected,
    publication: Publication,
) -> Result<Rehearsal, Refusal> {
    let context = Arc::clone(context);
    // Goes through every subscription, of which there may be a million: not on a thread that answers checks.
    let rehearsing = tokio::task::spawn_blocking(move || carry_out(&context, &slug, &version, &expected, &publication));
    rehearsing.await.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

fn carry_out(
    context: &Context,
    slug: &Slug,
    version: &Version,
    expected: &Expected,
    publication: &Publication,
) -> Result<Rehearsal, Refusal> {
    let now = context.clock.now();
    let catalogue = Arc::clone(&context.directory.catalogue());
    let entry = catalogue.product(slug.as_str()).ok_or_else(|| lookup::product_not_found(slug))?;
    let draft = entry.release(version).ok_or_else(|| release::not_found(slug, version))?;
    expected.check(draft.revision)?;
    let findings = lint(&entry.product, &entry.releases, draft, publication.published_at, now);
    let permitted = publish_release::permit(&entry.product, draft, &findings, publication.force.is_some());
    let would_publish = match permitted {
        Ok(()) => true,
        Err(refusal) if refusal.code == Code::ReleaseIncomplete => false,
        Err(refusal) => return Err(refusal),
    };
    let mut release = Release::clone(draft);
    let at = publication.published_at.unwrap_or(now);
    let rollout = publication.rollout.clone().unwrap_or_default().first(at, now)?;
    release.publish(at, rollout)?;
    let offered_from = at.max(now);
    let needs_approval = entry.product.two_person_rule;
    let mut rehearsal =
        Rehearsal { would_publish, needs_approval, findings, offered_from, offered: BTreeMap::new(), sites: 0 };
    rehearsal.offered.extend(Status::ALL.iter().map(|status| (*status, 0)));
    let Some(sites) = Sites::of(entry, offered_from) else { return Ok(rehearsal) };
    context.directory.for_each_coverage(|coverage| {
        if coverage.product == entry.product.id {
            rehearsal.sites += 1;
            if sites.are_offered(&release, coverage) {
                let status = coverage.status(&entry.product.timezone, offered_from);
                *rehearsal.offered.entry(status).or_default() += 1;
            }
        }
    });
    Ok(rehearsal)
}

/// The sites of a product at a moment. Each asks on the least stable channel that it may use, for any platform.
struct Sites<'a> {
    entry: &'a ProductEntry,
    now: Timestamp,
    check: Check,
    channel: &'a Slug,
    targets: [Vec<Target>; 3],
}

impl<'a> Sites<'a> {
    fn of(entry: &'a ProductEntry, now: Timestamp) -> Option<Self> {
        // The rules used here read only the trigger of a check.
        let product = entry.product.slug.clone();
        let check = Check::new(product, Version::new(0, 0, 0), Platform::Windows, MachineArch::X86_64);
        let channel = entry.product.channels.names().next_back()?;
        let targets = [Deployment::SingleUser, Deployment::MultiUser, Deployment::Cloud].map(targets);
        Some(Self { entry, now, check, channel, targets })
    }

    /// Whether a site of this subscription passes rules 2 and 4 to 7 for a release.
    fn are_offered(&self, release: &Release, coverage: &Coverage) -> bool {
        let facts = Facts {
            now: self.now,
            product: &self.entry.product,
            releases: &self.entry.releases,
            stops: &self.entry.stops,
            check: &self.check,
            channel: self.channel,
            slot: Slot::Free,
            entitlement: Entitlement::Subscriber(coverage, None),
        };
        let [single_user, multi_user, cloud] = &self.targets;
        let targets = match coverage.deployment {
            Deployment::SingleUser => single_user,
            Deployment::MultiUser => multi_user,
            Deployment::Cloud => cloud,
        };
        let judge = Judge::new(&facts, rules::answering_channel(&facts));
        judge.judge(release, targets).ruling == rules::Ruling::Open
    }
}

/// The targets of all files that sites of this deployment can update with.
fn targets(deployment: Deployment) -> Vec<Target> {
    let components: &[Component] = match deployment {
        Deployment::SingleUser => &[Component::Standalone, Component::Client],
        Deployment::MultiUser => &[Component::Server, Component::Client],
        // Hosted clients only follow their server.
        Deployment::Cloud => &[Component::Server],
    };
    let machines =
        Platform::ALL.iter().flat_map(|platform| MachineArch::ALL.iter().map(move |arch| (*platform, *arch)));
    let of = |component: &Component| {
        let component = *component;
        machines.clone().map(move |(platform, arch)| Target { component, platform, arch, kind: None })
    };
    components.iter().flat_map(of).collect()
}
