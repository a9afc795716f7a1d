//! Checks: decides from memory which update a program is offered.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    directory::{Catalogue, KeyEntry, ProductEntry},
    domain::{
        artifact::Artifact,
        decision::{
            self,
            facts::{Check, Entitlement, Facts, Slot},
            reason::Reason,
            report::Decision,
        },
        hosting_group::HostingGroup,
        id::SubscriptionId,
        installation::Sighting,
        locale::Wishes,
        slug::Slug,
        subscription::{Coverage, Status},
    },
    services::{
        desk::{Code, Context, Refusal, lookup},
        field::hosting_slots,
    },
    signing::link::Grant,
    store::group_slots::Claim,
};

/// The content of a check.
#[derive(Clone, Debug)]
pub struct Question {
    pub check: Check,
    /// The languages that the program accepts.
    pub wishes: Wishes,
}

/// The caller of a check.
#[derive(Clone, Debug)]
pub enum Asker {
    /// A program, with the license key that it presented, if any.
    Program(Option<KeyEntry>),
    /// Staff who want to see what a program would be offered. They get no right to download.
    Staff {
        /// The subscription of the program. `None`: a program without a license key.
        subscription: Option<SubscriptionId>,
        /// The moment to decide for. `None`: now.
        at: Option<Timestamp>,
    },
}

/// A decision with the values that its answer is written from.
#[derive(Debug)]
pub struct Answer<'a> {
    pub decision: Decision<'a>,
    /// The moment of the decision.
    pub now: Timestamp,
    /// The product with its stops and releases.
    pub entry: &'a ProductEntry,
    pub question: &'a Question,
    /// The subscription behind the license key, if it is for this product.
    pub coverage: Option<&'a Coverage>,
    /// The hosting group of the subscription.
    pub group: Option<&'a HostingGroup>,
    pub asker: Asker,
}

impl Answer<'_> {
    /// The status of the subscription at the moment of the decision.
    #[must_use]
    pub fn subscription_status(&self) -> Option<Status> {
        self.coverage.map(|coverage| coverage.status(&self.entry.product.timezone, self.now))
    }
}

/// Answers a program: decides, notes the sighting, and returns what `render` makes of the answer.
///
/// # Errors
/// `product_not_found`; `parameter_invalid` for an unknown channel.
pub async fn check<T>(
    context: &Arc<Context>,
    question: &Question,
    key: Option<KeyEntry>,
    render: impl FnOnce(&Answer<'_>) -> T,
) -> Result<T, Refusal> {
    decide(context, question, Asker::Program(key), |answer| {
        note(context, answer);
        render(answer)
    })
    .await
}

/// Answers staff: decides for a subscription instead of a license key, or for another moment. It notes no sighting
/// and takes no slot.
///
/// # Errors
/// Those of [`check`], and `subscription_not_found`.
pub async fn explain<T>(
    context: &Arc<Context>,
    question: &Question,
    subscription: Option<SubscriptionId>,
    at: Option<Timestamp>,
    render: impl FnOnce(&Answer<'_>) -> T,
) -> Result<T, Refusal> {
    decide(context, question, Asker::Staff { subscription, at }, render).await
}

async fn decide<T>(
    context: &Arc<Context>,
    question: &Question,
    asker: Asker,
    render: impl FnOnce(&Answer<'_>) -> T,
) -> Result<T, Refusal> {
    let now = match asker {
        Asker::Program(_) | Asker::Staff { at: None, .. } => context.clock.now(),
        Asker::Staff { at: Some(at), .. } => at,
    };
    let no_subscription = |id| Refusal::new(Code::SubscriptionNotFound, format!("there is no subscription {id}"));
    let coverage = match &asker {
        Asker::Program(key) => key.as_ref().map(|key| Arc::clone(&key.coverage)),
        Asker::Staff { subscription: Some(id), .. } => {
            Some(context.directory.coverage(*id).ok_or_else(|| no_subscription(id))?)
        }
        Asker::Staff { subscription: None, .. } => None,
    };
    let check = &question.check;
    // Read after the subscription, so that the hosting group to which it refers is in it.
    let catalogue: &Arc<Catalogue> = &context.directory.catalogue();
    let entry = catalogue.product(check.product.as_str()).ok_or_else(|| lookup::product_not_found(&check.product))?;
    let own = coverage.as_deref().filter(|coverage| coverage.product == entry.product.id);
    let group = own.and_then(|coverage| coverage.hosting_group).and_then(|id| catalogue.group(id)).map(AsRef::as_ref);
    let entitlement = match (&coverage, own) {
        (None, _) => Entitlement::Nobody,
        (Some(_), None) => Entitlement::OtherProduct,
        (Some(_), Some(own)) => Entitlement::Subscriber(own, group),
    };
    let facts = Facts {
        now,
        product: &entry.product,
        releases: &entry.releases,
        stops: &entry.stops,
        check,
        channel: channel_of(entry, check)?,
        entitlement,
        slot: Slot::Free,
    };
    let mut decision = decision::decide(&facts);
    if let Some(claim) = claim(&facts, &decision) {
        let slot = match asker {
            Asker::Program(_) => hosting_slots::take(context, claim).await,
            Asker::Staff { .. } => hosting_slots::look(context, claim, now).await,
        };
        if slot == Slot::Taken {
            decision = decision::decide(&Facts { slot, ..facts });
        }
    }
    Ok(render(&Answer { decision, now, entry, question, coverage: own, group, asker }))
}

/// The slot that an offer needs, if its hosting group has a limit.
fn claim(facts: &Facts<'_>, decision: &Decision<'_>) -> Option<Claim> {
    decision.offer.as_ref()?;
    let (coverage, group) = facts.hosted()?;
    Some(Claim { group: group.id, site: coverage.id, limit: group.max_concurrent? })
}

/// The channel that a check is on.
fn channel_of<'a>(entry: &'a ProductEntry, check: &Check) -> Result<&'a Slug, Refusal> {
    let channels = &entry.product.channels;
    let channel = match &check.channel {
        None => channels.at(0),
        Some(asked) => channels.rank(asked).and_then(|rank| channels.at(rank)),
    };
    channel.ok_or_else(|| {
        let asked = check.channel.as_ref().map(Slug::as_str).unwrap_or_default();
        Refusal::parameter(
            "channel",
            format!("`{asked}` is not a channel of `{}`; expected {}", check.product, channels.listed()),
        )
    })
}

/// Keeps a sighting of the check in memory; a job writes it to the database.
fn note(context: &Context, answer: &Answer<'_>) {
    let Question { check, wishes } = answer.question;
    let Some(installation) = check.installation else { return };
    context.directory.sightings.note(Sighting {
        installation,
        product: answer.entry.product.id,
        subscription: answer.coverage.map(|coverage| coverage.id),
        component: check.component,
        version: check.version.clone(),
        platform: check.platform,
        arch: check.arch,
        channel: answer.decision.channel.clone(),
        locale: wishes.first().cloned(),
        offered: answer.decision.offer.as_ref().map(|offer| offer.release.id),
        seen_at: answer.now,
    });
}

/// A download link of an artifact, and its expiry. The link of a program is signed; that of staff has no token.
#[must_use]
pub fn link(context: &Context, answer: &Answer<'_>, artifact: &Artifact) -> (String, Timestamp) {
    let expires_at = answer.now.checked_add(context.settings.url_ttl).unwrap_or(Timestamp::MAX);
    // Cut to whole seconds, as in the token.
    let expires_at = Timestamp::from_second(expires_at.as_second()).unwrap_or(expires_at);
    let rank = answer.entry.product.channels.rank(answer.decision.channel);
    let token = match &answer.asker {
        Asker::Program(key) => {
            let channel = rank.and_then(|rank| u8::try_from(rank).ok()).unwrap_or(u8::MAX);
            context
                .keys
                .load()
                .sign_link(artifact.id, Grant { license_key: key.as_ref().map(|key| key.id), expires_at, channel })
        }
        Asker::Staff { .. } => String::new(),
    };
    let mut id = uuid::Uuid::encode_buffer();
    let url = [
        context.settings.public_url.as_str(),
        "/api/v1/downloads/",
        artifact.id.0.hyphenated().encode_lower(&mut id),
        "/",
        artifact.filename.as_str(),
        "?token=",
        &token,
    ];
    (url.concat(), expires_at)
}

/// The time until the program should check again, in seconds.
#[must_use]
pub fn next_check_after(context: &Context, answer: &Answer<'_>) -> i64 {
    let usual = context.settings.next_check_after;
    let (decision, group, site) = (&answer.decision, answer.group, answer.coverage.map(|coverage| coverage.id));
    match (decision.reason, decision.next_window_at, group.zip(site)) {
        (Some(Reason::GroupBusy), _, Some((group, site))) => group.ask_again_after(site),
        // Never before the window opens, and not much later than usual.
        (_, Some(at), _) => at.duration_since(answer.now).as_secs().saturating_add(1).clamp(60, usual.max(60)),
        _ => usual,
    }
}
