//! What mails say, in the languages of the catalogue.

use fluent_templates::fluent_bundle::FluentValue;
use jiff::civil::Date;

use super::{Arguments, date_arguments, look_up};
use crate::domain::run::FailureClass;

macro_rules! texts {
    ($($(#[$meta:meta])* $variant:ident = $id:literal),+ $(,)?) => {
        /// One text of a mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MailText { $($(#[$meta])* $variant),+ }

        impl MailText {
            /// Every text there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in the catalogue.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),+ }
            }
        }
    };
}

texts! {
    /// The subject where an update is done.
    RunSucceededSubject = "mail-run-succeeded-subject",
    /// An update is done.
    RunSucceeded = "mail-run-succeeded",
    /// The subject where an update did not work.
    RunFailedSubject = "mail-run-failed-subject",
    /// An update did not work, and nothing does.
    RunFailed = "mail-run-failed",
    /// An update did not work, and the version before does.
    RunRolledBack = "mail-run-rolled-back",
    /// Why: [`FailureClass::Network`].
    ClassNetwork = "mail-class-network",
    /// Why: [`FailureClass::Integrity`].
    ClassIntegrity = "mail-class-integrity",
    /// Why: [`FailureClass::Environment`].
    ClassEnvironment = "mail-class-environment",
    /// Why: [`FailureClass::UsersConnected`].
    ClassUsersConnected = "mail-class-users-connected",
    /// Why: [`FailureClass::Backup`].
    ClassBackup = "mail-class-backup",
    /// Why: [`FailureClass::Installer`].
    ClassInstaller = "mail-class-installer",
    /// Why: [`FailureClass::Migration`].
    ClassMigration = "mail-class-migration",
    /// Why: [`FailureClass::ServiceStart`].
    ClassServiceStart = "mail-class-service-start",
    /// Why: [`FailureClass::DataLoss`].
    ClassDataLoss = "mail-class-data-loss",
    /// Why: [`FailureClass::Internal`].
    ClassInternal = "mail-class-internal",
    /// Where to find help.
    Help = "mail-help",
    /// Why this person gets this mail.
    RunWhy = "mail-run-why",
    /// The subject where a rollout was halted.
    HaltedSubject = "mail-halted-subject",
    /// A rollout was halted.
    Halted = "mail-halted",
    /// The subject where subscriptions are about to end.
    EndingSubject = "mail-ending-subject",
    /// Subscriptions are about to end.
    Ending = "mail-ending",
    /// One of them, which is to be renewed.
    EndingRenews = "mail-ending-renews",
    /// One of them, which is not to be renewed.
    EndingStays = "mail-ending-stays",
    /// So many more are.
    EndingMore = "mail-ending-more",
}

impl MailText {
    /// What went wrong, in words.
    #[must_use]
    pub const fn of_class(class: FailureClass) -> Self {
        match class {
            FailureClass::Network => Self::ClassNetwork,
            FailureClass::Integrity => Self::ClassIntegrity,
            FailureClass::Environment => Self::ClassEnvironment,
            FailureClass::UsersConnected => Self::ClassUsersConnected,
            FailureClass::Backup => Self::ClassBackup,
            FailureClass::Installer => Self::ClassInstaller,
            FailureClass::Migration => Self::ClassMigration,
            FailureClass::ServiceStart => Self::ClassServiceStart,
            FailureClass::DataLoss => Self::ClassDataLoss,
            FailureClass::Internal => Self::ClassInternal,
        }
    }
}

/// Values that a text may use. What it does not use may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailValues<'a> {
    /// The product's name.
    pub product: &'a str,
    /// The version.
    pub version: &'a str,
    /// The customer's name.
    pub customer: &'a str,
    /// Why something was done, in the vendor's own words.
    pub reason: &'a str,
    /// Where to find help.
    pub link: &'a str,
    /// The last covered day of a subscription.
    pub date: Option<Date>,
    /// How many days are left.
    pub days: i64,
    /// How many there are.
    pub count: usize,
}

/// The text in a language of the catalogue (see [`super::language`]), with the values in it.
#[must_use]
pub fn write(language: &str, text: MailText, values: &MailValues<'_>) -> String {
    let mut arguments = Arguments::new();
    // What is about the same goes under the same names as in dialogs; the day of the month is `day`.
    arguments.extend(date_arguments(language, values.date.unwrap_or_default()));
    let words = [
        ("product", values.product),
        ("version", values.version),
        ("customer", values.customer),
        ("reason", values.reason),
        ("link", values.link),
    ];
    arguments.extend(words.map(|(name, value)| (name.into(), FluentValue::from(value))));
    arguments.insert("days".into(), FluentValue::from(values.days));
    arguments.insert("count".into(), FluentValue::from(values.count));
    look_up(language, text.id(), &arguments)
}

#[cfg(test)]
mod tests {
    use super::super::LANGUAGES;
    use super::*;

    const VALUES: MailValues<'static> = MailValues {
        product: "«product»",
        version: "«version»",
        customer: "«customer»",
        reason: "«reason»",
        link: "«link»",
        date: Some(jiff::civil::date(2026, 8, 11)),
        days: 7,
        count: 42,
    };

    #[test]
    fn every_text_exists_in_every_language_and_uses_the_same_values() {
        for text in MailText::ALL {
            let used = |language| {
                let written = write(language, *text, &VALUES);
                assert!(written.chars().count() > 15, "{language} has no {text:?}: {written}");
                assert!(!written.contains(['{', '}', '\u{2068}', '$', '\n']), "{language} {text:?}: {written}");
                ["«product»", "«version»", "«customer»", "«reason»", "«link»", "2026", " 7 ", "42"]
                    .map(|value| written.contains(value))
            };
            for language in LANGUAGES {
                assert_eq!(used(language), used("en"), "{language} {text:?} uses other values than English");
            }
            for language in LANGUAGES.into_iter().filter(|language| *language != "en") {
                assert_ne!(
                    write(language, *text, &VALUES),
                    write("en", *text, &VALUES),
                    "{language} {text:?} is English"
                );
            }
        }
    }

    #[test]
    fn the_catalogue_has_no_text_that_no_mail_has() {
        for language in LANGUAGES {
            let file = std::fs::read_to_string(format!("locales/{language}/mail.ftl")).expect("a catalogue");
            let ids = file.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
            for id in ids.filter_map(|line| line.split(" =").next()) {
                assert!(MailText::ALL.iter().any(|text| text.id() == id), "{language}: {id} is not used");
            }
        }
    }

    #[test]
    fn days_are_counted_as_each_language_does() {
        let left = |language, days| write(language, MailText::EndingRenews, &MailValues { days, ..VALUES });
        for (language, today, one, more) in [
            ("en", "(today)", "(in 1 day)", "(in 60 days)"),
            ("it", "(oggi)", "(tra 1 giorno)", "(tra 60 giorni)"),
            ("fr", "(aujourd'hui)", "(dans 1 jour)", "(dans 60 jours)"),
            ("de", "(heute)", "(in 1 Tag)", "(in 60 Tagen)"),
        ] {
            for (days, expected) in [(0, today), (1, one), (60, more)] {
                assert!(left(language, days).contains(expected), "{}", left(language, days));
            }
        }
        assert!(left("it", 7).contains("scade l'11 agosto 2026"), "{}", left("it", 7));
    }
}
