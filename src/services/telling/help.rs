//! Help against known problems: what the user of a failed run is told to do.

use crate::{
    directory::ProductEntry,
    domain::{
        known_problem::{self, DefaultProblem, Recognised},
        locale::Wishes,
        run::Run,
    },
    texts::{self, Text, Values},
};

/// What a user is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// In words.
    pub text: String,
    /// In which language.
    pub locale: String,
    /// Where there is more.
    pub url: Option<String>,
}

/// What the user of a run is told to do, by what the run was marked with.
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

/// What Sluice itself says of a problem, and in which language.
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
