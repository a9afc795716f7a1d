//! Known problems in reports: what a failed run is recognised as, and what its user is told to do.

use super::Context;
use crate::{
    directory::ProductEntry,
    domain::{
        known_problem::{self, DefaultProblem, Recognised},
        locale::Wishes,
        platform::Platform,
        run::Run,
    },
    store::{self, Connection, StoreError},
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

/// What a run was recognised as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What the run is to be marked with.
    pub key: String,
    /// What its user is told to do.
    pub help: Help,
}

/// What a run is recognised as, if anything went wrong with it.
#[must_use]
pub fn find(entry: &ProductEntry, run: &Run, platform: Option<Platform>) -> Option<Found> {
    let error = run.error.as_ref()?;
    let recognised = known_problem::recognise(&entry.known_problems, error, &run.to_version, platform)?;
    Some(Found { key: recognised.key(), help: help_for(entry, run, &recognised)? })
}

/// Whether [`find`] needs to know on what platform the run is.
#[must_use]
pub fn asks_for_platform(entry: &ProductEntry, run: &Run) -> bool {
    let depends = |error| known_problem::depends_on_platform(&entry.known_problems, error, &run.to_version);
    run.error.as_ref().is_some_and(depends)
}

/// What the user of a run is told to do, by what the run was marked with.
#[must_use]
pub fn help(entry: &ProductEntry, run: &Run) -> Option<Help> {
    let recognised = known_problem::recall(&entry.known_problems, run.known_problem.as_deref()?)?;
    help_for(entry, run, &recognised)
}

/// Marks a run with what it is recognised as. Its platform, which reports do not tell, is the one that its installation was last
/// seen on; it is looked up only where it makes a difference.
pub(super) fn mark(context: &Context, connection: &mut Connection, run: &mut Run) -> Result<(), StoreError> {
    if run.error.is_none() {
        return Ok(());
    }
    let catalogue = context.directory.catalogue();
    let Some(entry) = catalogue.product_by_id(run.product) else { return Ok(()) };
    let platform = match asks_for_platform(entry, run) {
        true => match context.directory.sightings.platform(run.product, run.installation) {
            Some(platform) => Some(platform),
            None => store::installations::platform(connection, run.product, run.installation)?,
        },
        false => None,
    };
    run.known_problem = find(entry, run, platform).map(|found| found.key);
    Ok(())
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
