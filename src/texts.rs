//! Texts for people: what a dialog on an end user's desktop says, in the languages of the catalogue under `locales/`.
//! Only this room knows that the catalogue is written in Fluent. Release notes are not here: the vendor writes them for
//! each release.

pub mod mail;
mod memo;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use fluent_templates::{LanguageIdentifier, fluent_bundle::FluentValue};
use jiff::{Timestamp, civil, tz::TimeZone};

use crate::domain::locale::{LanguageTag, Wishes};

fluent_templates::static_loader! {
    static CATALOGUE = {
        locales: "./locales",
        fallback_language: "en",
        // Dialogs without support for these marks would show them as boxes, and all four languages run left to right.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The languages of the catalogue, named as its folders.
pub const LANGUAGES: [&str; 4] = ["en", "it", "fr", "de"];

macro_rules! texts {
    ($($(#[$meta:meta])* $variant:ident($($value:ident),+) = $id:literal),+ $(,)?) => {
        /// A text for a dialog.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Text { $($(#[$meta])* $variant),+ }

        impl Text {
            /// Every text there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the catalogue.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }

            /// The values that the text uses, out of these.
            fn uses<'a>(self, values: &Values<'a>) -> Values<'a> {
                match self { $(Self::$variant => Values { $($value: values.$value,)+ ..Values::default() }),+ }
            }
        }
    };
}

// Each text with the values that it uses.
texts! {
    UpdateAvailable(product, version) = "update-available",
    /// An update must be installed to continue (rule 11).
    UpdateAvailableMandatory(product, version) = "update-available-mandatory",
    /// Tells a client that its server has an update (rule 10b).
    UpdateAvailableServer(product, version) = "update-available-server",
    /// Tells a client that its server has a mandatory update.
    UpdateAvailableServerMandatory(product, version) = "update-available-server-mandatory",
    /// The client must change its version to match its server (rule 10a).
    ClientMustMatchServer(product, version, server_version) = "client-must-match-server",
    UpToDate(product) = "up-to-date",
    /// A multi-user client did not send its server's version (rule 10).
    ServerVersionRequired(product) = "server-version-required",
    /// The rollout has not reached this site (rule 7).
    RolloutPending(product) = "rollout-pending",
    /// Rule 5.
    RolloutPaused(product) = "rollout-paused",
    /// Rule 5.
    RolloutHalted(product) = "rollout-halted",
    /// No newer version can be reached from this one (rule 8).
    NoPath(product) = "no-path",
    /// The subscription is pinned to older versions (rule 4).
    Pinned(product) = "pinned",
    /// The current version was withdrawn and has no replacement yet (rule 12).
    CurrentYanked(product) = "current-yanked",
    /// The license key belongs to another product (rule 1).
    NotEntitledWrongProduct(product) = "not-entitled-wrong-product",
    /// There is no subscription (rule 6).
    NotEntitledLicenseRequired(product, newer) = "not-entitled-license-required",
    /// Rule 6.
    NotEntitledExpired(product, newer, date) = "not-entitled-expired",
    /// Rule 6.
    NotEntitledSuspended(product, newer) = "not-entitled-suspended",
    /// Rule 6.
    NotEntitledCancelled(product, newer) = "not-entitled-cancelled",
    /// The subscription has not begun (rule 6).
    NotEntitledPending(product, newer, date) = "not-entitled-pending",
    /// The maintenance window is closed (rule 9).
    DeferredOutsideWindow(product, time, zone) = "deferred-outside-window",
    /// The hosting group is at its limit (rule 9).
    DeferredGroupBusy(product) = "deferred-group-busy",
    /// The vendor manages the updates (rule 10d).
    Managed(product) = "managed",
    /// No client exists that the server accepts (rule 10a).
    IncompatibleNoClient(product, server_version) = "incompatible-no-client",
    /// Only halted clients would match the server (rule 10a).
    IncompatibleHalted(product, server_version) = "incompatible-halted",
    /// The vendor has stopped all updates (rule 3).
    BlockedStopped(product, reason) = "blocked-stopped",
    /// A virus scanner blocks the updater.
    HelpAntivirus(product) = "help-antivirus",
    /// A firewall or a proxy blocks the connection.
    HelpFirewall(product) = "help-firewall",
    HelpDisk(product) = "help-disk",
    /// The updater lacks write permissions.
    HelpRights(product) = "help-rights",
}

/// The values that texts may use. Unused ones may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    pub product: &'a str,
    /// The offered version.
    pub version: &'a str,
    /// The version that the subscription does not cover.
    pub newer: &'a str,
    /// The version of the client's server.
    pub server_version: &'a str,
    /// The vendor's own words, in any language.
    pub reason: &'a str,
    /// The day on which the subscription starts or ended.
    pub date: Option<civil::Date>,
    /// When the maintenance window opens.
    pub time: Option<Timestamp>,
    /// The zone in which `time` is shown; `None` for UTC, which the text then names.
    pub zone: Option<&'a TimeZone>,
}

/// Renders a text in the language of the catalogue that fits the wishes best.
#[must_use]
pub fn render(wishes: &Wishes, default: &LanguageTag, text: Text, values: &Values<'_>) -> Arc<str> {
    let language = language(wishes, default);
    // Unused values must not make two messages different.
    let values = &text.uses(values);
    memo::recall(language, text, values, || write(language, text, values))
}

/// The language that [`render`] uses.
#[must_use]
pub fn language(wishes: &Wishes, default: &LanguageTag) -> &'static str {
    let known = |wanted: &str| LANGUAGES.into_iter().find(|language| *language == wanted);
    wishes.look_up(default, known).unwrap_or("en")
}

/// The arguments of a Fluent message, by name.
type Arguments<'a> = HashMap<Cow<'static, str>, FluentValue<'a>>;

fn write(language: &str, text: Text, values: &Values<'_>) -> String {
    let mut arguments = Arguments::new();
    let words = [
        ("product", values.product),
        ("version", values.version),
        ("newer", values.newer),
        ("server-version", values.server_version),
        ("reason", values.reason),
        ("time", ""),
    ];
    arguments.extend(words.map(|(name, value)| (Cow::Borrowed(name), FluentValue::from(value))));
    arguments.extend(date_arguments(language, values.date.unwrap_or_default()));
    if let Some(time) = values.time {
        let written = date_and_time(language, time, values.zone);
        arguments.insert("time".into(), FluentValue::from(written));
    }
    look_up(language, text.id(), &arguments)
}

/// `30 June 2026 at 01:00` in the language.
fn date_and_time(language: &str, time: Timestamp, zone: Option<&TimeZone>) -> String {
    let local = zone.unwrap_or(&TimeZone::UTC).to_datetime(time);
    let mut arguments = date_arguments(language, local.date());
    arguments.insert("hour".into(), FluentValue::from(format!("{:02}", local.hour())));
    arguments.insert("minute".into(), FluentValue::from(format!("{:02}", local.minute())));
    let mut written = look_up(language, "date-and-time", &arguments);
    if zone.is_none() {
        written.push_str(" UTC");
    }
    written
}

/// The formatted date as `date`, and its `day` as a number, by which a language may choose an article.
fn date_arguments<'a>(language: &str, date: civil::Date) -> Arguments<'a> {
    let month = look_up(language, &format!("month-{}", date.month()), &Arguments::new());
    let mut arguments = Arguments::from([
        ("day".into(), FluentValue::from(date.day())),
        ("month".into(), FluentValue::from(month)),
        ("year".into(), FluentValue::from(date.year().to_string())),
    ]);
    let written = look_up(language, "date-long", &arguments);
    arguments.insert("date".into(), FluentValue::from(written));
    arguments
}

/// A message of the catalogue, in English if the language lacks it. A test makes sure that it does not.
fn look_up(language: &str, id: &str, arguments: &Arguments<'_>) -> String {
    let in_language = |language: &str| {
        let language: LanguageIdentifier = language.parse().ok()?;
        CATALOGUE.lookup_single_language(&language, id, Some(arguments)).ok()
    };
    in_language(language).or_else(|| in_language("en")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
