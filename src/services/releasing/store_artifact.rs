//! Artifacts: uploaded by the vendor's pipeline, and listed with their release.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::Stream;

use crate::{
    artifacts::{
        ArtifactsError,
        intake::{COPY_LIMIT, IntakeError, Received, UNANNOUNCED},
    },
    domain::{
        artifact::{Artifact, ArtifactKind, ContentStore, Filename, Sha256},
        id::ArtifactId,
        platform::{Arch, Component, Platform},
        release::Release,
        slug::Slug,
        version::Version,
    },
    services::{
        desk::{Code, Context, Expected, Refusal, Write, acting, context::id_at, lookup},
        releasing::{loose_contents::take_away, release},
    },
    store,
};

/// The description of an upload.
#[derive(Clone, Debug)]
pub struct Upload {
    pub product: Slug,
    /// The version of the release.
    pub version: Version,
    pub filename: Filename,
    /// The program that the artifact updates.
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    pub kind: ArtifactKind,
    /// The hash of the content as the sender states it.
    pub announced: Option<Sha256>,
    /// The size in bytes as the sender states it.
    pub length: Option<u64>,
    /// The vendor's own signature of the content.
    pub signature: Option<String>,
    /// The revision of the release that the sender expects.
    pub expected: Expected,
}

/// A received content, with its place.
#[derive(Clone, Copy, Debug)]
pub(in crate::services) struct Content {
    pub sha256: Sha256,
    /// Size in bytes.
    pub size: u64,
    pub store: ContentStore,
}

/// The result of an upload.
#[derive(Clone, Debug)]
pub enum Stored {
    /// The artifact was added or replaced.
    New(Artifact),
    /// The content was listed under this name before.
    Same(Artifact),
}

/// Receives an artifact of a draft. Size and hash are computed as it arrives. When this returns, the content is stored
/// durably and the artifact is listed.
///
/// # Errors
/// `product_not_found`, `release_not_found`, `release_published`, `artifact_exists`, `digest_mismatch`,
/// `storage_unavailable`, and the error of a body that ended early. Nothing is kept after an error.
pub async fn store(
    context: &Arc<Context>,
    upload: Upload,
    body: impl Stream<Item = Result<Bytes, Refusal>> + Unpin,
) -> Result<Stored, Refusal> {
    {
        // Fails early, before gigabytes are sent. The write checks again.
        let catalogue = context.directory.catalogue();
        let entry =
            catalogue.product(upload.product.as_str()).ok_or_else(|| lookup::product_not_found(&upload.product))?;
        let release =
            entry.release(&upload.version).ok_or_else(|| release::not_found(&upload.product, &upload.version))?;
        release.require_draft()?;
        check_place(release, &upload)?;
    }
    let (store, id) = (context.artifacts.main(), id_at(context.clock.now()));
    if store == ContentStore::S3 && upload.announced.is_none() && upload.length.is_some_and(|it| it > COPY_LIMIT) {
        return Err(ArtifactsError::TooLarge(UNANNOUNCED).into());
    }
    let received = context.artifacts.receive(store, id, upload.announced, body).await;
    let received = received.map_err(|error| match error {
        IntakeError::Sender(refusal) => refusal,
        IntakeError::Mismatch(found) => Refusal::new(
            Code::DigestMismatch,
            format!(
                "the content that arrived has SHA-256 {found}, not {} as announced; send it again",
                upload.announced.map_or_else(String::new, |announced| announced.to_string())
            ),
        ),
        IntakeError::Store(error) => error.into(),
    })?;
    // From here on, a sender that disconnects does not stop the work.
    let context = Arc::clone(context);
    acting::to_its_end(async move { finish(&context, upload, received).await }).await
}

/// Puts a received content into the artifact store and lists its artifact.
async fn finish(context: &Arc<Context>, upload: Upload, received: Received) -> Result<Stored, Refusal> {
    let shelf = context.artifacts.shelf().await;
    if let Err(error) = context.artifacts.place(&received).await {
        context.artifacts.discard(&received).await;
        return Err(error.into());
    }
    let sha256 = received.sha256;
    let there = Content { sha256, size: received.size, store: received.store };
    let listed = context
        .write(move |write| {
            let id = write.new_id();
            list(write, id, upload, there)
        })
        .await;
    let loose = match &listed {
        Ok((_, replaced)) => replaced.iter().copied().collect(),
        Err(_) => vec![sha256],
    };
    take_away(context, loose, &shelf).await;
    listed.map(|(stored, _)| stored)
}

/// Refuses an upload if another file of the release has the same place (component, platform, architecture and kind).
fn check_place(release: &Release, upload: &Upload) -> Result<(), Refusal> {
    let place = |artifact: &Artifact| (artifact.component, artifact.platform, artifact.arch, artifact.kind);
    let wanted = (upload.component, upload.platform, upload.arch, upload.kind);
    match release.artifacts.iter().find(|known| place(known) == wanted && known.filename != upload.filename) {
        Some(known) => Err(Refusal::new(
            Code::ArtifactExists,
            format!(
                "release {} has `{}` for {} on {} {} as {} already; upload under that name to replace it",
                release.version, known.filename, known.component, known.platform, known.arch, known.kind
            ),
        )),
        None => Ok(()),
    }
}

/// Lists an artifact whose content is in place, under a given id. Also returns the replaced content, if any.
pub(in crate::services) fn list(
    write: &mut Write<'_>,
    id: ArtifactId,
    upload: Upload,
    Content { sha256, size, store }: Content,
) -> Result<(Stored, Option<Sha256>), Refusal> {
    let (_, mut release) = release::find(write, &upload.product, &upload.version)?;
    upload.expected.check(release.revision)?;
    release.require_draft()?;
    check_place(&release, &upload)?;
    let artifact = Artifact {
        id,
        component: upload.component,
        platform: upload.platform,
        arch: upload.arch,
        kind: upload.kind,
        filename: upload.filename,
        size,
        sha256,
        signature: upload.signature,
        store,
    };
    let known = release.artifacts.iter().find(|known| known.filename == artifact.filename).cloned();
    let before = release.clone();
    let mut artifact = artifact;
    let mut same = false;
    if let Some(known) = &known {
        // A file that is sent again without a signature keeps its signature.
        artifact.signature = artifact.signature.or_else(|| known.signature.clone().filter(|_| known.sha256 == sha256));
        // The same content stays in its store, even if new contents go to another store now.
        if (Artifact { id: known.id, store: known.store, ..artifact.clone() }) == *known {
            return Ok((Stored::Same(known.clone()), None));
        }
        same = known.sha256 == sha256;
        store::artifacts::delete(write.connection, known.id)?;
        release.artifacts.retain(|other| other.id != known.id);
    }
    store::artifacts::insert(write.connection, release.id, &artifact)?;
    release.artifacts.push(artifact.clone());
    write.save("release.upload", &before, &mut release)?;
    let stored = if same { Stored::Same(artifact) } else { Stored::New(artifact) };
    Ok((stored, known.map(|known| known.sha256)))
}
