//! The publish lint: what is wrong with a release before its publication, compared with the published ones. It finds
//! all problems at once; a person decides whether to publish anyway.

use std::{borrow::Borrow, fmt};

use jiff::Timestamp;

use super::{
    artifact::{Artifact, ArtifactKind},
    locale::LanguageTag,
    named_enum,
    platform::{Arch, Component},
    product::{Product, RequiredArtifact},
    release::{Release, ReleaseState},
    version::{Requirement, Version},
};

named_enum! {
    /// A kind of problem with a release before its publication.
    #[schema(as = FindingCode)]
    FindingCode, "finding" {
        /// The release lacks a file that the product requires.
        ArtifactMissing = "artifact_missing",
        /// The release lacks notes in a language that the product requires.
        NotesMissing = "notes_missing",
        /// No published release can update directly to it.
        MinFromUnreachable = "min_from_unreachable",
        /// Its `compatible_clients` matches no version.
        CompatibleClientsEmpty = "compatible_clients_empty",
        /// Its server accepts no published client.
        NoCompatibleClient = "no_compatible_client",
        /// A higher version with the same major.minor is published.
        VersionNotNewest = "version_not_newest",
    }
}

/// A problem of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    ArtifactMissing(RequiredArtifact),
    NotesMissing(LanguageTag),
    /// No release is published from this version up to the release's own.
    MinFromUnreachable(Version),
    CompatibleClientsEmpty(Requirement),
    NoCompatibleClient,
    /// The higher version, on the release's channel or a more stable one.
    VersionNotNewest(Version),
}

impl Finding {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> FindingCode {
        match self {
            Self::ArtifactMissing(_) => FindingCode::ArtifactMissing,
            Self::NotesMissing(_) => FindingCode::NotesMissing,
            Self::MinFromUnreachable(_) => FindingCode::MinFromUnreachable,
            Self::CompatibleClientsEmpty(_) => FindingCode::CompatibleClientsEmpty,
            Self::NoCompatibleClient => FindingCode::NoCompatibleClient,
            Self::VersionNotNewest(_) => FindingCode::VersionNotNewest,
        }
    }

    /// The field of the release that is concerned.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::ArtifactMissing(_) => "artifacts",
            Self::NotesMissing(_) => "notes",
            Self::MinFromUnreachable(_) => "min_from",
            Self::CompatibleClientsEmpty(_) | Self::NoCompatibleClient => "compatible_clients",
            Self::VersionNotNewest(_) => "version",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArtifactMissing(RequiredArtifact { component, platform, arch }) => {
                write!(formatter, "a file for {component} on {platform} {arch} is missing")
            }
            Self::NotesMissing(locale) => write!(formatter, "notes in `{locale}` are missing"),
            Self::MinFromUnreachable(lowest) => {
                write!(
                    formatter,
                    "no published release is between {lowest} and this one, so no installation could update to it"
                )
            }
            Self::CompatibleClientsEmpty(requirement) => {
                write!(formatter, "no version satisfies `{requirement}`, so the server would refuse every client")
            }
            Self::NoCompatibleClient => {
                formatter.write_str("no published client is accepted by this server program; publish one, or widen it")
            }
            Self::VersionNotNewest(newest) => {
                write!(formatter, "{newest} is published already, so installations of it would not be offered this one")
            }
        }
    }
}

/// All problems of publishing `release` at `published_at` (now unless given). `releases` are those of the product.
#[must_use]
pub fn lint<R: Borrow<Release>>(
    product: &Product,
    releases: &[R],
    release: &Release,
    published_at: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Finding> {
    let at = published_at.map_or(now, |at| at.max(now));
    // Including releases that will be published by then.
    let published: Vec<&Release> = releases
        .iter()
        .map(Borrow::borrow)
        .filter(|other| other.id != release.id && other.state == ReleaseState::Published && other.was_published_by(at))
        .collect();
    let history = published_at.is_some_and(|at| at < now);
    let mut findings = lacking(product, release);
    findings.extend(min_from_unreachable(product, &published, release));
    findings.extend(empty_range(release));
    let has_clients = |other: &R| has(other.borrow(), Component::Client);
    if releases.iter().any(has_clients) || has(release, Component::Client) {
        findings.extend(no_compatible_client(&published, release));
    }
    if !history {
        findings.extend(not_newest(product, &published, release));
    }
    findings
}

/// What the product requires and the release lacks.
fn lacking(product: &Product, release: &Release) -> Vec<Finding> {
    let artifacts = product
        .required_artifacts
        .iter()
        .filter(|required| !release.artifacts.iter().any(|artifact| fulfils(artifact, **required)));
    let notes = product.required_locales.iter().filter(|locale| !release.notes.contains_key(*locale));
    let artifacts = artifacts.map(|required| Finding::ArtifactMissing(*required));
    artifacts.chain(notes.map(|locale| Finding::NotesMissing(locale.clone()))).collect()
}

/// Whether a file fulfils a requirement: it can be installed by itself (rule 4), which a delta cannot; `universal` fits
/// every architecture.
fn fulfils(artifact: &Artifact, required: RequiredArtifact) -> bool {
    artifact.kind != ArtifactKind::Delta
        && (artifact.component, artifact.platform) == (required.component, required.platform)
        && (artifact.arch == required.arch || artifact.arch == Arch::Universal)
}

/// Whether a release can be installed as this component.
fn has(release: &Release, component: Component) -> bool {
    release.artifacts.iter().any(|artifact| artifact.component == component && artifact.kind != ArtifactKind::Delta)
}

/// Whether a check on the channel of `release` sees `other` (rule 2).
fn sees(product: &Product, release: &Release, other: &Release) -> bool {
    let rank = |release: &Release| product.channels.rank(&release.channel);
    rank(other).zip(rank(release)).is_some_and(|(other, own)| other <= own)
}

/// Rule 8: a direct update to a release starts at `min_from` or above. Versions that were never published here may
/// exist, but nobody can be brought to them.
fn min_from_unreachable(product: &Product, published: &[&Release], release: &Release) -> Option<Finding> {
    let lowest = release.min_from.as_ref()?;
    let reaches =
        |other: &&Release| other.version >= *lowest && other.version < release.version && sees(product, release, other);
    (!published.iter().any(reaches)).then(|| Finding::MinFromUnreachable(lowest.clone()))
}

fn empty_range(release: &Release) -> Option<Finding> {
    let requirement = release.compatible_clients.as_ref().filter(|requirement| requirement.is_empty())?;
    Some(Finding::CompatibleClientsEmpty(requirement.clone()))
}

/// Rule 10a: a client that a server refuses is offered one that it accepts and that is not above the server. A server
/// always accepts its own version.
fn no_compatible_client(published: &[&Release], release: &Release) -> Option<Finding> {
    let accepts = |client: &Version| match &release.compatible_clients {
        Some(requirement) => requirement.matches(client),
        None => client.same_minor(&release.version),
    };
    let fits =
        |other: &&Release| has(other, Component::Client) && other.version <= release.version && accepts(&other.version);
    let needs_one = has(release, Component::Server) && !has(release, Component::Client);
    (needs_one && !published.iter().any(fits)).then_some(Finding::NoCompatibleClient)
}

fn not_newest(product: &Product, published: &[&Release], release: &Release) -> Option<Finding> {
    published
        .iter()
        .filter(|other| {
            other.version > release.version
                && other.version.same_minor(&release.version)
                && sees(product, release, other)
        })
        .map(|other| &other.version)
        .max()
        .map(|newest| Finding::VersionNotNewest(newest.clone()))
}
