//! Releases: drafted, changed, published, and corrected after publication.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    directory::Change,
    domain::{
        approval::ApprovalAction,
        id::ReleaseId,
        line::Line,
        lint::{Finding, lint},
        locale::LanguageTag,
        manifest::{Manifest, SignedManifest},
        patch::patch_body,
        product::Product,
        release::{Access, Release, ReleaseState, Severity, TransitionError},
        rollout::Rollout,
        scope::Scope,
        slug::Slug,
        version::{Requirement, Version},
    },
    services::{
        desk::{Code, Context, Expected, Faults, Refusal, Write, acting, lookup},
        releasing::{
            loose_contents,
            release::{find, save_and_announce},
            roll_out::{self, NewRollout},
        },
        second_person::{self, Carried, Request},
    },
    signing::KeyRing,
    store,
};

/// A new draft.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelease {
    /// Its version.
    pub version: Version,
    /// Its channel; the product's most stable one unless given.
    #[schema(example = "stable")]
    pub channel: Option<Slug>,
    /// How much it matters; `normal` unless given.
    #[serde(default = "normal")]
    pub severity: Severity,
    /// Who it is for; `subscribers` unless given.
    #[serde(default = "subscribers")]
    pub access: Access,
    /// The lowest version that can update straight to it.
    pub min_from: Option<Version>,
    /// The client versions that a server program of this version accepts; its own major.minor unless given.
    pub compatible_clients: Option<Requirement>,
    /// What changed, in Markdown by locale.
    #[serde(default)]
    #[schema(value_type = BTreeMap<LanguageTag, String>, example = json!({"en": "Faster start."}))]
    pub notes: BTreeMap<LanguageTag, String>,
}

const fn normal() -> Severity {
    Severity::Normal
}

const fn subscribers() -> Access {
    Access::Subscribers
}

patch_body! {
    /// A change to a release: what is absent stays as it is, `null` clears what can be cleared. After publication only
    /// `notes`, `severity`, `access` and `compatible_clients` may change.
    #[derive(Debug)]
    pub struct ReleaseChange {
        /// Its channel.
        pub channel: Patch<Slug>,
        /// How much it matters.
        pub severity: Patch<Severity>,
        /// Who it is for.
        pub access: Patch<Access>,
        /// The lowest version that can update straight to it.
        pub min_from: Patch<Option<Version>>,
        /// The client versions that a server program of this version accepts.
        pub compatible_clients: Patch<Option<Requirement>>,
        /// All of the notes, in place of those there are.
        pub notes: Patch<BTreeMap<LanguageTag, String>>,
    }
}

/// The terms of a publication.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// The time from which the release is offered; default now. In the past: an import of history. In the future:
    /// scheduled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Timestamp>,
    /// Who is offered the release; default everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<NewRollout>,
    /// Publish despite findings of the publish lint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub force: Option<Force>,
}

/// Why a release is published in spite of what was found.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Force {
    /// For those who ask afterwards.
    pub reason: Line,
}

/// Checks the rules of a release that its types do not enforce.
fn check(product: &Product, release: &Release) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    if product.channels.rank(&release.channel).is_none() {
        faults.add(
            "channel",
            format!(
                "`{}` is not a channel of `{}`; expected {}",
                release.channel,
                product.slug,
                product.channels.listed()
            ),
        );
    }
    if release.min_from.as_ref().is_some_and(|lowest| *lowest >= release.version) {
        faults.add("min_from", format!("must be below the release's own version {}", release.version));
    }
    if release.notes.len() > 100 {
        faults.add("notes", "must be in at most 100 languages");
    }
    for (locale, text) in &release.notes {
        faults.text(&format!("notes.{locale}"), text);
    }
    faults.finish()
}

/// Adds a draft to a product.
///
/// # Errors
/// `product_not_found`, `release_exists`, `body_invalid`.
pub async fn draft(context: &Arc<Context>, slug: Slug, new: NewRelease) -> Result<Release, Refusal> {
    context
        .write(move |write| {
            let id = write.new_id();
            draft_within(write, id, &slug, new)
        })
        .await
}

/// Adds a draft under a given id, within a write.
pub(in crate::services) fn draft_within(
    write: &mut Write<'_>,
    id: ReleaseId,
    slug: &Slug,
    new: NewRelease,
) -> Result<Release, Refusal> {
    let product = lookup::product(write.connection, slug)?;
    if let Some(known) = store::releases::of_version(write.connection, product.id, &new.version)? {
        return Err(Refusal::new(
            Code::ReleaseExists,
            format!("there is a release {} of `{slug}` already; it is {}", known.version, known.state),
        ));
    }
    let most_stable = product.channels.at(0).cloned();
    let release = Release {
        id,
        product: product.id,
        version: new.version,
        channel: new.channel.or(most_stable).ok_or_else(|| Refusal::field("channel", "the product has no channel"))?,
        state: ReleaseState::Draft,
        published_at: None,
        severity: new.severity,
        access: new.access,
        min_from: new.min_from,
        compatible_clients: new.compatible_clients,
        notes: new.notes,
        rollout: Rollout::default(),
        yank_reason: None,
        artifacts: Vec::new(),
        created_at: write.now,
        manifest_revision: 0,
        revision: 1,
        announced_at: None,
    };
    check(&product, &release)?;
    store::releases::insert(write.connection, &release)?;
    write.made("release.draft", &release)?;
    write.changed(Change::Release(product.id, release.id));
    Ok(release)
}

/// The states of the releases that a caller may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MayChange {
    pub drafts: bool,
    pub published: bool,
}

/// Changes a draft, or corrects a published release where that is allowed. A correction makes a new signed revision
/// of the release's manifest.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `scope_insufficient`, `precondition_failed`, `release_published`,
/// `body_invalid`.
pub async fn change(
    context: &Arc<Context>,
    may: MayChange,
    slug: Slug,
    version: Version,
    expected: Expected,
    change: ReleaseChange,
) -> Result<Release, Refusal> {
    let keys = Arc::clone(context);
    context.write(move |write| {
        let (product, mut release) = find(write, &slug, &version)?;
        expected.check(release.revision)?;
        let draft = release.state == ReleaseState::Draft;
        // Checked within the write: the release may have been published while this write waited for its turn.
        if !(if draft { may.drafts } else { may.published }) {
            let needed = if draft { Scope::ReleasesWrite } else { Scope::ReleasesPublish };
            return Err(Refusal::new(Code::ScopeInsufficient, format!("release {version} is {}; changing it needs the scope `{needed}`", release.state)));
        }
        if !draft && (change.channel.is_set() || change.min_from.is_set()) {
            let field = if change.channel.is_set() { "channel" } else { "min_from" };
            return Err(Refusal::new(
                Code::ReleasePublished,
                format!("release {version} is published, so `{field}` cannot change; notes, severity, access and compatible_clients can"),
            ));
        }
        let before = release.clone();
        change.channel.apply(&mut release.channel);
        change.severity.apply(&mut release.severity);
        change.access.apply(&mut release.access);
        change.min_from.apply(&mut release.min_from);
        change.compatible_clients.apply(&mut release.compatible_clients);
        change.notes.apply(&mut release.notes);
        check(&product, &release)?;
        if !draft && release != before {
            sign(write, &keys.keys.load(), &product, &mut release)?;
        }
        write.save("release.change", &before, &mut release)?;
        Ok(release)
    }).await
}

/// Deletes a draft with its artifacts.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `precondition_failed`, `release_published`.
pub async fn delete(context: &Arc<Context>, slug: Slug, version: Version, expected: Expected) -> Result<(), Refusal> {
    let context = Arc::clone(context);
    // Goes on to its end if the caller disconnects, so that the files go with their rows.
    acting::to_its_end(async move {
        let shelf = context.artifacts.shelf().await;
        let deleted = context.write(move |write| {
            let (product, release) = find(write, &slug, &version)?;
            expected.check(release.revision)?;
            release.require_draft()?;
            store::releases::delete(write.connection, release.id)?;
            write.removed("release.delete", &release)?;
            write.changed(Change::Release(product.id, release.id));
            Ok(release)
        });
        let contents = deleted.await?.artifacts.iter().map(|artifact| artifact.sha256).collect();
        loose_contents::take_away(&context, contents, &shelf).await;
        Ok(())
    })
    .await
}

/// Refuses a release that has findings, unless a reason overrides them.
///
/// # Errors
/// `release_incomplete` with all findings.
pub(in crate::services) fn permit(
    product: &Product,
    release: &Release,
    findings: &[Finding],
    is_forced: bool,
) -> Result<(), Refusal> {
    if is_forced {
        return Ok(());
    }
    let mut faults = Faults::default();
    faults.extend(findings);
    faults.finish().map_err(|refusal| Refusal {
        code: Code::ReleaseIncomplete,
        detail: format!(
            "release {} of `{}` should not be published as it is: {}; put it right, or say why it is published so in `force.reason`",
            release.version, product.slug, refusal.detail
        ),
        ..refusal
    })
}

/// Publishes a draft: fixes, signs and stores its manifest, and offers it from `published_at` on. With the product's
/// two-person rule, the publication waits for a second person.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `precondition_failed`, `release_published`, `release_incomplete`.
pub async fn publish(
    context: &Arc<Context>,
    slug: Slug,
    version: Version,
    expected: Expected,
    publication: Publication,
) -> Result<Carried<Release>, Refusal> {
    context
        .write(move |write| {
            let (product, draft) = find(write, &slug, &version)?;
            expected.check(draft.revision)?;
            let request = Request::about_release(ApprovalAction::Publish, &product, &draft, &publication)?;
            second_person::carry_out(write, &product.clone(), Some(request), |write| {
                publish_within(write, &write.context().keys.load(), &product, draft, &publication)
            })
        })
        .await
}

/// Publishes a draft of a product, within a write.
pub(in crate::services) fn publish_within(
    write: &mut Write<'_>,
    keys: &KeyRing,
    product: &Product,
    mut release: Release,
    publication: &Publication,
) -> Result<Release, Refusal> {
    release.require_draft()?;
    let releases = store::releases::of_product(write.connection, product.id)?;
    let findings = lint(product, &releases, &release, publication.published_at, write.now);
    permit(product, &release, &findings, publication.force.is_some())?;
    let before = release.clone();
    // Cut to the millisecond, as the database stores times: the signed time must equal the one that is read back later.
    let at = publication.published_at.and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok());
    let at = at.unwrap_or(write.now);
    let rollout = publication.rollout.clone().unwrap_or_default().first(at, write.now)?;
    release.publish(at, rollout)?;
    roll_out::keep_clock(write, product, &mut release)?;
    sign(write, keys, product, &mut release)?;
    save_and_announce(write, "release.publish", product, &before, &mut release)?;
    if let Some(force) = &publication.force {
        write.because(&force.reason);
    }
    let (slug, version, published_at) = (product.slug.clone(), release.version.clone(), release.published_at);
    let forced = publication.force.as_ref().map(|force| force.reason.to_string());
    write.say(move || tracing::info!(product = %slug, %version, ?published_at, forced, "release published"));
    Ok(release)
}

/// Fixes, signs and stores the next revision of a release's manifest.
fn sign(write: &mut Write<'_>, keys: &KeyRing, product: &Product, release: &mut Release) -> Result<(), Refusal> {
    release.manifest_revision += 1;
    let manifest =
        Manifest::of(&product.slug, release).ok_or_else(|| TransitionError::StillDraft(release.version.clone()))?;
    let body = manifest.canonical().map_err(|error| Refusal::internal(&error))?;
    let (signature, key_id) =
        keys.sign_manifest(&body).ok_or_else(|| Refusal::internal(&"there is no key for manifests"))?;
    store::manifests::insert(
        write.connection,
        &SignedManifest { release: release.id, revision: release.manifest_revision, body, signature, key_id },
    )?;
    Ok(())
}

/// The newest signed manifest of a published release. It comes from memory, as every updater asks for it.
///
/// # Errors
/// `release_not_published`.
pub fn manifest(context: &Context, release: &Release) -> Result<Arc<SignedManifest>, Refusal> {
    let found = context.directory.catalogue().manifest(release.id).cloned();
    found.ok_or_else(|| TransitionError::StillDraft(release.version.clone()).into())
}
