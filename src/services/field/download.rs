//! Downloads: checks a signed link and opens the content of its artifact.

use std::ops::Range;

use crate::{
    artifacts::reading::Pieces,
    domain::{
        artifact::{Artifact, ContentStore, Filename},
        id::{ArtifactId, LicenseKeyId},
    },
    services::desk::{Code, Context, Refusal},
    signing::link::{Grant, LinkError},
};

/// The target of a valid link.
#[derive(Clone, Debug)]
pub struct Found {
    pub artifact: Artifact,
    /// The license key for which the link was made.
    pub license_key: Option<LicenseKeyId>,
}

/// The artifact of a link, if the link is valid and not withdrawn.
///
/// # Errors
/// `url_invalid`, `url_expired`, `url_withdrawn`, `artifact_not_found`.
pub fn find(context: &Context, id: ArtifactId, filename: &Filename, token: &str) -> Result<Found, Refusal> {
    let now = context.clock.now();
    let grant = context.keys.load().read_link(id, token, now).map_err(|error| match error {
        LinkError::Invalid => Refusal::new(
            Code::UrlInvalid,
            "this download link was not made here, or was altered; check for updates again",
        ),
        LinkError::Expired => Refusal::new(
            Code::UrlExpired,
            "this download link has expired; check for updates again, the download goes on where it stopped",
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
    Ok(Found { artifact: artifact.clone(), license_key: grant.license_key })
}

fn is_revoked(context: &Context, grant: Grant) -> bool {
    grant.license_key.is_some_and(|key| context.directory.is_revoked(key))
}

/// The URL under which the artifact store itself serves an artifact. `None` where Sluice serves it. It is valid for as
/// long as a download link.
pub async fn elsewhere(
    context: &Context,
    artifact: &Artifact,
    disposition: &str,
    media_type: &str,
) -> Result<Option<String>, Refusal> {
    if artifact.store != ContentStore::S3 || !context.settings.redirects {
        return Ok(None);
    }
    let link = context.artifacts.link(artifact.sha256, context.settings.url_ttl, disposition, media_type).await?;
    Ok(Some(link))
}

/// Opens a part of an artifact's content, given in bytes.
pub async fn open(context: &Context, artifact: &Artifact, part: Range<u64>) -> Result<Pieces, Refusal> {
    Ok(context.artifacts.open_content(artifact.store, artifact.sha256, artifact.size, part).await?)
}
