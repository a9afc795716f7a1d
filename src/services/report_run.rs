//! Reports: what updaters say about how their updates go.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Code, Context, Faults, Refusal, outbox::Outbox};
use crate::{
    directory::KeyEntry,
    domain::{
        id::{InstallationId, ProductId, ReleaseId, RunId},
        locale::LanguageTag,
        platform::Component,
        product::Product,
        release::{Access, Release, ReleaseState},
        run::{Failure, FailureClass, Outcome, Run, Stage},
        slug::Slug,
        version::Version,
    },
    store,
};

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
    /// What it was.
    pub from_version: Version,
    /// What it is to be.
    pub to_version: Version,
    /// How far it has come.
    pub stage: Stage,
    /// How it ended; with the stage `ended`, and only with it.
    pub outcome: Option<Outcome>,
    /// What went wrong.
    pub error: Option<ReportedError>,
    /// When a person wants it to happen.
    pub scheduled_for: Option<Timestamp>,
    /// Who is to be told when it has ended.
    #[schema(format = Email)]
    pub notify_email: Option<String>,
    /// In which language.
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

/// What the updater is told.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The run as it stands now.
    pub run: Run,
    /// Where to find help, when it did not go well.
    pub help_url: Option<String>,
}

/// Takes in a report; it is durable when this returns.
///
/// # Errors
/// `body_invalid`, `product_not_found`, `wrong_product`, `storage_unavailable`.
pub async fn report(context: &Arc<Context>, key: Option<KeyEntry>, report: Report) -> Result<Taken, Refusal> {
    check(&report)?;
    let product = product_of(context, key.as_ref(), &report.product)?;
    let subscription = key.map(|key| key.coverage.id);
    let id = product.id;
    let release = release_of(context, id, &report.to_version);
    let desk = Arc::clone(context);
    let run = context
        .append(move |connection, now| {
            let report = report.clone();
            let run = Run {
                id: report.run,
                product: id,
                subscription,
                installation: report.installation,
                component: report.component,
                from_version: report.from_version,
                to_version: report.to_version,
                stage: report.stage,
                outcome: report.outcome,
                error: report.error.map(|error| Failure {
                    class: error.class,
                    code: error.code,
                    message: error.message,
                }),
                scheduled_for: report.scheduled_for,
                notify_email: report.notify_email,
                locale: report.locale,
                at: report.at,
                // The server's clock: an updater's may be years off.
                first_reported_at: now,
                last_reported_at: now,
                release,
                has_vote: false,
                downloaded_at: None,
                ended_at: None,
                lost_at: None,
                known_problem: None,
            };
            let run = store::runs::take_in(connection, run)?;
            let mut outbox = Outbox::new(&desk);
            outbox.run_ended(connection, &run, None, now)?;
            outbox.flush(connection)?;
            Ok(run)
        })
        .await?;
    context.ring();
    let went_wrong = matches!(run.outcome, Some(Outcome::Failed | Outcome::RolledBack)) || run.error.is_some();
    Ok(Taken { run, help_url: product.help_url.filter(|_| went_wrong) })
}

/// The release that leads to a version, where it was published.
fn release_of(context: &Context, product: ProductId, version: &Version) -> Option<ReleaseId> {
    let catalogue = context.directory.catalogue();
    let release = catalogue.product_by_id(product)?.release(version)?;
    release.was_published_by(context.clock.now()).then_some(release.id)
}

fn product_of(context: &Context, key: Option<&KeyEntry>, slug: &Slug) -> Result<Product, Refusal> {
    let catalogue = context.directory.catalogue();
    let entry = catalogue.product(slug.as_str()).ok_or_else(|| super::manage_products::not_found(slug))?;
    let for_everyone =
        |release: &Arc<Release>| release.access == Access::Everyone && release.state != ReleaseState::Draft;
    if key.is_none() && !entry.releases.iter().any(for_everyone) {
        // Nobody can update this product without a key, so nobody has anything to report.
        return Err(Refusal::new(
            Code::LicenseKeyRequired,
            format!("send the license key: `{slug}` has nothing for those without one"),
        ));
    }
    if key.is_some_and(|key| key.coverage.product != entry.product.id) {
        return Err(Refusal::new(Code::WrongProduct, format!("the license key is not one of `{slug}`")));
    }
    Ok(entry.product.clone())
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
