//! `sluice publish --dry-run`: what the server says about the draft as it is, and what the draft lacks compared with
//! `release.toml`. Nothing is changed.

use std::fmt;

use serde::Serialize;

use super::{
    super::{client::wire, failure::Failure, release_file::ReleaseFile},
    Publication, plan,
};
use crate::domain::{slug::Slug, version::Version};

/// The result of a rehearsal. `--json` prints it as it is.
#[derive(Debug, Serialize)]
pub(super) struct Rehearsed {
    product: Slug,
    version: Version,
    /// Fields that would be changed on the draft first. The server has not checked them yet.
    would_change: Vec<&'static str>,
    would_upload: Vec<String>,
    /// Files of the draft that `release.toml` does not list. They prevent the publication.
    strays: Vec<String>,
    #[serde(flatten)]
    answer: wire::Rehearsal,
}

impl Publication<'_> {
    pub(super) async fn rehearse(&self) -> Result<Rehearsed, Failure> {
        let ReleaseFile { product, version, .. } = self.file;
        let Some((release, tag)) = self.client.release(product, version).await? else {
            let message = format!("there is no draft {product} {version}; create it with `--draft-only`");
            return Err(Failure { exit_code: 3, message });
        };
        let answer = self.client.rehearse_publication(product, version, tag.as_ref(), &self.as_asked()).await?;
        let missing = self.ready.iter().filter(|ready| !plan::is_there(ready, &release.artifacts));
        Ok(Rehearsed {
            product: product.clone(),
            version: version.clone(),
            would_change: plan::names(&plan::changes(self.file, &release)),
            would_upload: missing.map(|ready| ready.artifact.filename.to_string()).collect(),
            strays: plan::strays(self.ready, &release.artifacts),
            answer,
        })
    }
}

impl Rehearsed {
    /// Fails if the release would not be published.
    pub fn result(&self) -> Result<(), Failure> {
        if self.answer.would_publish && self.strays.is_empty() {
            return Ok(());
        }
        let message = format!("{} {} would not be published as it is", self.product, self.version);
        Err(Failure { exit_code: 3, message })
    }
}

impl fmt::Display for Rehearsed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { product, version, answer, .. } = self;
        writeln!(formatter, "nothing was changed; this is what would come of publishing {product} {version}:")?;
        if !self.would_change.is_empty() {
            writeln!(formatter, "  changed first: {}", self.would_change.join(", "))?;
        }
        for (what, names) in [("uploaded first", &self.would_upload), ("not in release.toml", &self.strays)] {
            if !names.is_empty() {
                writeln!(formatter, "  {what}: {}", names.join(", "))?;
            }
        }
        for wire::Finding { code, field, message } in &answer.findings {
            writeln!(formatter, "  {field}: {message} ({code})")?;
        }
        if answer.findings.is_empty() {
            writeln!(formatter, "  nothing is wrong with it")?;
        }
        if answer.needs_approval {
            writeln!(formatter, "  a second person would have to approve it")?;
        }
        let offered: u64 = answer.offered.values().sum();
        write!(formatter, "offered from {} on to {offered} of {} sites", answer.offered_from, answer.sites)?;
        for (status, sites) in answer.offered.iter().filter(|(_, sites)| **sites > 0) {
            write!(formatter, "\n  {status:<10} {sites:>8}")?;
        }
        Ok(())
    }
}
