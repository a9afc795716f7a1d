//! Published releases: yanked, restored, promoted and rolled out. Also the stops of products and channels.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    directory::Change,
    domain::{
        approval::ApprovalAction, audit::Record, line::Line, locale::LanguageTag, product::Product, release::Release,
        rollout::RolloutState, slug::Slug, stop::Stop, subject::Subject, version::Version, webhook::WebhookEvent,
    },
    services::{
        desk::{Code, Context, Expected, Faults, Refusal, Write, lookup},
        releasing::{
            guard_rollouts::Judging,
            release::{find, save_and_announce},
            roll_out::{self, NewRollout},
        },
        second_person::{self, Carried, Request},
        telling::events,
    },
    store,
};

/// An action on a published release.
#[derive(Clone, Debug)]
pub enum Steer {
    Yank(Why),
    Restore,
    Promote(Promotion),
    /// Set percentage, stages and halt rule.
    Rollout(NewRollout),
    Pause(WhyMaybe),
    /// Resume the rollout. The flag is true if a person asks, which is required after a halt.
    Resume(WhyMaybe, bool),
    /// Open the release to all sites.
    Complete,
}

/// A reason that must be given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// For those who ask afterwards.
    pub reason: Line,
}

/// A reason that may be given.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhyMaybe {
    /// For those who ask afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Line>,
}

/// Where a release is promoted to.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// A more stable channel than the one it is on.
    #[schema(example = "stable")]
    pub channel: Slug,
}

/// A stop to set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStop {
    /// The channel to stop, with every less stable one; the whole product unless given.
    #[schema(example = "beta")]
    pub channel: Option<Slug>,
    /// Why, for staff and, where `message` has no text for them, for users.
    pub reason: Line,
    /// What users are shown, by locale.
    #[serde(default)]
    #[schema(value_type = BTreeMap<LanguageTag, String>, example = json!({"en": "We look into a problem. Please try again tomorrow."}))]
    pub message: BTreeMap<LanguageTag, String>,
}

/// Acts on a published release. With the product's two-person rule, an action that brings the release to customers
/// waits for a second person.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `precondition_failed`, `release_not_published`, `release_yanked`,
/// `release_not_yanked`, `body_invalid`.
pub async fn steer(
    context: &Arc<Context>,
    judging: &Judging,
    slug: Slug,
    version: Version,
    expected: Expected,
    steer: Steer,
) -> Result<Carried<Release>, Refusal> {
    let carried = context
        .write(move |write| {
            let (product, release) = find(write, &slug, &version)?;
            let request = steer.request(&product, &release)?;
            second_person::carry_out(write, &product, request, |write| {
                steer_within(write, &slug, &version, &expected, &steer)
            })
        })
        .await?;
    if let Carried::Done(steered) = &carried {
        // With another halt rule, or after a restore, the votes already there may halt the release.
        judging.add([steered.id].into());
    }
    Ok(carried)
}

/// Acts on a published release, within a write.
pub(in crate::services) fn steer_within(
    write: &mut Write<'_>,
    slug: &Slug,
    version: &Version,
    expected: &Expected,
    steer: &Steer,
) -> Result<Release, Refusal> {
    let (product, mut release) = find(write, slug, version)?;
    expected.check(release.revision)?;
    let before = release.clone();
    apply(&product, &mut release, steer, write.now)?;
    roll_out::keep_clock(write, &product, &mut release)?;
    let action = steer.name();
    let is_changed = match steer {
        // A restored release is announced again.
        Steer::Restore => {
            save_and_announce(write, action, &product, &before, &mut release)?;
            true
        }
        _ => write.save(action, &before, &mut release)?,
    };
    if is_changed {
        if let Some(reason) = steer.reason() {
            write.because(reason);
        }
        if matches!(steer, Steer::Yank(_)) {
            events::release_event(write, WebhookEvent::ReleaseYanked, &product, &release)?;
        }
        let (slug, version, steer) = (product.slug, release.version.clone(), steer.clone());
        write.say(move || tracing::info!(product = %slug, %version, ?steer, "release steered"));
    }
    Ok(release)
}

impl Steer {
    /// The reason that was given, if any.
    fn reason(&self) -> Option<&str> {
        match self {
            Self::Yank(why) => Some(&why.reason),
            Self::Pause(why) | Self::Resume(why, _) => why.reason.as_deref(),
            _ => None,
        }
    }

    /// The approval request for an action that brings the release to customers; `None` for the others.
    fn request(&self, product: &Product, release: &Release) -> Result<Option<Request>, Refusal> {
        match self {
            Self::Restore => {
                Request::about_release(ApprovalAction::Restore, product, release, &serde_json::json!({})).map(Some)
            }
            Self::Promote(promotion) => {
                Request::about_release(ApprovalAction::Promote, product, release, promotion).map(Some)
            }
            Self::Resume(why, _) if release.rollout.state == RolloutState::Halted => {
                Request::about_release(ApprovalAction::ResumeHalt, product, release, why).map(Some)
            }
            // One person may decide who gets an approved release and when, and may hold it back.
            Self::Resume(..) | Self::Yank(_) | Self::Rollout(_) | Self::Pause(_) | Self::Complete => Ok(None),
        }
    }

    /// The name of the action in the audit log.
    const fn name(&self) -> &'static str {
        match self {
            Self::Yank(_) => "release.yank",
            Self::Restore => "release.restore",
            Self::Promote(_) => "release.promote",
            Self::Rollout(_) => "rollout.change",
            Self::Pause(_) => "rollout.pause",
            Self::Resume(..) => "rollout.resume",
            Self::Complete => "rollout.complete",
        }
    }
}

fn apply(product: &Product, release: &mut Release, steer: &Steer, now: Timestamp) -> Result<(), Refusal> {
    match steer {
        Steer::Yank(why) => {
            release.yank(why.reason.to_string())?;
        }
        Steer::Restore => release.restore()?,
        Steer::Promote(promotion) => {
            release.require_published()?;
            let (Some(to), Some(from)) =
                (product.channels.rank(&promotion.channel), product.channels.rank(&release.channel))
            else {
                return Err(Refusal::field(
                    "channel",
                    format!(
                        "`{}` is not a channel of `{}`; expected {}",
                        promotion.channel,
                        product.slug,
                        product.channels.listed()
                    ),
                ));
            };
            if to >= from {
                return Err(Refusal::field(
                    "channel",
                    format!(
                        "`{}` is not more stable than `{}`, where the release is",
                        promotion.channel, release.channel
                    ),
                ));
            }
            release.channel = promotion.channel.clone();
        }
        Steer::Rollout(rollout) => {
            release.require_published()?;
            let start = release.published_at.map_or(now, |at| at.max(now));
            rollout.apply("", &mut release.rollout, start)?;
        }
        Steer::Pause(why) => {
            release.require_published()?;
            roll_out::pause(release, why.reason.as_deref());
        }
        Steer::Resume(why, by_person) => {
            release.require_published()?;
            roll_out::resume(release, why.reason.as_deref(), *by_person, now)?;
        }
        Steer::Complete => {
            release.require_published()?;
            roll_out::complete(release)?;
        }
    }
    Ok(())
}

/// Sets a stop, in place of an existing one on the same channel or product. Also returns the product's revision.
///
/// # Errors
/// `product_not_found`, `precondition_failed`, `body_invalid`.
pub async fn stop(
    context: &Arc<Context>,
    slug: Slug,
    expected: Expected,
    new: NewStop,
) -> Result<(Stop, i64), Refusal> {
    let mut faults = Faults::default();
    if new.message.len() > 100 {
        faults.add("message", "must be in at most 100 languages");
    }
    for (locale, text) in &new.message {
        faults.text(&format!("message.{locale}"), text);
    }
    faults.finish()?;
    context
        .write(move |write| {
            let mut product = lookup::product(write.connection, &slug)?;
            expected.check(product.revision)?;
            if let Some(unknown) = new.channel.as_ref().filter(|channel| product.channels.rank(channel).is_none()) {
                return Err(Refusal::field(
                    "channel",
                    format!("`{unknown}` is not a channel of `{slug}`; expected {}", product.channels.listed()),
                ));
            }
            let stop = Stop { channel: new.channel, reason: new.reason.into(), message: new.message, since: write.now };
            let before = stop_on(write, &product, stop.channel.as_ref())?;
            store::stops::put(write.connection, product.id, &stop)?;
            note_stop(write, "stop.set", &product, before.as_ref(), Some(&stop))?;
            write.because(&stop.reason);
            stops_changed(write, &mut product)?;
            let (channel, reason) = (stop.channel.clone(), stop.reason.clone());
            write.say(move || tracing::warn!(product = %slug, ?channel, reason, "stop set"));
            Ok((stop, product.revision))
        })
        .await
}

/// The stop on exactly this channel; without a channel, the stop on the whole product.
fn stop_on(write: &mut Write<'_>, product: &Product, channel: Option<&Slug>) -> Result<Option<Stop>, Refusal> {
    let stops = store::stops::of_product(write.connection, product.id)?;
    Ok(stops.into_iter().find(|stop| stop.channel.as_ref() == channel))
}

/// Adds the audit record of a stop that was set, replaced or lifted.
fn note_stop(
    write: &mut Write<'_>,
    action: &'static str,
    product: &Product,
    before: Option<&Stop>,
    after: Option<&Stop>,
) -> Result<(), Refusal> {
    let state = |stop: Option<&Stop>| serde_json::to_value(stop).map_err(|error| Refusal::internal(&error));
    let (before, after) = (state(before)?, state(after)?);
    write.record(Record::change(action, Subject::Product(product.id), Some(product.id), before, after));
    Ok(())
}

/// Raises the product's revision, which is also the `ETag` of its stops, and adjusts the clocks of its rollouts.
fn stops_changed(write: &mut Write<'_>, product: &mut Product) -> Result<(), Refusal> {
    roll_out::keep_clocks(write, product)?;
    product.revision += 1;
    store::products::update(write.connection, product)?;
    write.changed(Change::Product(product.id));
    Ok(())
}

/// Lifts a stop. With the product's two-person rule, this waits for a second person.
///
/// # Errors
/// `product_not_found`, `precondition_failed`, `stop_not_found`.
pub async fn lift_stop(
    context: &Arc<Context>,
    slug: Slug,
    expected: Expected,
    channel: Option<Slug>,
) -> Result<Carried<()>, Refusal> {
    context
        .write(move |write| {
            let product = lookup::product(write.connection, &slug)?;
            expected.check(product.revision)?;
            let stop = stop_on(write, &product, channel.as_ref())?;
            let request = stop.map(|stop| Request::about_stop(&product, &stop)).transpose()?;
            second_person::carry_out(write, &product.clone(), request, |write| {
                lift_within(write, product, channel.as_ref())
            })
        })
        .await
}

/// Lifts a stop, within a write.
pub(in crate::services) fn lift_within(
    write: &mut Write<'_>,
    mut product: Product,
    channel: Option<&Slug>,
) -> Result<(), Refusal> {
    let Some(stop) = stop_on(write, &product, channel)? else {
        let slug = &product.slug;
        let place =
            channel.map_or_else(|| format!("`{slug}`"), |channel| format!("the channel `{channel}` of `{slug}`"));
        return Err(Refusal::new(Code::StopNotFound, format!("no stop is on for {place}")));
    };
    store::stops::delete(write.connection, product.id, channel)?;
    note_stop(write, "stop.lift", &product, Some(&stop), None)?;
    stops_changed(write, &mut product)?;
    let (slug, channel) = (product.slug, channel.cloned());
    write.say(move || tracing::warn!(product = %slug, ?channel, "stop lifted"));
    Ok(())
}
