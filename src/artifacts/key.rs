//! Where an object is.

use object_store::path::Path;
use uuid::Uuid;

use crate::domain::artifact::Sha256;

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKey {
    /// A content in its place.
    Content(Sha256),
    /// A content on its way in.
    Incoming(Uuid),
    /// What must be known to abort an upload that is under way.
    Upload(Uuid),
    /// What is put in and taken out again, to see whether that works.
    Probe(Uuid),
    /// The name of the database that the store belongs to.
    Marker,
}

const CONTENTS: &str = "sha256";
const INCOMING: &str = "incoming";
const UPLOAD: &str = "upload";
const PROBE: &str = "probe";

/// What the marker is called.
pub(super) const MARKER: &str = "database";

impl ObjectKey {
    pub(super) fn path(self, prefix: &Path) -> Path {
        match self {
            Self::Content(hash) => {
                let hash = hash.to_string();
                // Two letters of a folder, so that no folder grows beyond what people's tools can list.
                let (folder, _) = hash.split_at_checked(2).unwrap_or(("", ""));
                prefix.clone().join(CONTENTS).join(folder).join(hash.as_str())
            }
            Self::Incoming(id) => Self::incoming(prefix).join(id.to_string()),
            Self::Upload(id) => Self::incoming(prefix).join(format!("{id}.{UPLOAD}")),
            Self::Probe(id) => Self::incoming(prefix).join(format!("{id}.{PROBE}")),
            Self::Marker => prefix.clone().join(MARKER),
        }
    }

    /// Below which the contents are.
    pub(super) fn contents(prefix: &Path) -> Path {
        prefix.clone().join(CONTENTS)
    }

    /// Below which is what comes in.
    pub(super) fn incoming(prefix: &Path) -> Path {
        prefix.clone().join(INCOMING)
    }

    /// Which of those that come in stands under a name.
    pub(super) fn read_incoming(name: &str) -> Option<Self> {
        match name.split_once('.') {
            None => name.parse().ok().map(Self::Incoming),
            Some((id, UPLOAD)) => id.parse().ok().map(Self::Upload),
            Some((id, PROBE)) => id.parse().ok().map(Self::Probe),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_is_known_by_its_name() {
        for key in [ObjectKey::Incoming(Uuid::max()), ObjectKey::Upload(Uuid::nil()), ObjectKey::Probe(Uuid::max())] {
            for prefix in ["", "vendor/files"] {
                let path = key.path(&Path::from(prefix));
                assert!(path.prefix_matches(&ObjectKey::incoming(&Path::from(prefix))), "{path}");
                assert_eq!(path.filename().and_then(ObjectKey::read_incoming), Some(key), "{path}");
            }
        }
        assert_eq!(ObjectKey::read_incoming("somebody's"), None);
    }
}
