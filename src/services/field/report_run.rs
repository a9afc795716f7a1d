//! Reports: updaters state how far a run has come and how it ended.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    directory::{Catalogue, KeyEntry, ProductEntry},
    domain::{
        decision::standing::Standing,
        id::{InstallationId, RunId},
        link::Link,
        locale::LanguageTag,
        page::Page,
        platform::Component,
        release::{Access, Release, ReleaseState},
        run::{Failure, FailureClass, Outcome, Run, Stage},
        slug::Slug,
        version::Version,
    },
    services::{
        desk::{Code, Context, Faults, Refusal, lookup},
        field::journal::{self, Journal},
        telling::help::{self, Help},
    },
    store,
};

pub use crate::store::runs::Wanted;

/// A report (contract section 4).
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The updater's own id for this update.
    pub run: RunId,
    /// The installation that is updated.
    pub installation: InstallationId,
    /// The slug of the product.
    #[schema(example = "office-maker")]
    pub product: Slug,
    /// The program that is updated.
    pub component: Component,
    /// The version before the update.
    pub from_version: Version,
    /// The version that is installed.
    pub to_version: Version,
    /// The stage that the run has reached.
    pub stage: Stage,
    /// The outcome; required with the stage `ended`, not allowed with any other.
    pub outcome: Option<Outcome>,
    /// What went wrong.
    pub error: Option<ReportedError>,
    /// The time that a person has set for the update.
    pub scheduled_for: Option<Timestamp>,
    /// The address that gets a mail when the run has ended.
    #[schema(format = Email)]
    pub notify_email: Option<String>,
    /// The language of that mail.
    pub locale: Option<LanguageTag>,
    /// When this happened, by the updater's clock.
    pub at: Option<Timestamp>,
}

/// What went wrong, in the updater's words.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedError {
    /// What kind of thing.
    pub class: FailureClass,
    /// The updater's own code.
    #[schema(max_length = 200, example = "disk_full")]
    pub code: String,
    /// The updater's own text.
    #[schema(max_length = 10000, example = "no space left on the drive")]
    pub message: String,
}

/// The answer to a report.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The run as stored.
    pub run: Run,
    /// A page with help, if something went wrong: that of the known problem, or else the product's.
    pub help_url: Option<Link>,
    /// What the user can do, if something went wrong and is a known problem.
    pub help: Option<Help>,
}

/// Accepts a report. It is durable when this returns.
///
/// # Errors
/// `body_invalid`, `product_not_found`, `wrong_product`, `storage_unavailable`.
pub async fn report(
    context: &Arc<Context>,
    journal: &Arc<Journal>,
    key: Option<KeyEntry>,
    report: Report,
) -> Result<Taken, Refusal> {
    check(&report)?;
    let (entry, run) = read(context, key.as_ref(), report)?;
    let run = journal::enter(context, journal, run).await?;
    let went_wrong = match run.outcome {
        Some(outcome) => matches!(outcome, Outcome::Failed | Outcome::RolledBack),
        None => run.error.is_some(),
    };
    let help = help::help(&entry, &run).filter(|_| went_wrong);
    let link = help.as_ref().and_then(|help| help.url.clone()).or_else(|| entry.product.help_url.clone());
    Ok(Taken { run, help_url: link.filter(|_| went_wrong), help })
}

/// Checks a report and reads it as a run; also returns its product.
fn read(context: &Context, key: Option<&KeyEntry>, report: Report) -> Result<(Arc<ProductEntry>, Run), Refusal> {
    let now = context.clock.now();
    let catalogue = context.directory.catalogue();
    let entry = entry_of(&catalogue, key, &report.product)?;
    let release = entry.release(&report.to_version).filter(|release| release.was_published_by(now));
    let run = Run {
        id: report.run,
        product: entry.product.id,
        subscription: key.map(|key| key.coverage.id),
        installation: report.installation,
        component: report.component,
        from_version: report.from_version,
        to_version: report.to_version,
        stage: report.stage,
        outcome: report.outcome,
        error: report.error.map(|error| Failure { class: error.class, code: error.code, message: error.message }),
        error_stage: report.stage,
        scheduled_for: report.scheduled_for,
        notify_email: report.notify_email,
        locale: report.locale,
        at: report.at,
        // By the server's clock: an updater's may be years off.
        first_reported_at: now,
        last_reported_at: now,
        release: release.map(|release| release.id),
        has_vote: release.zip(key).is_some_and(|(release, key)| {
            let standing = Standing { product: &entry.product, stops: &entry.stops, coverage: &key.coverage, now };
            standing.is_open(release)
        }),
        downloaded_at: None,
        ended_at: None,
        lost_at: None,
        data_loss_at: None,
        known_problem: None,
    };
    Ok((entry, run))
}

fn entry_of(catalogue: &Catalogue, key: Option<&KeyEntry>, slug: &Slug) -> Result<Arc<ProductEntry>, Refusal> {
    let entry = catalogue.product(slug.as_str()).ok_or_else(|| lookup::product_not_found(slug))?;
    let for_everyone =
        |release: &Arc<Release>| release.access == Access::Everyone && release.state != ReleaseState::Draft;
    if key.is_none() && !entry.releases.iter().any(for_everyone) {
        // This product cannot be updated without a license key, so a report without one is not about a real run.
        return Err(Refusal::new(
            Code::LicenseKeyRequired,
            format!("send the license key: `{slug}` has nothing for those without one"),
        ));
    }
    if key.is_some_and(|key| key.coverage.product != entry.product.id) {
        return Err(Refusal::new(Code::WrongProduct, format!("the license key is not one of `{slug}`")));
    }
    Ok(Arc::clone(entry))
}

fn check(report: &Report) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    match (report.stage, report.outcome) {
        (Stage::Ended, None) => faults.add("outcome", "is needed with the stage `ended`"),
        (Stage::Ended, Some(_)) | (_, None) => {}
        (stage, Some(_)) => faults.add("outcome", format!("goes with the stage `ended`, not with `{stage}`")),
    }
    if let Some(error) = &report.error {
        if error.code.len() > 200 || error.code.chars().any(char::is_control) {
            faults.add("error.code", "must be at most 200 bytes of text without control characters");
        }
        if error.message.len() > 10_000 || error.message.contains('\0') {
            faults.add("error.message", "must be at most 10 000 bytes of text");
        }
    }
    if let Some(address) = &report.notify_email {
        faults.email("notify_email", address);
    }
    faults.finish()
}

/// A page of the runs that match a filter.
pub async fn list(context: &Arc<Context>, wanted: Wanted, page: Page<(RunId, Uuid)>) -> Result<Vec<Run>, Refusal> {
    context.read(move |connection| Ok(store::runs::matching(connection, &wanted, page)?)).await
}
