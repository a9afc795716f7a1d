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
        artifact::{Artifact, ArtifactKind, Filename, FullKind, Sha256},
        decision::{
            facts::Trigger,
            reason::{Reason, Status},
        },
        id::{ArtifactId, InstallationId},
        locale::{LanguageTag, Wishes},
        platform::{Arch, Component, MachineArch, Platform},
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
        field::{check_update::Answer, message},
    },
};

/// Makes a struct of the parameters of a check and some more, and the question it asks: the check takes them as a
/// query, the explain endpoint as JSON.
macro_rules! check_parameters {
    ($(#[$meta:meta])* $name:ident { $($(#[$extra_meta:meta])* $extra:ident: $extra_type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, serde::Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            /// The product's slug.
            #[param(example = "office-maker")]
            #[schema(example = "office-maker")]
            pub product: Slug,
            /// The program; default `standalone`.
            #[serde(default = "crate::http::client::check::standalone")]
            #[param(inline, default = "standalone")]
            pub component: Component,
            /// Its version.
            #[param(example = "12.4.0")]
            pub version: Version,
            /// Its operating system.
            #[param(inline, example = "windows")]
            pub platform: Platform,
            /// Its machine.
            #[param(inline, example = "x86_64")]
            pub arch: MachineArch,
            /// The channel to check; default the product's most stable one.
            #[param(example = "stable")]
            pub channel: Option<Slug>,
            /// The UUID that the updater chose for its installation.
            pub installation: Option<InstallationId>,
            /// A client's: the version of its server.
            pub server_version: Option<Version>,
            /// A client's: the operating system of its server.
            #[param(inline)]
            pub server_platform: Option<Platform>,
            /// A client's: the machine of its server.
            #[param(inline)]
            pub server_arch: Option<MachineArch>,
            /// The only kind of file that it can install; default any, an installer before an archive.
            #[param(inline)]
            pub kind: Option<FullKind>,
            /// The language for texts; default `Accept-Language`.
            #[param(example = "it")]
            pub locale: Option<LanguageTag>,
            /// The reason for the check; default `startup`.
            #[serde(default = "crate::http::client::check::startup")]
            #[param(inline, default = "startup")]
            pub trigger: Trigger,
            /// Whether it can apply deltas. No deltas are offered yet.
            #[serde(default)]
            #[param(default = false)]
            pub deltas: bool,
            $($(#[$extra_meta])* pub $extra: $extra_type,)*
        }

        impl $name {
            /// The question, with the languages of the header where the query names none.
            #[must_use]
            pub fn question(&self, request: &actix_web::HttpRequest) -> crate::services::field::check_update::Question {
                crate::services::field::check_update::Question {
                    product: self.product.clone(),
                    component: self.component,
                    version: self.version.clone(),
                    platform: self.platform,
                    arch: self.arch,
                    channel: self.channel.clone(),
                    installation: self.installation,
                    server_version: self.server_version.clone(),
                    server_platform: self.server_platform,
                    server_arch: self.server_arch,
                    kind: self.kind,
                    trigger: self.trigger,
                    wishes: crate::http::client::check::wishes(self.locale.as_ref(), request),
                }
            }
        }
    };
}
pub(crate) use check_parameters;

check_parameters! {
    /// The parameters of a check.
    CheckQuery {}
}

pub(crate) const fn standalone() -> Component {
    Component::Standalone
}

pub(crate) const fn startup() -> Trigger {
    Trigger::Startup
}

/// The acceptable languages: the one of the query, or those of the header.
pub(crate) fn wishes(locale: Option<&LanguageTag>, request: &HttpRequest) -> Wishes {
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
    params(CheckQuery),
    security((), ("license" = [])),
    responses((status = 200, description = "The update that the program gets, or the reason why it gets none.", body = CheckAnswer<'_>))
)]
#[get("/api/v1/check")]
pub async fn check_update(
    app: App,
    request: HttpRequest,
    query: Query<CheckQuery>,
    license: License,
) -> Result<HttpResponse, Problem> {
    let question = query.0.question(&request);
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
            version: &answer.question.version,
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
