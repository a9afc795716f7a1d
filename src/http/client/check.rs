//! `GET /api/v1/check`: which update does this program get? No database on the way, but for the slots of hosting groups.

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
            /// Which program it is; `standalone` unless given.
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
            /// The channel it asks on; the product's most stable one unless given.
            #[param(example = "stable")]
            pub channel: Option<Slug>,
            /// Which installation it is: a UUID that the updater made for itself.
            pub installation: Option<InstallationId>,
            /// A client's: the version of its server.
            pub server_version: Option<Version>,
            /// A client's: the operating system of its server.
            #[param(inline)]
            pub server_platform: Option<Platform>,
            /// A client's: the machine of its server.
            #[param(inline)]
            pub server_arch: Option<MachineArch>,
            /// The form of file it can install, if only one will do; else an installer goes before an archive.
            #[param(inline)]
            pub kind: Option<FullKind>,
            /// The language for texts; `Accept-Language` unless given.
            #[param(example = "it")]
            pub locale: Option<LanguageTag>,
            /// What made it ask; `startup` unless given.
            #[serde(default = "crate::http::client::check::startup")]
            #[param(inline, default = "startup")]
            pub trigger: Trigger,
            /// Whether it can apply deltas. No delta is offered yet, so it changes nothing.
            #[serde(default)]
            #[param(default = false)]
            pub deltas: bool,
            $($(#[$extra_meta])* pub $extra: $extra_type,)*
        }

        impl $name {
            /// The question, with the languages of the request's header where none was given.
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
    /// What a program asks.
    CheckQuery {}
}

pub(crate) const fn standalone() -> Component {
    Component::Standalone
}

pub(crate) const fn startup() -> Trigger {
    Trigger::Startup
}

/// The languages that somebody would take: the one they named, else those of the header.
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
    /// The answer in one word.
    pub status: Status,
    /// Why, where the status alone does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The same for a person, in their language, for a dialog.
    #[schema(value_type = String)]
    pub message: Arc<str>,
    /// The channel that answered.
    #[schema(value_type = Slug)]
    pub channel: &'a Slug,
    /// When this was decided.
    pub checked_at: Timestamp,
    /// When to ask again, in seconds.
    pub next_check_after: i64,
    /// What is to be said of the version in use.
    pub current: CurrentBody<'a>,
    /// What is offered; only with `update_available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update: Option<UpdateBody<'a>>,
    /// The highest release that the subscription does not cover.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer: Option<NewerBody<'a>>,
    /// When to come for the maintenance window that opens next: some time into it, another for each site; only with the reason
    /// `outside_maintenance_window`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_window_at: Option<Timestamp>,
    /// The subscription behind the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<CoverBody<'a>>,
    /// Where a failed update sends the user.
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
    /// It was published and then withdrawn.
    pub yanked: bool,
    /// It is not below the lowest version that is still supported.
    pub supported: bool,
}

/// A release that the subscription does not cover.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Newer)]
pub struct NewerBody<'a> {
    /// Its version.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// Since when it is offered to others.
    pub published_at: Option<Timestamp>,
}

/// The subscription behind the key, in short.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cover)]
pub struct CoverBody<'a> {
    /// What it is today.
    pub status: subscription::Status,
    /// Its last covered day; `null` never ends.
    #[schema(value_type = Option<String>, format = Date)]
    pub ends_on: Option<Date>,
    /// Where it is renewed.
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
    /// Since when it is offered.
    pub published_at: Option<Timestamp>,
    /// How much it matters.
    pub severity: Severity,
    /// Whether it must be installed.
    pub mandatory: bool,
    /// Which program is to be updated: a client may be told of its server's update.
    pub applies_to: Component,
    /// This version and those that follow it, hop by hop.
    #[schema(value_type = Vec<Version>)]
    pub path: &'a [&'a Version],
    /// What changes, newest first.
    pub notes: Vec<NoteBody<'a>>,
    /// The file to download; not there when the update is for the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact: Option<FileBody<'a>>,
    /// With a server's update: the client files of the same release.
    pub companions: Vec<FileBody<'a>>,
}

/// The notes of one release in one language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Note)]
pub struct NoteBody<'a> {
    /// Of which release.
    #[schema(value_type = Version)]
    pub version: &'a Version,
    /// In which language.
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
    /// Of its content.
    pub sha256: Sha256,
    /// The vendor's own signature of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<&'a str>,
    /// Where it is, for a while.
    pub url: String,
    /// Until when a download may be started there.
    pub url_expires_at: Timestamp,
}

/// Check for an update.
///
/// The answer is decided by one pure function, from memory. Send the license key as `Authorization: License <key>`; without
/// one only what is for everyone is offered.
#[utoipa::path(
    tag = "Client",
    params(CheckQuery),
    security((), ("license" = [])),
    responses((status = 200, description = "Which update this program gets, or why none.", body = CheckAnswer<'_>))
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

/// The answer as it goes out.
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
