//! Texts for people: what a dialog on an end user's desktop says, in the languages of the catalogue under
//! `locales/`. The only place that knows how the catalogue is written (Fluent). Release notes are not here:
//! the vendor writes them, per release.

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
        // The marks would show as boxes in dialogs that do not know them, and all four languages run the same way.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// The languages of the catalogue, by the names of their folders.
pub const LANGUAGES: [&str; 4] = ["en", "it", "fr", "de"];

macro_rules! texts {
    ($($(#[$meta:meta])* $variant:ident($($value:ident),+) = $id:literal),+ $(,)?) => {
        /// One text for people.
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

            /// Of these values, those that the text uses.
            fn uses<'a>(self, values: &Values<'a>) -> Values<'a> {
                match self { $(Self::$variant => Values { $($value: values.$value,)+ ..Values::default() }),+ }
            }
        }
    };
}

// With the values that each uses.
texts! {
    /// There is an update.
    UpdateAvailable(product, version) = "update-available",
    /// There is an update that must be installed to go on (rule 11).
    UpdateAvailableMandatory(product, version) = "update-available-mandatory",
    /// To a client: its server has an update (rule 10b).
    UpdateAvailableServer(product, version) = "update-available-server",
    /// To a client: its server has an update that must be installed.
    UpdateAvailableServerMandatory(product, version) = "update-available-server-mandatory",
    /// The client has to change to match its server (rule 10a).
    ClientMustMatchServer(product, version, server_version) = "client-must-match-server",
    /// Nothing to do.
    UpToDate(product) = "up-to-date",
    /// A multi-user client did not say what its server is (rule 10).
    ServerVersionRequired(product) = "server-version-required",
    /// The rollout has not come this far (rule 7).
    RolloutPending(product) = "rollout-pending",
    /// The rollout is paused (rule 5).
    RolloutPaused(product) = "rollout-paused",
    /// The rollout was halted (rule 5).
    RolloutHalted(product) = "rollout-halted",
    /// What is newer cannot be reached from this version (rule 8).
    NoPath(product) = "no-path",
    /// The subscription is pinned to older versions (rule 4).
    Pinned(product) = "pinned",
    /// The version in use was withdrawn and nothing replaces it yet (rule 12).
    CurrentYanked(product) = "current-yanked",
    /// The license key is one of another product (rule 1).
    NotEntitledWrongProduct(product) = "not-entitled-wrong-product",
    /// There is no subscription (rule 6).
    NotEntitledLicenseRequired(product, newer) = "not-entitled-license-required",
    /// The subscription has ended (rule 6).
    NotEntitledExpired(product, newer, date) = "not-entitled-expired",
    /// The subscription was set aside (rule 6).
    NotEntitledSuspended(product, newer) = "not-entitled-suspended",
    /// The subscription was ended (rule 6).
    NotEntitledCancelled(product, newer) = "not-entitled-cancelled",
    /// The subscription has not begun (rule 6).
    NotEntitledPending(product, newer, date) = "not-entitled-pending",
    /// The maintenance window is closed (rule 9).
    DeferredOutsideWindow(product, time, zone) = "deferred-outside-window",
    /// As many sites of the group as may are being updated (rule 9).
    DeferredGroupBusy(product) = "deferred-group-busy",
    /// The vendor sees to updates (rule 10d).
    Managed(product) = "managed",
    /// No client that the server accepts exists (rule 10a).
    IncompatibleNoClient(product, server_version) = "incompatible-no-client",
    /// Only halted clients would fit the server (rule 10a).
    IncompatibleHalted(product, server_version) = "incompatible-halted",
    /// The vendor has stopped all updates (rule 3).
    BlockedStopped(product, reason) = "blocked-stopped",
    /// A virus scanner keeps the updater from its files.
    HelpAntivirus(product) = "help-antivirus",
    /// A firewall or a proxy keeps it from the server.
    HelpFirewall(product) = "help-firewall",
    /// The disk is full.
    HelpDisk(product) = "help-disk",
    /// It may not write where it must.
    HelpRights(product) = "help-rights",
}

/// Values that a text may use. What it does not use may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// The product's name.
    pub product: &'a str,
    /// The version on offer.
    pub version: &'a str,
    /// The version that entitlement holds back.
    pub newer: &'a str,
    /// The version of the asking client's server.
    pub server_version: &'a str,
    /// The vendor's own words, in whatever language they are.
    pub reason: &'a str,
    /// A day in the life of the subscription.
    pub date: Option<civil::Date>,
    /// When the maintenance window opens.
    pub time: Option<Timestamp>,
    /// Where `time` is read off the clock; without it UTC, and the text says so.
    pub zone: Option<&'a TimeZone>,
}

/// The text in the catalogue's language that fits the wishes best, with the values in it.
#[must_use]
pub fn render(wishes: &Wishes, default: &LanguageTag, text: Text, values: &Values<'_>) -> Arc<str> {
    let language = language(wishes, default);
    // What the text does not use must not tell two messages apart.
    let values = &text.uses(values);
    memo::recall(language, text, values, || write(language, text, values))
}

/// Which of the catalogue's languages [`render`] uses.
#[must_use]
pub fn language(wishes: &Wishes, default: &LanguageTag) -> &'static str {
    let known = |wanted: &str| LANGUAGES.into_iter().find(|language| *language == wanted);
    wishes.look_up(default, known).unwrap_or("en")
}

/// What the catalogue's messages are given, by name.
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

/// The date written out, as `date`, and its `day` as a number, which a language may choose an article by.
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

/// The catalogue's message, in English where the language should lack it. A test sees to it that it does not.
fn look_up(language: &str, id: &str, arguments: &Arguments<'_>) -> String {
    let in_language = |language: &str| {
        let language: LanguageIdentifier = language.parse().ok()?;
        CATALOGUE.lookup_single_language(&language, id, Some(arguments)).ok()
    };
    in_language(language).or_else(|| in_language("en")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
