//! The keys of objects.

use object_store::path::Path;
use uuid::Uuid;

use crate::domain::artifact::Sha256;

/// The key of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKey {
    Content(Sha256),
    /// A content that is arriving.
    Incoming(Uuid),
    /// The record of an upload under way: what is needed to abort it.
    Upload(Uuid),
    /// A test object.
    Probe(Uuid),
    /// The id of the database that the store belongs to.
    Marker,
}

const CONTENTS: &str = "sha256";
const INCOMING: &str = "incoming";
const UPLOAD: &str = "upload";
const PROBE: &str = "probe";

/// The name of the marker.
pub(super) const MARKER: &str = "database";

impl ObjectKey {
    pub(super) fn path(self, prefix: &Path) -> Path {
        match self {
            Self::Content(hash) => {
                let hash = hash.to_string();
                // Two letters make a folder, so that no folder has more entries than common tools can list.
                let (folder, _) = hash.split_at_checked(2).unwrap_or(("", ""));
                prefix.clone().join(CONTENTS).join(folder).join(hash.as_str())
            }
            Self::Incoming(id) => Self::incoming(prefix).join(id.to_string()),
            Self::Upload(id) => Self::incoming(prefix).join(format!("{id}.{UPLOAD}")),
            Self::Probe(id) => Self::incoming(prefix).join(format!("{id}.{PROBE}")),
            Self::Marker => prefix.clone().join(MARKER),
        }
    }

    /// The folder of the contents.
    pub(super) fn contents(prefix: &Path) -> Path {
        prefix.clone().join(CONTENTS)
    }

    /// The folder of incoming objects.
    pub(super) fn incoming(prefix: &Path) -> Path {
        prefix.clone().join(INCOMING)
    }

    /// Reads the name of an incoming object.
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
