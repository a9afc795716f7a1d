//! What mails say: subject and body, put together from the catalogue of texts. Nothing that an updater sent goes into one:
//! whoever has a license key could otherwise have anything sent to anybody in the vendor's name.

use crate::{
    domain::{
        locale::{LanguageTag, Wishes},
        product::Product,
        release::Release,
        run::{Outcome, Run},
    },
    services::telling::help::Help,
    texts::{
        self,
        mail::{MailText, MailValues, write},
    },
};

/// A subject and a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The language that a product's people are written to in, unless they have another one.
#[must_use]
pub fn language(product: &Product, locale: Option<&LanguageTag>) -> &'static str {
    let wishes = locale.cloned().map(Wishes::one).unwrap_or_default();
    texts::language(&wishes, &product.default_locale)
}

/// To the person who started an update that has ended so.
pub(super) fn run_ended(
    product: &Product,
    release: &Release,
    run: &Run,
    outcome: Outcome,
    help: Option<&Help>,
) -> Words {
    let language = language(product, run.locale.as_ref());
    let version = release.version.to_string();
    let values = MailValues { product: &product.name, version: &version, ..MailValues::default() };
    let say = |text| write(language, text, &values);
    let (subject, sentence) = match outcome {
        Outcome::Succeeded => (MailText::RunSucceededSubject, MailText::RunSucceeded),
        Outcome::RolledBack => (MailText::RunFailedSubject, MailText::RunRolledBack),
        Outcome::Failed | Outcome::Cancelled => (MailText::RunFailedSubject, MailText::RunFailed),
    };
    let mut parts = vec![say(sentence)];
    if outcome != Outcome::Succeeded {
        parts.extend(run.error.as_ref().map(|error| say(MailText::of_class(error.class))));
        parts.extend(help.map(|help| help.text.clone()));
        let link = help.and_then(|help| help.url.as_ref()).or(product.help_url.as_ref());
        parts.extend(link.map(|link| write(language, MailText::Help, &MailValues { link, ..values })));
    }
    parts.push(say(MailText::RunWhy));
    Words { subject: say(subject), body: letter(&parts) }
}

/// To staff: a rollout was halted.
pub(super) fn release_halted(product: &Product, release: &Release) -> Words {
    let version = release.version.to_string();
    let reason = release.rollout.reason.as_deref().unwrap_or("–");
    let values = MailValues { product: &product.name, version: &version, reason, ..MailValues::default() };
    let say = |text| write(language(product, None), text, &values);
    Words { subject: say(MailText::HaltedSubject), body: letter(&[say(MailText::Halted)]) }
}

/// A subscription that is about to end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    /// How many days are left.
    pub days: i64,
    /// The customer's name.
    pub customer: String,
    /// The product's name.
    pub product: String,
    /// Its last covered day.
    pub ends_on: jiff::civil::Date,
    /// Whether it is to be renewed.
    pub renews: bool,
}

/// To staff: these subscriptions are about to end, `count` of them, of which some are named.
pub(super) fn endings(language: &str, named: &[Ending], count: usize) -> Words {
    let values = MailValues { count, ..MailValues::default() };
    let line = |ending: &Ending| {
        let text = if ending.renews { MailText::EndingRenews } else { MailText::EndingStays };
        let values = MailValues {
            product: &ending.product,
            customer: &ending.customer,
            date: Some(ending.ends_on),
            days: ending.days,
            ..values
        };
        format!("- {}", write(language, text, &values))
    };
    let lines: Vec<String> = named.iter().map(line).collect();
    let mut parts = vec![write(language, MailText::Ending, &values), lines.join("\n")];
    let more = count.saturating_sub(named.len());
    if more > 0 {
        parts.push(write(language, MailText::EndingMore, &MailValues { count: more, ..values }));
    }
    Words { subject: write(language, MailText::EndingSubject, &values), body: letter(&parts) }
}

/// Paragraphs, and a line's end after the last.
fn letter(parts: &[String]) -> String {
    format!("{}\n", parts.join("\n\n"))
}

#[cfg(test)]
mod tests;
