//! Help for known problems: what the user of a failed run can do.

use crate::{
    directory::ProductEntry,
    domain::{
        known_problem::{self, DefaultProblem, Recognised},
        link::Link,
        locale::Wishes,
        run::Run,
    },
    texts::{self, Text, Values},
};

/// The advice for the user of a failed run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    pub text: String,
    /// The language of the text.
    pub locale: String,
    /// A page with more information.
    pub url: Option<Link>,
}

/// The help for the known problem with which a run is marked; `None` without one.
#[must_use]
pub fn help(entry: &ProductEntry, run: &Run) -> Option<Help> {
    let recognised = known_problem::recall(&entry.known_problems, run.known_problem.as_deref()?)?;
    help_for(entry, run, &recognised)
}

fn help_for(entry: &ProductEntry, run: &Run, recognised: &Recognised<'_>) -> Option<Help> {
    let wishes = run.locale.clone().map(Wishes::one).unwrap_or_default();
    match recognised {
        Recognised::Vendors(rule) => {
            let (locale, text) = wishes.choose(&entry.product.default_locale, &rule.texts)?;
            Some(Help { text: text.clone(), locale: locale.to_string(), url: rule.link.clone() })
        }
        Recognised::Default(default) => {
            let (locale, text) = default_text(entry, *default, &wishes);
            Some(Help { text, locale: locale.to_owned(), url: None })
        }
    }
}

/// Sluice's own text about a default problem, and its language.
#[must_use]
pub fn default_text(entry: &ProductEntry, default: DefaultProblem, wishes: &Wishes) -> (&'static str, String) {
    let text = match default {
        DefaultProblem::Antivirus => Text::HelpAntivirus,
        DefaultProblem::Firewall => Text::HelpFirewall,
        DefaultProblem::Disk => Text::HelpDisk,
        DefaultProblem::Rights => Text::HelpRights,
    };
    let values = Values { product: &entry.product.name, ..Values::default() };
    let default_locale = &entry.product.default_locale;
    (texts::language(wishes, default_locale), texts::render(wishes, default_locale, text, &values).to_string())
}
