//! Artifacts: the files of a release.

use std::{fmt, str::FromStr};

use super::{
    InvalidValue,
    id::ArtifactId,
    named_enum,
    platform::{Arch, Component, MachineArch, Platform},
    serde_as_text,
};

named_enum! {
    /// The form of a file of a release.
    ArtifactKind, "kind" {
        Installer = "installer",
        Archive = "archive",
        /// A patch from one version's files to another's.
        Delta = "delta",
    }
}

named_enum! {
    /// A kind that can be installed without an earlier version.
    FullKind, "kind" {
        Installer = "installer",
        Archive = "archive",
    }
}

named_enum! {
    /// The store of a content.
    ContentStore, "store" {
        Files = "files",
        S3 = "s3",
    }
}

/// A file of a release. A release has at most one per component, platform, architecture and kind.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Artifact {
    /// The id in its download URL.
    pub id: ArtifactId,
    pub component: Component,
    pub platform: Platform,
    pub arch: Arch,
    pub kind: ArtifactKind,
    pub filename: Filename,
    /// Bytes.
    pub size: u64,
    /// The hash of the content, by which it is stored.
    pub sha256: Sha256,
    /// A signature made by the vendor's own key. Sluice passes it on unchecked.
    pub signature: Option<String>,
    pub store: ContentStore,
}

/// A component on a machine that a file is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub component: Component,
    pub platform: Platform,
    pub arch: MachineArch,
    /// The required form, if only one is usable.
    pub kind: Option<FullKind>,
}

impl Artifact {
    /// How well this artifact fits: lower is better, `None` if it does not fit. The exact architecture is better than
    /// `universal` (contract section 3, rule 4), then an installer is better than an archive (section 4).
    #[must_use]
    pub fn fit(&self, target: &Target) -> Option<u8> {
        let kind = match self.kind {
            ArtifactKind::Installer => FullKind::Installer,
            ArtifactKind::Archive => FullKind::Archive,
            ArtifactKind::Delta => return None,
        };
        let wanted = self.component == target.component
            && self.platform == target.platform
            && (self.arch == target.arch.exact() || self.arch == Arch::Universal)
            && target.kind.is_none_or(|wanted| wanted == kind);
        wanted.then_some(match (self.arch, kind) {
            (Arch::Universal, FullKind::Archive) => 3,
            (Arch::Universal, FullKind::Installer) => 2,
            (_, FullKind::Archive) => 1,
            (_, FullKind::Installer) => 0,
        })
    }
}

/// The SHA-256 of a content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            if let [high, low] = pair {
                *high = DIGITS.get(usize::from(byte >> 4)).copied().unwrap_or(b'0');
                *low = DIGITS.get(usize::from(byte & 15)).copied().unwrap_or(b'0');
            }
        }
        formatter.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Sha256 {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidValue::new("SHA-256", text, "64 hexadecimal digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(invalid());
        }
        let mut bytes = [0_u8; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(index * 2..index * 2 + 2).ok_or_else(invalid)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| invalid())?;
        }
        Ok(Self(bytes))
    }
}

serde_as_text!(Sha256);

/// A file name: 1 to 200 of `A-Z a-z 0-9 . _ + - ~ ( )`, not starting with a dot. Such a name needs no escaping in
/// URLs, headers and file systems.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_+~()-][A-Za-z0-9._+~()-]{0,199}$", example = "OfficeMaker-13.0.0-setup.exe")]
pub struct Filename(String);

impl Filename {
    /// The file name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filename {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl FromStr for Filename {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-~()".contains(&byte);
        if (1..=200).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new("file name", text, "1 to 200 of A-Z a-z 0-9 . _ + - ~ ( ), not starting with a dot"))
        }
    }
}

serde_as_text!(Filename);
