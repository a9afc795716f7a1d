//! `GET /api/v1/check`: which update a program gets. It needs no database, except for the slots of hosting groups.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::{StatusCode, header},
};
use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        artifact::{Artifact, ArtifactKind, Filename, Sha256},
        decision::{
            facts::Check,
            reason::{Reason, Status},
        },
        id::ArtifactId,
        locale::{LanguageTag, Wishes},
        platform::{Arch, Component, Platform},
        release::{Release, Severity},
        slug::Slug,
        subscription,
        version::Version,
    },
    http::{
        App, Problem,
        extract::{License, Query},
        json,
    },
    services::{
        self,
        field::{
            check_update::{Answer, Question},
            message,
        },
    },
};

/// The question of a check, with the languages of the request's header where the check names none.
pub(crate) fn question(check: Check, request: &HttpRequest) -> Question {
    Question { wishes: wishes(check.locale.as_ref(), request), check }
}

/// The acceptable languages: the one of the check, or those of the header.
fn wishes(locale: Option<&LanguageTag>, request: &HttpRequest) -> Wishes {
    if let Some(locale) = locale {
        Wishes::one(locale.clone())
    } else {
        let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
        header.map(Wishes::from_accept_language).unwrap_or_default()
    }
}

/// The answer to a check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckAnswer)]
pub struct CheckAnswer<'a> {
    /// The decision.
    pub status: Status,
    /// The reason, where the status alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The reason in the user's language, for a dialog.
    #[schema(value_type = String)]
    pub message: Arc<str>,
    /// The channel of the answer.
    #[schema(value_type = Slug)]
    pub channel: &'a Slug,
    /// When this was decided.
    pub checked_at: Timestamp,
    /// The seconds until the next check.
    pub next_check_after: i64,
    /// The state of the version in use.
    pub current: CurrentBody<'a>,
    /// The update that is offered; only with `update_available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateBody<'a>>,
    /// The highest release that the subscription does not cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer: Option<NewerBody<'a>>,
    /// When to check again in the next maintenance window, spread over the window by site; only with the reason
    /// `outside_maintenance_window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_window_at: Option<Timestamp>,
    /// The subscription of the license key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<CoverBody<'a>>,
    /// The help page after a failed update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_url: Option<&'a str>,
}

/// The version in use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Current)]
pub struct CurrentBody<'a> {
    /// As it was sent.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// Whether it was yanked.
    pub yanked: bool,
    /// Whether it is at least the lowest supported version.
    pub supported: bool,
}

/// A release that the subscription does not cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Newer)]
pub struct NewerBody<'a> {
    /// Its version.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// When it was first offered to others.
    pub published_at: Option<Timestamp>,
}

/// The subscription of the license key, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cover)]
pub struct CoverBody<'a> {
    /// The status today.
    pub status: subscription::Status,
    /// Its last covered day; `null` never ends.
    #[schema(value_type = Option<String>, format = Date)]
    pub ends_on: Option<Date>,
    /// The page where it can be renewed.
    pub renew_url: Option<&'a str>,
}

/// An offer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Update)]
pub struct UpdateBody<'a> {
    /// The release to install next.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// Its channel.
    #[schema(value_type = Slug)]
    pub channel: &'a Slug,
    /// When it was first offered.
    pub published_at: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it must be installed.
    pub mandatory: bool,
    /// The program to update: a client may be told of its server's update.
    pub applies_to: Component,
    /// The notes of this version and of those that follow it, hop by hop.
    #[schema(value_type = Vec<Version>)]
    pub path: &'a [&'a Version],
    /// The release notes, the newest first.
    pub notes: Vec<NoteBody<'a>>,
    /// The file to download; absent when the update is for the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<FileBody<'a>>,
    /// With the update of a server: the client files of the same release.
    pub companions: Vec<FileBody<'a>>,
}

/// The notes of one release in one language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note)]
pub struct NoteBody<'a> {
    /// The release's version.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// The language.
    #[schema(value_type = LanguageTag)]
    pub locale: &'a LanguageTag,
    /// The text.
    pub markdown: &'a str,
}

/// A file to download.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = File)]
pub struct FileBody<'a> {
    /// Its id.
    pub id: ArtifactId,
    /// The program it updates.
    pub component: Component,
    /// The operating system it is for.
    pub platform: Platform,
    /// The architecture it is for.
    pub arch: Arch,
    /// Its form.
    pub kind: ArtifactKind,
    /// The name to save it under.
    #[schema(value_type = Filename)]
    pub filename: &'a Filename,
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: Sha256,
    /// The vendor's own signature of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<&'a str>,
    /// The signed link to the file, valid for a limited time.
    pub url: String,
    /// When the link expires; a download that began before goes on.
    pub url_expires_at: Timestamp,
}

/// Check for an update.
///
/// The answer is decided by one pure function, from memory. Send the license key as `Authorization: License <key>`;
/// without one only releases for everyone are offered.
#[utoipa::path(
    tag = "Client",
    params(Check),
    security((), ("license" = [])),
    responses((status = 200, description = "The update that the program gets, or the reason why it gets none.", body = CheckAnswer<'_>))
)]
#[get("/api/v1/check")]
pub async fn check_update(
    app: App,
    request: HttpRequest,
    query: Query<Check>,
    license: License,
) -> Result<HttpResponse, Problem> {
    let question = question(query.0, &request);
    let answered = services::field::check_update::check(&app.context, &question, license.0, |answer| {
        app.metrics.count_check(answer.decision.status);
        json::answer(StatusCode::OK, &render(&app, answer))
    });
    Ok(answered.await?)
}

/// The body for an answer.
#[must_use]
pub fn render<'a>(app: &App, answer: &'a Answer<'a>) -> CheckAnswer<'a> {
    let decision = &answer.decision;
    let product = &answer.entry.product;
    CheckAnswer {
        status: decision.status,
        reason: decision.reason,
        message: message::of(answer),
        channel: decision.channel,
        checked_at: answer.now,
        next_check_after: services::field::check_update::next_check_after(&app.context, answer),
        current: CurrentBody {
            version: &answer.question.check.version,
            yanked: decision.current.yanked,
            supported: decision.current.supported,
        },
        update: decision.offer.as_ref().map(|offer| UpdateBody {
            version: &offer.release.version,
            channel: &offer.release.channel,
            published_at: offer.release.published_at,
            severity: offer.release.severity,
            mandatory: offer.mandatory,
            applies_to: offer.applies_to,
            path: &offer.path,
            notes: offer.notes.iter().filter_map(|release| note(answer, release)).collect(),
            artifact: offer.artifact.map(|artifact| file(app, answer, artifact)),
            companions: offer.companions.iter().map(|artifact| file(app, answer, artifact)).collect(),
        }),
        newer: decision
            .newer
            .map(|release| NewerBody { version: &release.version, published_at: release.published_at }),
        next_window_at: decision.next_window_at,
        subscription: answer.coverage.zip(answer.subscription_status()).map(|(coverage, status)| CoverBody {
            status,
            ends_on: coverage.ends_on,
            renew_url: product.renew_url.as_deref(),
        }),
        help_url: product.help_url.as_deref(),
    }
}

fn note<'a>(answer: &Answer<'_>, release: &'a Release) -> Option<NoteBody<'a>> {
    let (locale, markdown) = answer.question.wishes.choose(&answer.entry.product.default_locale, &release.notes)?;
    Some(NoteBody { version: &release.version, locale, markdown })
}

fn file<'a>(app: &App, answer: &Answer<'_>, artifact: &'a Artifact) -> FileBody<'a> {
    let (url, url_expires_at) = services::field::check_update::link(&app.context, answer, artifact);
    FileBody {
        id: artifact.id,
        component: artifact.component,
        platform: artifact.platform,
        arch: artifact.arch,
        kind: artifact.kind,
        filename: &artifact.filename,
        size: artifact.size,
        sha256: artifact.sha256,
        signature: artifact.signature.as_deref(),
        url,
        url_expires_at,
    }
}

#[cfg(test)]
mod tests;
