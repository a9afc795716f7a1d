//! The texts of mails, in the languages of the catalogue.

use fluent_templates::fluent_bundle::FluentValue;
use jiff::civil::Date;

use super::{Arguments, date_arguments, look_up};
use crate::domain::run::FailureClass;

macro_rules! texts {
    ($($(#[$meta:meta])* $variant:ident = $id:literal),+ $(,)?) => {
        /// A text of a mail.
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
    RunSucceededSubject = "mail-run-succeeded-subject",
    RunSucceeded = "mail-run-succeeded",
    /// The subject of a failed or rolled-back update.
    RunFailedSubject = "mail-run-failed-subject",
    /// The update failed, and no version works.
    RunFailed = "mail-run-failed",
    /// The update failed, and the previous version works again.
    RunRolledBack = "mail-run-rolled-back",
    ClassNetwork = "mail-class-network",
    ClassIntegrity = "mail-class-integrity",
    ClassEnvironment = "mail-class-environment",
    ClassUsersConnected = "mail-class-users-connected",
    ClassBackup = "mail-class-backup",
    ClassInstaller = "mail-class-installer",
    ClassMigration = "mail-class-migration",
    ClassServiceStart = "mail-class-service-start",
    ClassDataLoss = "mail-class-data-loss",
    ClassInternal = "mail-class-internal",
    /// Where to find help.
    Help = "mail-help",
    /// Why the recipient gets this mail.
    RunWhy = "mail-run-why",
    HaltedSubject = "mail-halted-subject",
    Halted = "mail-halted",
    EndingSubject = "mail-ending-subject",
    Ending = "mail-ending",
    /// A subscription that will be renewed.
    EndingRenews = "mail-ending-renews",
    /// A subscription that will not be renewed.
    EndingStays = "mail-ending-stays",
    /// How many more subscriptions there are.
    EndingMore = "mail-ending-more",
}

impl MailText {
    /// The explanation of a failure.
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

/// The values that texts may use. Unused ones may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct MailValues<'a> {
    pub product: &'a str,
    pub version: &'a str,
    pub customer: &'a str,
    /// The vendor's own words.
    pub reason: &'a str,
    pub link: &'a str,
    /// The last covered day of a subscription.
    pub date: Option<Date>,
    /// The days until then.
    pub days: i64,
    /// How many subscriptions there are.
    pub count: usize,
}

/// Renders a text in a language of the catalogue (see [`super::language`]).
#[must_use]
pub fn write(language: &str, text: MailText, values: &MailValues<'_>) -> String {
    let mut arguments = Arguments::new();
    // Values that dialogs use too have the same names; the day of the month is `day`.
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
