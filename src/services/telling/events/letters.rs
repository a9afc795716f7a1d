//! The texts of mails: subject and body, made from the catalogue of texts. A mail has no text that an updater sent:
//! otherwise anyone with a license key could send any text to any address in the vendor's name.

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

/// The subject and the body of a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) subject: String,
    pub(super) body: String,
}

/// The language of a mail: `locale` if it is supported, otherwise the default of the product.
#[must_use]
pub fn language(product: &Product, locale: Option<&LanguageTag>) -> &'static str {
    let wishes = locale.cloned().map(Wishes::one).unwrap_or_default();
    texts::language(&wishes, &product.default_locale)
}

/// The mail to the person who started an update, about its outcome.
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
        let link = help.and_then(|help| help.url.as_deref()).or(product.help_url.as_deref());
        parts.extend(link.map(|link| write(language, MailText::Help, &MailValues { link, ..values })));
    }
    parts.push(say(MailText::RunWhy));
    Words { subject: say(subject), body: letter(&parts) }
}

/// The mail to staff about a halted rollout.
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
    /// The number of days left.
    pub days: i64,
    pub customer: String,
    pub product: String,
    /// The last covered day.
    pub ends_on: jiff::civil::Date,
    /// Whether the subscription is to be renewed.
    pub renews: bool,
}

/// The mail to staff about the `count` subscriptions that are about to end, of which `named` are listed.
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

/// The paragraphs, separated by empty lines, with a newline at the end.
fn letter(parts: &[String]) -> String {
    format!("{}\n", parts.join("\n\n"))
}

#[cfg(test)]
mod tests;
