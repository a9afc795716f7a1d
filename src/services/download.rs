//! Downloads: what a signed link leads to, if it still does.

use super::{Code, Context, Refusal};
use crate::{
    domain::{
        artifact::{Artifact, Filename},
        id::ArtifactId,
    },
    signing::link::{Grant, LinkError},
};

/// The artifact that a link leads to.
///
/// # Errors
/// `url_invalid`, `url_expired`, `url_withdrawn`, `artifact_not_found`.
pub fn find(context: &Context, id: ArtifactId, filename: &Filename, token: &str) -> Result<Artifact, Refusal> {
    let now = context.clock.now();
    let grant = context.keys.load().read_link(id, token, now).map_err(|error| match error {
        LinkError::Invalid => Refusal::new(
            Code::UrlInvalid,
            "this download link was not made here, or was altered; check for updates again",
        ),
        LinkError::Expired => Refusal::new(
            Code::UrlExpired,
            "this download link is past its time; check for updates again, the download goes on where it stopped",
        ),
    })?;
    let catalogue = context.directory.catalogue();
    let missing = || Refusal::new(Code::ArtifactNotFound, format!("there is no artifact {id} named `{filename}`"));
    let (entry, release, artifact) = catalogue.artifact(id).ok_or_else(missing)?;
    if artifact.filename != *filename {
        return Err(missing());
    }
    let stopped = entry.stops.iter().any(|stop| stop.covers_rank(&entry.product.channels, usize::from(grant.channel)));
    if stopped || !release.may_be_downloaded(now) || is_revoked(context, grant) {
        return Err(Refusal::new(Code::UrlWithdrawn, "this download has been withdrawn; check for updates again"));
    }
    Ok(artifact.clone())
}

fn is_revoked(context: &Context, grant: Grant) -> bool {
    grant.license_key.is_some_and(|key| context.directory.is_revoked(key))
}
